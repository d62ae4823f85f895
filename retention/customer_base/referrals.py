"""Referrals: new customers sent by others, and the worth of a new customer."""

from typing import NamedTuple

import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase

KIND = "referral"
SUPPLY = (
    "Referrals are not in the log. Supply them as interactions of the kind `referral`: a row per new customer who came "
    "by a customer, under the id of the one who sent them, with the day."
)


class Newcomer(NamedTuple):
    """The mean customer of those whose first order is at most 365 days old; money in currency units."""

    customers: int
    margin: float
    """Mean margin so far; NaN where there are none."""
    worth: float
    """Mean margin so far plus CLV: from the first order to the end of the CLV's lifetime."""


def referral_counts(base: CustomerBase) -> pd.Series | None:
    """The number of new customers that each customer sent in the last 365 days, by the row in `customers`; None where
    the log has never had a referral."""
    rows = base.interactions
    if rows is None or not (rows["kind"] == KIND).any():
        return None
    last = base.within(rows[rows["kind"] == KIND], YEAR_DAYS)
    return last.groupby("customer").size().reindex(base.customers.index, fill_value=0)


def mean_newcomer(base: CustomerBase) -> Newcomer:
    """The mean new customer of the last 365 days.

    Customers who joined under a contract and left again are not among them: there it is too high.
    """
    new = base.customers[base.customers["first_order"] >= base.as_of_time - pd.Timedelta(days=YEAR_DAYS)]
    return Newcomer(len(new), float(new["margin"].mean()), float((new["margin"] + new["clv"]).mean()))
