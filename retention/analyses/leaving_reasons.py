"""Strongest reason of each customer to leave, and the value at risk behind it."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.reason_topics import reason_topics
from retention.economics.profit import value_at_risk
from retention.presentation.analysis import Analysis, TableColumn, unavailable_analysis
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, part_of

REASONS_SHOWN = 10
TITLE = "Why customers are about to leave"
DEFINITION = (
    "For each customer the reason that raises the churn probability most, by the model's exact contributions, "
    "counted without the customer's own number. Value at risk is churn probability times CLV. A reason says what "
    "goes with leaving, not what causes it."
)
SOURCE = "Lundberg et al. (2020), From local explanations to global understanding with explainable AI for trees."


def leaving_reasons(reason: pd.Series, at_risk: pd.Series, churn_probability: pd.Series) -> pd.DataFrame:
    """Table of the first reasons by subject, the largest value at risk first: reason, customers, at_risk (currency
    units), at_risk_share (of all, those without a reason among them) and churn_probability (mean)."""
    subject = reason_topics(reason)
    rows = pd.DataFrame({"reason": subject, "at_risk": at_risk, "churn_probability": churn_probability, "customers": 1})
    groups = rows.groupby("reason")
    table = groups[["customers", "at_risk"]].sum().assign(churn_probability=groups["churn_probability"].mean())
    table["at_risk_share"] = table["at_risk"] / (at_risk.sum() or float("nan"))
    return table.sort_values("at_risk", ascending=False, kind="stable").reset_index()


def analyse(base: CustomerBase) -> Analysis:
    """List the reasons behind most of the value at risk."""
    who = base.customers
    if not who["reason_1"].notna().any():
        return unavailable_analysis(
            TITLE,
            definition=DEFINITION,
            source=SOURCE,
            missing="No score of this batch has a reason: they were made by a simple model, which gives none.",
        )
    table = leaving_reasons(who["reason_1"], value_at_risk(who), who["churn_probability"])
    first = table.iloc[0]
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table.head(REASONS_SHOWN),
        {
            "reason": TableColumn("Strongest reason", "text"),
            "customers": TableColumn("Customers", "count"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
            "at_risk_share": TableColumn("Share of value at risk", "percent"),
        },
        f"“{first['reason']}” is the strongest reason for {first['customers']:,} of "
        f"{counted(len(who), 'customer')}, with "
        f"{part_of(first['at_risk'], value_at_risk(who).sum(), base.currency)} of the value at risk.",
        bars(
            table["reason"].head(REASONS_SHOWN).tolist(),
            {"value at risk": table["at_risk"].head(REASONS_SHOWN).tolist()},
            title=f"value at risk ({base.currency})",
            form=MONEY,
        ),
    )
