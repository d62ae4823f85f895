"""What kind of customers the new ones are: they get their segment at once."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.segments import SEGMENTS
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, money

TITLE = "What kind of customers the new ones are"
DEFINITION = (
    "Customers whose first order lies within the last horizon, by the segment that their first scores give them, "
    "beside all others. The probability to order again is one minus their churn probability. Their CLV is foretold "
    "from very little, so trust the sum more than the single customer."
)
SOURCE = "Fader & Hardie (2010), Customer-base valuation in a contractual setting; textbook (acquisition quality)."


def new_customers(base: CustomerBase) -> pd.Series:
    """Whether each customer's first order lies within the last horizon."""
    return base.customers["first_order"] >= base.as_of_time - pd.Timedelta(days=base.horizon_days)


def analyse(base: CustomerBase) -> Analysis:
    """The segments of the new beside those of the others."""
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
    says = (
        f"{counted(count, 'customer')} came in the last {days}; on average they are worth "
        f"{money(who['clv'].mean(), base.currency)} and order again with a probability of "
        f"{1 - who['churn_probability'].mean():.0%}."
        if count
        else f"Nobody ordered for the first time in the last {days}."
    )
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Segment", "text"),
            "customers": TableColumn("New customers", "count"),
            "customer_share": TableColumn("of the new", "percent"),
            "share_of_others": TableColumn("of the others", "percent"),
            "clv": TableColumn("CLV of the new", "money"),
            "clv_mean": TableColumn("CLV each", "money"),
            "again": TableColumn("Order again within the horizon", "percent"),
        },
        says,
        bars(
            table["group"].tolist(),
            {"of the new": table["customer_share"].tolist(), "of the others": table["share_of_others"].tolist()},
            title="share of customers",
            form=PERCENT,
        )
        if count
        else None,
    )
