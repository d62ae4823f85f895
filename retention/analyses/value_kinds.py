"""Four values of a customer: what he has brought, what he brings, what he will bring, and whom he sends."""

from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.referrals import SUPPLY, mean_newcomer, referral_counts
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import counted, money

BEST = 0.10
"""The share of customers that is looked at as the best."""
DEFINITION = (
    "Historical value is all margin so far, current value that of the last 365 days, potential value the CLV. "
    "Influence value is the referrals of the last 365 days times what a new customer is worth: the mean margin so far "
    "plus CLV of those whose first order is in these days. It is an upper bound: some of the referred would have come "
    "anyway. What the referred bring is in the other values too, so the four do not add up."
)
SOURCE = (
    "Kumar, Aksoy, Donkers, Venkatesan, Wiesel & Tillmanns (2010), Undervalued or overvalued customers: capturing "
    "total customer engagement value, Journal of Service Research 13(3)."
)


def held_by_best(value: ArrayLike) -> float:
    """The share of all value that the best tenth of customers hold (at least one of them); NaN where the sum is not
    above 0.

    >>> held_by_best([6, 1, 1, 1, 1])
    0.6
    """
    values = np.sort(np.asarray(value, float))[::-1]
    total = values.sum()
    return float(values[: ceil(BEST * len(values))].sum() / total) if total > 0 else float("nan")


def best_in_both(one: ArrayLike, other: ArrayLike) -> float:
    """The share of the best tenth by one value that is in the best tenth by the other too; of equal customers the
    first in the frame goes first.

    >>> best_in_both(range(20), range(20)), best_in_both(range(20), range(20, 0, -1))
    (1.0, 0.0)
    """
    first, second = (np.argsort(-np.asarray(values, float), kind="stable") for values in (one, other))
    count = ceil(BEST * len(first))
    return float(np.isin(first[:count], second[:count]).mean())


def analyse(base: CustomerBase) -> Analysis:
    """The four values side by side, and how far the past says who is worth most from here on."""
    customers = base.customers
    values = {
        "historical": ("all margin so far", customers["margin"]),
        "current": ("margin of the last 365 days", customers["margin_year"]),
        "potential": (f"CLV: margin expected in the next {base.lifetime_days:,} days", customers["clv"]),
    }
    sent, new, missing = referral_counts(base), mean_newcomer(base), ""
    if sent is None:
        missing = SUPPLY
    elif new.customers:
        values["influence"] = ("by referrals of the last 365 days, at most", sent * new.worth)
    else:
        missing = "What a referral is worth cannot be told: no customer's first order is in the last 365 days."
    table = pd.DataFrame([{"kind": kind, "span": span, **_row(value)} for kind, (span, value) in values.items()])
    both = best_in_both(customers["margin"], customers["clv"])
    best = counted(ceil(BEST * len(customers)), "customer")
    return Analysis(
        "Past, present and future value",
        DEFINITION,
        SOURCE,
        table,
        {
            "kind": TableColumn("Value", "text"),
            "span": TableColumn("What it is", "text"),
            "value": TableColumn("In all", "money"),
            "customers": TableColumn("Customers above 0", "count"),
            "each": TableColumn("Each of these", "money"),
            "best_share": TableColumn("Held by the best tenth", "percent"),
        },
        f"Customers have brought {money(customers['margin'].sum(), base.currency)} so far and are expected to bring "
        f"{money(customers['clv'].sum(), base.currency)}; of the {best} who brought most, {both:.0%} are among the "
        f"{ceil(BEST * len(customers)):,} worth most from here on.",
        bars(
            [f"{kind} value" for kind in table["kind"]],
            {"value": table["value"].tolist()},
            title=f"value of all customers, {base.currency}",
            form=MONEY,
        ),
        missing,
    )


def _row(value: pd.Series) -> dict[str, float]:
    """The value of all, of whom it is above 0, and of the best."""
    some = value[value > 0]
    return {
        "value": value.sum(),
        "customers": len(some),
        "each": some.mean() if len(some) else np.nan,
        "best_share": held_by_best(value),
    }
