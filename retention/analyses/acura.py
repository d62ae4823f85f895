"""Rank five growth levers (acquire, cross-sell, upgrade, retain, advocate) by the gain of one step."""

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.analyses.retention_points import worth_of_points
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.referrals import mean_newcomer
from retention.customer_base.survey_answers import interactions_of_kind
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import money

TITLE = "Which lever brings the most"
STEP = 0.01
"""Size of each lever's step: one per cent, or one point of probability."""
DEFINITION = (
    "What one per cent, or one percentage point, more of each lever would bring, before its cost. Acquire: 1% more "
    "new customers than in the last 365 days, each worth what this year's new customers are on average: their margin "
    "so far plus their CLV. Cross-sell: 1% of the customers who have bought in one category (or one product) become "
    "like those with two and gain the difference of the mean CLVs; an upper bound, since the two groups differ in "
    "more than that. Upgrade: every order is worth 1% more at the same margin rate, so 1% of all CLV. Retain: each "
    "churn probability falls by one point (to 0 where it is less), a point being worth a hundredth of the CLV. "
    "Advocate: 1% more referrals than in the last 365 days, each bringing a customer like this year's new ones. "
    "Equal steps are not equally hard or expensive."
)
SOURCE = (
    "ACURA model (acquisition, cross-sell, up-sell, retention, advocacy): Payne (2005), Handbook of CRM; measured here "
    "in CLV as in Gupta, Lehmann & Stuart (2004), Valuing customers, Journal of Marketing Research 41."
)
REQUIREMENTS = {
    "cross-sell": "Cross-sell needs the column category or product in the orders, and customers who have bought in one "
    "and in two of them.",
    "acquire": "Acquire, and the worth of a referral, need a first order in the last 365 days.",
    "advocate": "Advocate needs interactions of kind referral: a row for each new customer, with the id of the "
    "customer who sent them.",
}


def second_category_gain(customers: pd.DataFrame) -> tuple[int, float]:
    """Customers who bought in one category, and how far the mean CLV of those with two is above theirs (currency
    units).

    Products take the place of categories where the log has none, or nobody has two. NaN where nobody has one or two.
    """
    for name in ("categories", "products"):
        mean, count = customers.groupby(name)["clv"].mean(), customers[name].value_counts()
        if {1, 2} <= set(mean.index):
            return int(count[1]), float(mean[2] - mean[1])
    return 0, np.nan


def levers(base: CustomerBase) -> pd.DataFrame:
    """Table of the levers, the largest gain first and unknown ones last: lever, step (text), moved (customers, new
    ones or referrals that the step applies to), moves (gain in currency units; NaN where it is not known)."""
    customers = base.customers
    new = mean_newcomer(base)
    single_category, difference = second_category_gain(customers)
    referrals = interactions_of_kind(base, "referral")
    recent_referrals = len(base.within(referrals, YEAR_DAYS))
    saved_value = float(worth_of_points(customers, STEP).sum())
    rows = [
        ("acquire", "+1% new customers", new.customers, STEP * new.customers * new.worth),
        ("cross-sell", "1% buy in a second category or product", single_category, STEP * single_category * difference),
        ("upgrade", "+1% on each order", len(customers), STEP * float(customers["clv"].sum())),
        ("retain", "−1 point of churn probability", len(customers), saved_value),
        (
            "advocate",
            "+1% referrals",
            recent_referrals,
            STEP * recent_referrals * new.worth if len(referrals) else np.nan,
        ),
    ]
    table = pd.DataFrame(rows, columns=["lever", "step", "moved", "moves"])
    return table.sort_values("moves", ascending=False, kind="stable", ignore_index=True)


def analyse(base: CustomerBase) -> Analysis:
    """Rank the levers by the gain of one step."""
    table = levers(base)
    known = table.dropna(subset="moves")
    first, last = known.iloc[0], known.iloc[-1]
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "lever": TableColumn("Lever", "text"),
            "step": TableColumn("Step", "text"),
            "moved": TableColumn("Applied to", "count"),
            "moves": TableColumn("Gain", "money"),
        },
        f"A step of one per cent or point is worth most for the lever “{first['lever']}” "
        f"({money(first['moves'], base.currency)}) and least for “{last['lever']}” "
        f"({money(last['moves'], base.currency)})."
        if first["moves"] > last["moves"]
        else f"A step of one per cent or point is worth {money(first['moves'], base.currency)} for every lever known.",
        bars(
            known["lever"].tolist(),
            {"gain": known["moves"].tolist()},
            title=f"gain from one step ({base.currency})",
            form=MONEY,
        ),
        missing=" ".join(REQUIREMENTS[lever] for lever in REQUIREMENTS if lever not in set(known["lever"])),
    )
