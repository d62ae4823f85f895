"""The early-warning list: valuable customers who show a sign of leaving."""

import pandas as pd

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.segments import VIP
from retention.customer_base.survey_answers import interaction_kinds, interactions_of_kind
from retention.economics.profit import value_at_risk
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, part_of

TITLE = "Early warnings"
LATE = 2.0
"""Own mean gaps since the last order, above which a customer is overdue."""
COMPLAINT_DAYS = 30
SIGNS = {
    "overdue": f"no order for {LATE:g} times the customer's own mean gap",
    "spending halved": "less than half of the net sales of the 182 days before the last 182",
    "unanswered complaint": f"a complaint in the last {COMPLAINT_DAYS} days and no order since",
    "fell from VIP": "VIP at the last batch of an earlier day, and not now",
}
DEFINITION = (
    "Customers whose CLV is above the mean and who show at least one sign: "
    + "; ".join(f"{name}, {what}" for name, what in SIGNS.items())
    + ". A sign is a reason to look, not a forecast: the churn probability beside it is the model's."
)
SOURCE = "Textbook (early-warning systems of customer relationship management); Jahromi et al. (2014) for B2B."


def signs(base: CustomerBase) -> pd.DataFrame:
    """A row per customer, a column per sign of SIGNS that the data can show: whether the customer shows it."""
    who, day = base.customers, base.as_of_time
    silent = (day - who["last_order"]) / pd.Timedelta(days=1)
    gap = base.own_gap_days()
    found = {"overdue": (gap > 0) & (silent > LATE * gap)}
    late, early = base.half_years()
    found["spending halved"] = pd.Series((early > 0) & (late < early / 2))
    if "complaint" in interaction_kinds(base):
        last = base.within(interactions_of_kind(base, "complaint"), COMPLAINT_DAYS).groupby("customer")["at"].max()
        found["unanswered complaint"] = last.reindex(who.index) > who["last_order"]
    if base.earlier is not None:
        then = base.earlier.scores.set_index("customer_id")["segment"].reindex(who["customer_id"])
        found["fell from VIP"] = pd.Series((then == VIP).to_numpy(), who.index) & (who["segment"] != VIP)
    return pd.DataFrame(found, index=who.index)


def warned(base: CustomerBase) -> pd.DataFrame:
    """The list itself, the most value at risk first: customer_id, signs (text), churn_probability, clv and at_risk
    (currency units). It names customers: show it to those who may see them."""
    shown = signs(base)
    who = base.customers.assign(at_risk=value_at_risk(base.customers))
    listed = shown.any(axis=1) & (who["clv"] > who["clv"].mean())
    rows = who.loc[listed, ["customer_id", "churn_probability", "clv", "at_risk"]]
    said = [", ".join(shown.columns[row]) for row in shown[listed].to_numpy()]
    rows.insert(1, "signs", pd.Series(said, index=rows.index, dtype="str"))
    return rows.sort_values("at_risk", ascending=False, kind="stable", ignore_index=True)


def analyse(base: CustomerBase) -> Analysis:
    """How many show each sign, and what they carry."""
    shown, who = signs(base), base.customers
    at_risk, best = value_at_risk(who), who["clv"] > who["clv"].mean()
    rows = []
    for name in shown:
        mine = shown[name] & best
        churn = who.loc[mine, "churn_probability"].mean()
        rows.append((name, SIGNS[name], int(mine.sum()), churn, at_risk[mine].sum()))
    table = pd.DataFrame(rows, columns=["sign", "means", "customers", "churn_probability", "at_risk"])
    any_sign = shown.any(axis=1) & best
    missing = (
        []
        if "complaint" in interaction_kinds(base)
        else ["Complaints are not in the log: interactions of kind complaint."]
    )
    if base.earlier is None:
        missing.append("Who fell from VIP shows once there is an earlier batch of scores.")
    says = (
        f"{counted(int(any_sign.sum()), 'customer')} of {int(best.sum()):,} with a CLV above the mean show a sign, and "
        f"carry {part_of(at_risk[any_sign].sum(), at_risk.sum(), base.currency)} of all value at risk."
        if any_sign.any()
        else f"No customer of {int(best.sum()):,} with a CLV above the mean shows a sign."
    )
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "sign": TableColumn("Sign", "text"),
            "means": TableColumn("Means", "text"),
            "customers": TableColumn("Customers", "count"),
            "churn_probability": TableColumn("Churn probability, mean", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        says,
        bars(
            table["sign"].tolist(),
            {"value at risk": table["at_risk"].tolist()},
            title=f"value at risk ({base.currency})",
            form=MONEY,
        ),
        " ".join(missing),
    )
