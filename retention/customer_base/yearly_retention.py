"""The share of customers who stayed from one year to the next, as the base's own orders or contracts show it."""

from typing import NamedTuple

import pandas as pd

from features.clock import YEAR_DAYS
from retention.customer_base.customer_base import CustomerBase

YEAR = pd.Timedelta(days=YEAR_DAYS)


class YearlyRetention(NamedTuple):
    """Customers who could stay, and those of them who did."""

    customers: int
    stayed: int

    @property
    def rate(self) -> float:
        """0 to 1; NaN without customers."""
        return self.stayed / self.customers if self.customers else float("nan")


def yearly_retention(base: CustomerBase) -> YearlyRetention:
    """Retention over the last 365 days.

    Without a contract: of those with an order in the 365 days before the last 365, those who ordered again in the last
    365. With one: of those who were customers 365 days ago and have ordered, those who have not left since (customers
    who joined and left within the year are left out where `people` has the day of joining).

    Wrong in a shop whose customers buy less often than once a year: a customer who pauses counts as gone.
    """
    day = base.as_of_time
    if base.former is None:
        orders = base.orders[base.orders["stands"]]
        before = base.within(orders, YEAR_DAYS, before_days=YEAR_DAYS)["customer"].unique()
        return YearlyRetention(len(before), int((base.customers["orders_year"].to_numpy()[before] > 0).sum()))
    stayed = int((base.customers["first_order"] < day - YEAR).sum())
    left = base.former[(base.former["left_at"] >= day - YEAR) & (base.former["orders"] > 0)]
    if base.people is not None:
        new = base.people.loc[base.people["joined_at"] >= day - YEAR, "customer_id"]
        left = left[~left["customer_id"].isin(new)]
    return YearlyRetention(stayed + len(left), stayed)
