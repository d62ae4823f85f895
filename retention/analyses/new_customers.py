"""Segments of the newest customers, whose first scores give them one at once."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.segments import SEGMENTS
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, money

TITLE = "What kind of customers the new ones are"
DEFINITION = (
    "Customers whose first order lies within the last horizon, by the segment that their scores give them, beside "
    "all other customers. The probability of ordering again is one minus the churn probability. Their CLV is "
    "predicted from very little data, so trust the sum more than the single customer."
)
SOURCE = "Fader & Hardie (2010), Customer-base valuation in a contractual setting; textbook (acquisition quality)."


def new_customers(base: CustomerBase) -> pd.Series:
    """Mark the customers whose first order lies within the last horizon."""
    return base.customers["first_order"] >= base.as_of_time - pd.Timedelta(days=base.horizon_days)


def analyse(base: CustomerBase) -> Analysis:
    """The segments of new customers beside those of the others."""
    is_new = new_customers(base)
    new, old = (
        group_totals(base.customers[mask], base.customers.loc[mask, "segment"], names=list(SEGMENTS))
        for mask in (is_new, ~is_new)
    )
    table = new[["group", "customers", "customer_share", "clv", "clv_mean"]].assign(
        again=1 - new["churn_probability"], share_of_others=old["customer_share"]
    )
    count = int(is_new.sum())
    who = base.customers[is_new]
    days = counted(base.horizon_days, "day")
    reading = (
        f"{counted(count, 'new customer')} came in the last {days}; on average they have a CLV of "
        f"{money(who['clv'].mean(), base.currency)} and a probability of "
        f"{1 - who['churn_probability'].mean():.0%} to order again within the horizon."
        if count
        else f"No customer placed a first order in the last {days}."
    )
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Segment", "text"),
            "customers": TableColumn("New customers", "count"),
            "customer_share": TableColumn("Share of new customers", "percent"),
            "share_of_others": TableColumn("Share of other customers", "percent"),
            "clv": TableColumn("CLV of new customers", "money"),
            "clv_mean": TableColumn("CLV per new customer", "money"),
            "again": TableColumn("Probability to order again", "percent"),
        },
        reading,
        bars(
            table["group"].tolist(),
            {"new customers": table["customer_share"].tolist(), "other customers": table["share_of_others"].tolist()},
            title="share of customers",
            form=PERCENT,
        )
        if count
        else None,
    )
