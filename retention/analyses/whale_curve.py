"""Whale curve: cumulative profit from the most to the least profitable customer."""

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
    "Customers with an order or a cost in the last 365 days, ranked by their profit of these days (margin less "
    "booked cost to serve), best first; the curve adds up the profit as a share of the total. What it reaches above "
    "100% is lost again with the customers after its peak."
)
SOURCE = "Kaplan & Narayanan (2001), Measuring and managing customer profitability, Journal of Cost Management 15(5)."


class Peak(NamedTuple):
    """The highest point of the curve: profitable customers and their profit, losing customers and their loss."""

    customers: int
    profit: float
    losing: int
    loss: float


def peak(profit: ArrayLike) -> Peak:
    """Find the peak of profits in currency units; customers with a profit of 0 count in neither group.

    >>> peak([5.0, -1.0, 0.0, -2.0])
    Peak(customers=1, profit=5.0, losing=2, loss=3.0)
    """
    values = np.asarray(profit, float)
    above, below = values[values > 0], values[values < 0]
    return Peak(len(above), float(above.sum()), len(below), float(-below.sum()))


def tenths(profit: ArrayLike) -> pd.DataFrame:
    """Table of the tenths of the customers, best first: group, customers, profit and cumulative (currency units).

    Tenths are rounded to whole customers from the top, so with fewer than ten customers some are empty.
    """
    values = np.sort(np.asarray(profit, float))[::-1]
    ends = np.round(np.arange(1, TENTHS) / TENTHS * len(values)).astype(int)
    parts = np.split(values, ends)
    table = pd.DataFrame({"group": [f"{_ordinal(place)} tenth" for place in range(1, TENTHS + 1)]})
    table["customers"], table["profit"] = [len(part) for part in parts], [part.sum() for part in parts]
    table["cumulative"] = table["profit"].cumsum()
    return table


def curve(profit: ArrayLike, top: Floats) -> Floats:
    """Profit of the best `top` (shares, 0 to 1) of the customers, as a share of all profit; NaN where that is not
    above 0."""
    values = np.sort(np.asarray(profit, float))[::-1]
    cumulative = np.concatenate([[0.0], np.cumsum(values)])
    total = cumulative[-1] if cumulative[-1] > 0 else np.nan
    return cumulative[np.round(top * len(values)).astype(int)] / total


def analyse(base: CustomerBase) -> Analysis:
    """The curve of the last 365 days; without booked costs it is the margin's, and says so."""
    customers = base.customers
    cost = customers["cost_to_serve_year"].fillna(0)
    is_active = (customers["orders_year"] > 0) | (customers["margin_year"] != 0) | (cost != 0)
    profit = (customers["margin_year"] - cost)[is_active]
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
            "share": TableColumn("Share of profit", "percent"),
            "cumulative": TableColumn("Cumulative profit", "money"),
            "cumulative_share": TableColumn("Cumulative share", "percent"),
        },
        _reading(top, base),
        lines(
            shares,
            {"share of profit": curve(profit, shares).tolist()},
            x_title="customers, best first",
            y_title="cumulative share of profit",
            form=PERCENT,
            x_form=PERCENT,
        )
        if total > 0
        else None,
        "" if base.costs is not None else SUPPLY_COSTS,
    )


def _ordinal(place: int) -> str:
    return f"{place}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(place, 'th') }"


def _reading(top: Peak, base: CustomerBase) -> str:
    """The customers with a profit and those with a loss."""
    made = f"made a profit of {money(top.profit, base.currency)}" if top.customers else "made a profit"
    lost = f"made a loss of {money(top.loss, base.currency)}" if top.losing else "made a loss"
    note = "" if base.costs is not None else " (costs to serve are not counted)"
    return (
        f"{_customers(top.customers, 'No')} {made} in the last 365 days, and {_customers(top.losing, 'no')} "
        f"{lost}{note}."
    )


def _customers(count: int, none: str) -> str:
    return counted(count, "customer") if count else f"{none} customer"
