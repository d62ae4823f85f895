"""States of the relationship with the shop, and the moves between them within the last horizon."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.relationship_states import LOYAL_ORDERS, STATES, relationship_states
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import heatmap
from retention.presentation.formatting import counted

TITLE = "First-time, repeat, loyal, lapsed, lost, won back"
NEW = "not a customer yet"
DEFINITION = (
    "By orders alone: lost after two horizons without an order, lapsed after one; otherwise won back if an order "
    f"within the last horizon ended a pause of more than a horizon, loyal from {LOYAL_ORDERS} orders on, repeat from "
    "two, first-time with one. The matrix gives, for each state one horizon ago, the share in each state now; its "
    "rows sum to 100%."
)
SOURCE = (
    "Dwyer, Schurr & Oh (1987), Developing buyer-seller relationships, Journal of Marketing 51(2); textbook states."
)


def transitions(before: pd.Series, now: pd.Series) -> pd.DataFrame:
    """Share of each state before (rows: NEW, then STATES) that is in each state now (columns); NaN in rows without
    customers.

    before, now: states by customer; None before is NEW.
    """
    counts = pd.crosstab(before.where(before.notna(), NEW), now).reindex(index=[NEW, *STATES], columns=list(STATES))
    counts = counts.fillna(0)
    return counts.div(counts.sum(axis=1).where(lambda total: total > 0), axis=0)


def analyse(base: CustomerBase) -> Analysis:
    """The states now, and the moves since one horizon ago."""
    before, now = relationship_states(base, before_days=base.horizon_days), relationship_states(base)
    table = group_totals(base.customers, now, names=list(STATES))
    moved = transitions(before, now)
    active = before.isin(["first-time", "repeat", "loyal", "won back"])
    gone, back = int((active & now.isin(["lapsed", "lost"])).sum()), int((now == "won back").sum())
    fell_silent = f"{gone:,} of {counted(int(active.sum()), 'customer')} active before it fell silent"
    if not active.any():
        fell_silent = "no customer could fall silent, because none was active before it"
    table["before"] = [int((before == name).sum()) for name in STATES]
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("State", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("Share of customers", "percent"),
            "before": TableColumn("Customers one horizon ago", "count"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
        },
        f"Within the last horizon, {fell_silent}, and {counted(back, 'customer')} came back after a pause.",
        heatmap(moved, x_title="state now", y_title="one horizon ago", form=".0%"),
    )
