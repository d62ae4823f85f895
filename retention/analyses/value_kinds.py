"""Four values of a customer: historical, current, potential, and by influence on others."""

from math import ceil

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from retention.customer_base.customer_base import CustomerBase
from retention.customer_base.referrals import SUPPLY, mean_newcomer, referral_counts
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.charts import MONEY, bars
from retention.presentation.formatting import money

BEST_SHARE = 0.10
"""Share of the customers who are looked at as the best."""
DEFINITION = (
    "Historical value is all margin so far, current value that of the last 365 days, potential value the CLV. "
    "Influence value is the number of referrals in the last 365 days times the worth of a new customer: the mean "
    "margin so far plus CLV of those whose first order falls in these days. It is an upper bound, since some of the "
    "referred customers would have come anyway. What referred customers bring is in the other values too, so the "
    "four do not add up."
)
SOURCE = (
    "Kumar, Aksoy, Donkers, Venkatesan, Wiesel & Tillmanns (2010), Undervalued or overvalued customers: capturing "
    "total customer engagement value, Journal of Service Research 13(3)."
)


def share_of_best_tenth(value: ArrayLike) -> float:
    """Share of all value held by the best tenth of the customers (at least one); NaN where the sum is not above 0.


    >>> share_of_best_tenth([6, 1, 1, 1, 1])
    0.6
    """
    values = np.sort(np.asarray(value, float))[::-1]
    total = values.sum()
    return float(values[: ceil(BEST_SHARE * len(values))].sum() / total) if total > 0 else float("nan")


def overlap_of_best(first_value: ArrayLike, second_value: ArrayLike) -> float:
    """Share of the best tenth by the first value that is also in the best tenth by the second; of equal customers the
    first in the frame comes first.

    >>> overlap_of_best(range(20), range(20)), overlap_of_best(range(20), range(20, 0, -1))
    (1.0, 0.0)
    """
    first, second = (np.argsort(-np.asarray(values, float), kind="stable") for values in (first_value, second_value))
    count = ceil(BEST_SHARE * len(first))
    return float(np.isin(first[:count], second[:count]).mean())


def analyse(base: CustomerBase) -> Analysis:
    """The four values side by side, and the overlap of the best customers so far and from here on."""
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
        missing = "The worth of a referral is not known: no customer's first order is in the last 365 days."
    table = pd.DataFrame([{"kind": kind, "span": span, **_row(value)} for kind, (span, value) in values.items()])
    overlap = overlap_of_best(customers["margin"], customers["clv"])
    return Analysis(
        "Past, present and future value",
        DEFINITION,
        SOURCE,
        table,
        {
            "kind": TableColumn("Value", "text"),
            "span": TableColumn("What it is", "text"),
            "value": TableColumn("Total", "money"),
            "customers": TableColumn("Customers above 0", "count"),
            "each": TableColumn("Mean of these", "money"),
            "best_share": TableColumn("Share of the best tenth", "percent"),
        },
        f"Customers have brought {money(customers['margin'].sum(), base.currency)} so far and are expected to bring "
        f"{money(customers['clv'].sum(), base.currency)} from here on; {overlap:.0%} of the best tenth so far are "
        "also in the best tenth from here on.",
        bars(
            [f"{kind} value" for kind in table["kind"]],
            {"value": table["value"].tolist()},
            title=f"value of all customers ({base.currency})",
            form=MONEY,
        ),
        missing,
    )


def _row(value: pd.Series) -> dict[str, float]:
    """Total value, the customers with a positive one, their mean, and the share of the best tenth."""
    positive = value[value > 0]
    return {
        "value": value.sum(),
        "customers": len(positive),
        "each": positive.mean() if len(positive) else np.nan,
        "best_share": share_of_best_tenth(value),
    }
