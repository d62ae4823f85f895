"""Which lever moves most: acquire, cross-sell, upgrade, retain, advocate, each moved by one per cent or point."""

import numpy as np
import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.referrals import mean_newcomer
from retention.customer_base.survey_answers import interactions_of_kind
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import money

TITLE = "Which lever moves most"
STEP = 0.01
"""How far each lever is moved: one per cent, or one point of probability."""
DEFINITION = (
    "What one per cent, or one point, more of each lever would bring, before what it costs. Acquire: 1 % more new "
    "customers than in the last 365 days, each with the margin so far and the CLV of this year's new ones. Cross-sell: "
    "1 % of those who bought in one category (or one product) become like those with two, by the difference of their "
    "mean CLVs: an upper bound, since those with two differ in more than that. Upgrade: orders worth 1 % more at the "
    "same margin, so 1 % of all CLV. Retain: each customer's churn probability one point lower (where it is less, to "
    "0), a point being worth a hundredth of the CLV. Advocate: 1 % more referrals than in the last 365 days, each "
    "bringing a customer like this year's new ones. Equal steps are not equally hard or dear."
)
SOURCE = (
    "ACURA model (acquisition, cross-sell, up-sell, retention, advocacy): Payne (2005), Handbook of CRM; measured here "
    "in CLV as in Gupta, Lehmann & Stuart (2004), Valuing customers, Journal of Marketing Research 41."
)
NEEDS = {
    "cross-sell": "Cross-sell needs the column category or product in the orders, and somebody with one and somebody "
    "with two.",
    "acquire": "Acquire, and what a referral is worth, need a first order in the last 365 days.",
    "advocate": "Advocate needs interactions of kind referral: a row for each new customer, with the customer who sent "
    "him.",
}


def second_bought(customers: pd.DataFrame) -> tuple[int, float]:
    """How many bought in one category, and by how much the mean CLV of those with two is above theirs, currency units.

    Products take the place of categories where the log has none, or nobody has two. NaN where nobody has one or two.
    """
    for name in ("categories", "products"):
        mean, count = customers.groupby(name)["clv"].mean(), customers[name].value_counts()
        if {1, 2} <= set(mean.index):
            return int(count[1]), float(mean[2] - mean[1])
    return 0, np.nan


def levers(base: CustomerBase) -> pd.DataFrame:
    """A row per lever, the most money first and those not known last: lever, step (text), moved (customers, new ones
    or referrals that the step is taken of), moves (currency units; NaN where it is not known)."""
    table = base.customers
    new = mean_newcomer(base)
    ones, difference = second_bought(table)
    referrals = interactions_of_kind(base, "referral")
    lately = len(base.within(referrals, YEAR_DAYS))
    kept = float((np.minimum(table["churn_probability"], STEP) * table["clv"]).sum())
    rows = [
        ("acquire", "+1 % new customers", new.customers, STEP * new.customers * new.worth),
        ("cross-sell", "1 % of those with one buy a second", ones, STEP * ones * difference),
        ("upgrade", "+1 % on each order", len(table), STEP * float(table["clv"].sum())),
        ("retain", "−1 point of churn", len(table), kept),
        ("advocate", "+1 % referrals", lately, STEP * lately * new.worth if len(referrals) else np.nan),
    ]
    found = pd.DataFrame(rows, columns=["lever", "step", "moved", "moves"])
    return found.sort_values("moves", ascending=False, kind="stable", ignore_index=True)


def analyse(base: CustomerBase) -> Analysis:
    """The levers ranked by the money that they move."""
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
            "step": TableColumn("Moved by", "text"),
            "moved": TableColumn("of how many", "count"),
            "moves": TableColumn("Would bring", "money"),
        },
        f"Moved by one per cent or point, {first['lever']} brings most, {money(first['moves'], base.currency)}, and "
        f"{last['lever']} least, {money(last['moves'], base.currency)}.",
        bars(
            known["lever"].tolist(),
            {"would bring": known["moves"].tolist()},
            title=f"what one per cent or point more would bring ({base.currency})",
            form=MONEY,
        ),
        missing=" ".join(NEEDS[lever] for lever in NEEDS if lever not in set(known["lever"])),
    )
