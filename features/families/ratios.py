"""Ratios between families: recency over regularity, spending and orders over tenure."""

import numpy as np

from features.clock import DAY
from features.kernel.feature import feature


@feature(
    unit="ratio",
    says="time since the last order as a multiple of the mean gap: {}",
    absent="only one order, or all at one time",
)
def recency_over_gap(orders, as_of):
    """Above 1 when the next order is overdue at the mean gap."""
    span = orders.at[-1] - orders.at[0]
    if span == 0:
        return np.nan
    return (as_of - orders.at[-1]) / (span / (len(orders.at) - 1))


@feature(unit="money", says="{} spent, not counting refunds that match no order")
def orders_times_spend_mean(orders):
    """Differs from `spend_total` only by the refunds whose order was not found."""
    return len(orders.amount_cents) * orders.amount_cents.mean()


@feature(unit="money", says="{} spent per day since the first order")
def spend_per_tenure_day(orders, as_of):
    """A tenure below one day counts as one day: divided by hours, a first order would look like a fortune."""
    spent = orders.amount_cents.sum() + orders.refund_cents.sum()
    return spent / max((as_of - orders.at[0]) / DAY, 1.0)


@feature(unit="orders per day", says="{} orders per day since the first order")
def orders_per_tenure_day(orders, as_of):
    """A tenure below one day counts as one day."""
    return len(orders.at) / max((as_of - orders.at[0]) / DAY, 1.0)
