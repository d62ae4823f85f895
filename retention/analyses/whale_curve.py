"""The whale curve: who makes the profit, and who eats it again."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from features.arrays import Floats
from retention.analyses.profit_waterfall import SUPPLY_COSTS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, lines
from retention.presentation.formatting import counted, money

TENTHS = 10
DEFINITION = (
    "Customers who ordered or cost something in the last 365 days by the profit of these days (margin less booked cost "
    "to serve), best first, with the profit added up as a share of what is left in the end. Above 100 % it is profit "
    "that the customers after it lose again."
)
SOURCE = "Kaplan & Narayanan (2001), Measuring and managing customer profitability, Journal of Cost Management 15(5)."


class Peak(NamedTuple):
    """Where the curve is highest: the customers with a profit, what they make, and what the others lose."""

    customers: int
    profit: float
    losing: int
    loss: float


def peak(profit: ArrayLike) -> Peak:
    """Of profits in currency units; a profit of 0 is with neither.

    >>> peak([5.0, -1.0, 0.0, -2.0])
    Peak(customers=1, profit=5.0, losing=2, loss=3.0)
    """
    values = np.asarray(profit, float)
    above, below = values[values > 0], values[values < 0]
    return Peak(len(above), float(above.sum()), len(below), float(-below.sum()))


def tenths(profit: ArrayLike) -> pd.DataFrame:
    """A row per tenth of the customers, best first: group, customers, profit and cumulative (currency units).

    Tenths are rounded to whole customers from the top, so that of fewer than ten some are empty.
    """
    values = np.sort(np.asarray(profit, float))[::-1]
    ends = np.round(np.arange(1, TENTHS) / TENTHS * len(values)).astype(int)
    parts = np.split(values, ends)
    table = pd.DataFrame({"group": [f"{_ordinal(place)} tenth" for place in range(1, TENTHS + 1)]})
    table["customers"], table["profit"] = [len(part) for part in parts], [part.sum() for part in parts]
    table["cumulative"] = table["profit"].cumsum()
    return table


def curve(profit: ArrayLike, top: Floats) -> Floats:
    """The profit of the best `top` (shares, 0 to 1) of the customers, as a share of all profit; NaN where that is not
    above 0."""
    values = np.sort(np.asarray(profit, float))[::-1]
    held = np.concatenate([[0.0], np.cumsum(values)])
    total = held[-1] if held[-1] > 0 else np.nan
    return held[np.round(top * len(values)).astype(int)] / total


def analyse(base: CustomerBase) -> Analysis:
    """The curve of the last 365 days; without booked costs it is the margin's, and says so."""
    customers = base.customers
    cost = customers["cost_to_serve_year"].fillna(0)
    seen = (customers["orders_year"] > 0) | (customers["margin_year"] != 0) | (cost != 0)
    profit = (customers["margin_year"] - cost)[seen]
    table, top, shares = tenths(profit), peak(profit), np.linspace(0, 1, 101)
    total = float(profit.sum())
    table["share"] = table["profit"] / total if total > 0 else np.nan
    table["cumulative_share"] = table["cumulative"] / total if total > 0 else np.nan
    return Analysis(
        "Who makes the profit and who loses it",
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Customers, best first", "text"),
            "customers": TableColumn("Customers", "count"),
            "profit": TableColumn("Profit, last year", "money"),
            "share": TableColumn("of all", "percent"),
            "cumulative": TableColumn("Up to here", "money"),
            "cumulative_share": TableColumn("of all", "percent"),
        },
        f"{counted(top.customers, 'customer')} made {money(top.profit, base.currency)} in the last 365 days and "
        f"{counted(top.losing, 'customer')} lost {money(top.loss, base.currency)} of it again"
        + ("." if base.costs is not None else ", costs to serve not counted."),
        lines(
            shares,
            {"share of profit": curve(profit, shares).tolist()},
            x_title="customers, best first",
            y_title="profit up to here, share of all",
            form=PERCENT,
            x_form=PERCENT,
        )
        if total > 0
        else None,
        "" if base.costs is not None else SUPPLY_COSTS,
    )


def _ordinal(place: int) -> str:
    return f"{place}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place, 'th') }"
