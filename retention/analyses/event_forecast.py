"""Forecast of buyers, churners, orders and margin over the next horizon, with intervals, beside past windows."""

from math import hypot, sqrt

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from models.evaluation.estimate import Z90
from retention.customer_base.customer_base import CustomerBase
from retention.economics.customer_equity import total_interval
from retention.economics.profit import spread
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, interval, money

TITLE = "What the next horizon brings"
DEFINITION = (
    "Expected of today's customers over the next horizon: how many order and how many do not (sums of "
    "probabilities), their orders, and the margin. The 80% interval holds two errors. One all customers share: how far "
    "the margin told on past days lay from what came, taken for buyers and orders too. The other is each customer's "
    "chance: √Σ p (1 − p) for the probabilities, Poisson for the orders, each one's own interval for the margin. "
    "Beside it stands what the customers of the time did in the horizon before the day, and in the same window a year "
    "before the forecast."
)
SOURCE = "Fader & Hardie (2009), Probability models for customer-base analysis, Journal of Interactive Marketing 23(1)."
EVENTS = ("customers who order", "customers who do not order", "orders", "margin")


def forecast(customers: pd.DataFrame, *, reach: float) -> pd.DataFrame:
    """Table of the EVENTS: event, expected, low and high (the 80 % interval).

    customers: churn_probability, expected_orders, expected_value, value_p10, value_p90. reach: of the error that all
    share to either side, on the log scale. Under a contract, not ordering means leaving.
    """
    p = customers["churn_probability"].to_numpy()
    value, least, most = (customers[name].to_numpy() for name in ("expected_value", "value_p10", "value_p90"))
    orders = float(customers["expected_orders"].sum())
    spread_of_margin = float(np.sqrt((spread(mean=value, p10=least, p90=most) ** 2).sum()))
    buyers = float((1 - p).sum())
    few, many = _interval(buyers, float(np.sqrt((p * (1 - p)).sum())), reach)
    many = min(many, len(p))
    rows = [
        ("customers who order", buyers, few, many),
        ("customers who do not order", len(p) - buyers, len(p) - many, len(p) - few),
        ("orders", orders, *_interval(orders, sqrt(orders), reach)),
        ("margin", value.sum(), *_interval(float(value.sum()), spread_of_margin, reach)),
    ]
    return pd.DataFrame(rows, columns=["event", "expected", "low", "high"])


def _interval(total: float, chance: float, reach: float) -> tuple[float, float]:
    """The ends of the 80 % interval of a total; chance: the standard deviation of independent customers."""
    if total <= 0:
        return total - Z90 * chance, total + Z90 * chance
    return total_interval(total, hypot(reach, Z90 * chance / total))


def actual_events(base: CustomerBase, *, before_days: int) -> list[float]:
    """Events of a past window of the horizon's length, in the order of EVENTS, by the customers known before it.

    The window ends `before_days` before the day. NaN where the log does not reach back to its beginning, and where it
    is not over (before_days below 0).
    """
    days = base.horizon_days
    begin = base.as_of_time - pd.Timedelta(days=before_days + days)
    if before_days < 0 or not len(base.orders) or base.orders["at"].min() >= begin:
        return [np.nan] * len(EVENTS)
    known = base.customers.index[base.customers["first_order"] < begin]
    rows = base.within(base.orders, days, before_days=before_days)
    rows = rows[rows["customer"].isin(known)]
    buyers = rows.loc[rows["stands"], "customer"].nunique()
    return [float(buyers), float(len(known) - buyers), float(rows["stands"].sum()), float(rows["margin"].sum())]


def analyse(base: CustomerBase) -> Analysis:
    """Show the forecast beside two past windows."""
    table = forecast(base.customers, reach=base.horizon_reach)
    table["before"] = actual_events(base, before_days=0)
    table["year_before"] = actual_events(base, before_days=YEAR_DAYS - base.horizon_days)
    margin = table.iloc[-1]
    days = counted(base.horizon_days, "day")
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "event": TableColumn("Event", "text"),
            "expected": TableColumn(f"Next {days}", "count"),
            "low": TableColumn("80% interval from", "count"),
            "high": TableColumn("to", "count"),
            "before": TableColumn(f"Last {days}", "count"),
            "year_before": TableColumn(f"Next {days}, a year ago", "count"),
        },
        f"In the next {days}, orders are expected from {table['expected'].iloc[0]:,.0f} of "
        f"{counted(len(base.customers), 'customer')}, and a margin of {money(margin['expected'], base.currency)} (80% "
        f"interval {interval((margin['low'], margin['high']), base.currency)}).",
        bars(
            [f"next {days}", f"last {days}", "a year ago"],
            {"margin": [margin["expected"], margin["before"], margin["year_before"]]},
            title=f"margin ({base.currency})",
            form=MONEY,
        ),
    )
