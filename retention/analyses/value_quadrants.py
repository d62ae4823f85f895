"""What customers bring now against what they will bring: VIP, grow, maintain, let go."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.group_totals import group_totals
from retention.customer_base.segments import SEGMENTS
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import PERCENT, bars
from retention.presentation.formatting import counted, money

DEFINITION = (
    "High or low by what a customer spent in the last 365 days (current value) and by CLV (future value), cut at the "
    "base's averages: VIP is high in both, grow will be, maintain was, let go is low in both. At risk is churn "
    "probability × CLV."
)
SOURCE = "Current against future value; textbook (the quadrants of customer portfolio management)."


def analyse(base: CustomerBase) -> Analysis:
    """The quadrants as scored: their customers, what they bring, will bring, and what of that is at risk."""
    table = group_totals(base.customers, base.customers["segment"], names=SEGMENTS)
    shares = {
        "share of customers": table["customer_share"],
        "of last year's margin": _share(table["margin_year"]),
        "of CLV": _share(table["clv"]),
        "of the CLV at risk": _share(table["at_risk"]),
    }
    vip, risk = table.iloc[0], table.loc[table["at_risk"].idxmax()]
    return Analysis(
        "Current and future value",
        DEFINITION,
        SOURCE,
        table,
        {
            "group": TableColumn("Quadrant", "text"),
            "customers": TableColumn("Customers", "count"),
            "customer_share": TableColumn("of all", "percent"),
            "sales_year": TableColumn("Net sales, last year", "money"),
            "margin_year": TableColumn("Margin, last year", "money"),
            "clv": TableColumn("CLV", "money"),
            "clv_mean": TableColumn("CLV each", "money"),
            "churn_probability": TableColumn("Churn probability", "percent"),
            "at_risk": TableColumn("CLV at risk", "money"),
        },
        f"{counted(int(vip['customers']), 'VIP')}, {vip['customer_share']:.0%} of all customers, "
        f"{'is' if vip['customers'] == 1 else 'are'} worth {money(vip['clv'], base.currency)} of "
        f"{money(table['clv'].sum(), base.currency)} CLV in all; most is at risk in the quadrant {risk['group']}: "
        f"{money(risk['at_risk'], base.currency)}.",
        bars(list(SEGMENTS), {name: values.tolist() for name, values in shares.items()}, title="share", form=PERCENT),
    )


def _share(values: pd.Series) -> pd.Series:
    """Of their sum; 0 where there is none to share."""
    total = values.sum()
    return values / total if total > 0 else values * 0.0
