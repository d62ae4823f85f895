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
OVERDUE_GAPS = 2.0
"""Days since the last order, in own mean gaps, above which a customer is overdue."""
COMPLAINT_DAYS = 30
SIGNS = {
    "overdue": f"no order for more than {OVERDUE_GAPS:g} times the customer's own mean gap between orders",
    "spending halved": "net sales of the last 182 days less than half of those of the 182 days before",
    "unanswered complaint": f"a complaint in the last {COMPLAINT_DAYS} days and no order since",
    "fell from VIP": "VIP in the last batch of an earlier day, but not now",
}
DEFINITION = (
    "Customers with a CLV above the mean who show at least one sign: "
    + "; ".join(f"{name} ({meaning})" for name, meaning in SIGNS.items())
    + ". A sign is a reason to look, not a forecast; the churn probability beside it is the model's."
)
SOURCE = "Textbook (early-warning systems of customer relationship management); Jahromi et al. (2014) for B2B."


def signs(base: CustomerBase) -> pd.DataFrame:
    """Table with a row per customer and a column per sign of SIGNS that the data can show: whether the customer shows
    it."""
    who, day = base.customers, base.as_of_time
    silent = (day - who["last_order"]) / pd.Timedelta(days=1)
    gap = base.own_gap_days()
    shown = {"overdue": (gap > 0) & (silent > OVERDUE_GAPS * gap)}
    late, early = base.half_years()
    shown["spending halved"] = pd.Series((early > 0) & (late < early / 2))
    if "complaint" in interaction_kinds(base):
        last = base.within(interactions_of_kind(base, "complaint"), COMPLAINT_DAYS).groupby("customer")["at"].max()
        shown["unanswered complaint"] = last.reindex(who.index) > who["last_order"]
    if base.earlier is not None:
        before = base.earlier.scores.set_index("customer_id")["segment"].reindex(who["customer_id"])
        shown["fell from VIP"] = pd.Series((before == VIP).to_numpy(), who.index) & (who["segment"] != VIP)
    return pd.DataFrame(shown, index=who.index)


def early_warnings(base: CustomerBase) -> pd.DataFrame:
    """List of the customers to warn about, the most value at risk first: customer_id, signs (text), churn_probability,
    clv and at_risk (currency units). It names customers: show it only to those who may see them."""
    shown = signs(base)
    who = base.customers.assign(at_risk=value_at_risk(base.customers))
    listed = shown.any(axis=1) & (who["clv"] > who["clv"].mean())
    rows = who.loc[listed, ["customer_id", "churn_probability", "clv", "at_risk"]]
    sign_names = [", ".join(shown.columns[row]) for row in shown[listed].to_numpy()]
    rows.insert(1, "signs", pd.Series(sign_names, index=rows.index, dtype="str"))
    return rows.sort_values("at_risk", ascending=False, kind="stable", ignore_index=True)


def analyse(base: CustomerBase) -> Analysis:
    """Count the customers who show each sign, and their value at risk."""
    shown, who = signs(base), base.customers
    at_risk, best = value_at_risk(who), who["clv"] > who["clv"].mean()
    rows = []
    for name in shown:
        shows = shown[name] & best
        churn = who.loc[shows, "churn_probability"].mean()
        rows.append((name, SIGNS[name], int(shows.sum()), churn, at_risk[shows].sum()))
    table = pd.DataFrame(rows, columns=["sign", "means", "customers", "churn_probability", "at_risk"])
    any_sign = shown.any(axis=1) & best
    missing = (
        []
        if "complaint" in interaction_kinds(base)
        else ["Complaints are not in the log: supply interactions of kind complaint."]
    )
    if base.earlier is None:
        missing.append("Customers who fell from VIP are shown once there is an earlier batch of scores.")
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "sign": TableColumn("Sign", "text"),
            "means": TableColumn("Means", "text"),
            "customers": TableColumn("Customers", "count"),
            "churn_probability": TableColumn("Mean churn probability", "percent"),
            "at_risk": TableColumn("Value at risk", "money"),
        },
        _reading(any_sign, best, at_risk, base.currency),
        bars(
            table["sign"].tolist(),
            {"value at risk": table["at_risk"].tolist()},
            title=f"value at risk ({base.currency})",
            form=MONEY,
        ),
        " ".join(missing),
    )


def _reading(any_sign: pd.Series, best: pd.Series, at_risk: pd.Series, currency: str) -> str:
    """any_sign: the customers above the mean CLV (`best`) who show a sign; at_risk: each customer's value at risk."""
    count, of_best = int(any_sign.sum()), counted(int(best.sum()), "customer")
    if not best.any():
        return "No customer has a CLV above the mean, so there is nobody to warn about."
    if not count:
        return f"Of {of_best} with a CLV above the mean, none shows a sign of leaving."
    return (
        f"{count:,} of {of_best} with a CLV above the mean {'shows' if count == 1 else 'show'} a sign of leaving, with "
        f"{part_of(at_risk[any_sign].sum(), at_risk.sum(), currency)} of the value at risk."
    )
