"""What the next horizon brings: orders, buyers, churners and margin, each with its interval, beside the last ones."""

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from models.evaluation.estimate import Z90
from retention.customer_base.customer_base import CustomerBase
from retention.economics.profit import clv_sd
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money

TITLE = "What the next horizon brings"
DEFINITION = (
    "Expected of the customers there are, over the next horizon: who orders and who does not (sums of probabilities), "
    "their orders, and the margin. The 80 % interval is that of independent customers: of probabilities √Σ p (1 − p), "
    "of orders as if Poisson, of margin from each customer's own interval. It leaves out that all may be off "
    "together; the interval of what the base is worth has that in it. Beside it what the customers of the time did in "
    "the window before, and in the same one a year ago."
)
SOURCE = "Fader & Hardie (2009), Probability models for customer-base analysis, Journal of Interactive Marketing 23(1)."
EVENTS = ("customers who order", "customers who do not", "orders", "margin")


def forecast(customers: pd.DataFrame) -> pd.DataFrame:
    """A row per event of EVENTS: event, expected, low and high (the 80 % interval; not below 0 but for the margin).

    customers: churn_probability, expected_orders, expected_value, value_p10, value_p90. Under a contract who does not
    order is who leaves.
    """
    p = customers["churn_probability"].to_numpy()
    value, low, high = (customers[name].to_numpy() for name in ("expected_value", "value_p10", "value_p90"))
    chance = np.sqrt((p * (1 - p)).sum())
    orders = customers["expected_orders"].sum()
    spread = np.sqrt((clv_sd(clv=value, expected_value=value, value_p10=low, value_p90=high) ** 2).sum())
    rows = [
        ("customers who order", (1 - p).sum(), chance, 0.0),
        ("customers who do not", p.sum(), chance, 0.0),
        ("orders", orders, np.sqrt(orders), 0.0),
        ("margin", value.sum(), spread, -np.inf),
    ]
    return pd.DataFrame(
        [(event, mean, max(mean - Z90 * sd, least), mean + Z90 * sd) for event, mean, sd, least in rows],
        columns=["event", "expected", "low", "high"],
    )


def happened(base: CustomerBase, *, before_days: int) -> list[float]:
    """What the customers known before a past window of the horizon's length did in it, in the order of EVENTS.

    The window ends `before_days` before the day. NaN where the log does not reach back to its beginning,
    and where it is not over: below 0 days.
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
    """The forecast beside two windows that are over."""
    table = forecast(base.customers)
    table["before"] = happened(base, before_days=0)
    table["year_before"] = happened(base, before_days=YEAR_DAYS - base.horizon_days)
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
            "low": TableColumn("80 % from", "count"),
            "high": TableColumn("to", "count"),
            "before": TableColumn(f"Last {days}", "count"),
            "year_before": TableColumn("The next ones, a year ago", "count"),
        },
        f"In the next {days} {table['expected'].iloc[0]:,.0f} of {counted(len(base.customers), 'customer')} are "
        f"expected to order, and to bring {money(margin['expected'], base.currency)} "
        f"({money(margin['low'], base.currency)} to {money(margin['high'], base.currency)}).",
        bars(
            [f"next {days}", f"last {days}", "a year ago"],
            {"margin": [margin["expected"], margin["before"], margin["year_before"]]},
            title=f"margin ({base.currency})",
            form=MONEY,
        ),
    )
