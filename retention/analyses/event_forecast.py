"""Forecast of buyers, churners, orders and margin over the next horizon, with intervals, beside past windows."""

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from models.evaluation.estimate import Z90
from retention.customer_base.customer_base import CustomerBase
from retention.economics.profit import spread
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, interval, money

TITLE = "What the next horizon brings"
DEFINITION = (
    "Expected of today's customers over the next horizon: how many order and how many do not (sums of "
    "probabilities), their orders, and the margin. The 80% interval treats customers as independent: √Σ p (1 − p) "
    "for the probabilities, Poisson for the orders, each customer's own interval for the margin. It leaves out "
    "errors that all predictions share; the interval of what the base is worth contains them. Beside it stands what "
    "the customers of the time did in the horizon before the day, and in the same window a year before the forecast."
)
SOURCE = "Fader & Hardie (2009), Probability models for customer-base analysis, Journal of Interactive Marketing 23(1)."
EVENTS = ("customers who order", "customers who do not order", "orders", "margin")


def forecast(customers: pd.DataFrame) -> pd.DataFrame:
    """Table of the EVENTS: event, expected, low and high (the 80 % interval; not below 0 except for the margin).

    customers: churn_probability, expected_orders, expected_value, value_p10, value_p90. Under a contract, not ordering
    means leaving.
    """
    p = customers["churn_probability"].to_numpy()
    value, low, high = (customers[name].to_numpy() for name in ("expected_value", "value_p10", "value_p90"))
    spread_of_buyers = np.sqrt((p * (1 - p)).sum())
    orders = customers["expected_orders"].sum()
    spread_of_margin = np.sqrt((spread(mean=value, p10=low, p90=high) ** 2).sum())
    rows = [
        ("customers who order", (1 - p).sum(), spread_of_buyers, 0.0),
        ("customers who do not order", p.sum(), spread_of_buyers, 0.0),
        ("orders", orders, np.sqrt(orders), 0.0),
        ("margin", value.sum(), spread_of_margin, -np.inf),
    ]
    return pd.DataFrame(
        [(event, mean, max(mean - Z90 * sd, least), mean + Z90 * sd) for event, mean, sd, least in rows],
        columns=["event", "expected", "low", "high"],
    )


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
    table = forecast(base.customers)
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
