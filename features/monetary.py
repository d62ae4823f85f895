"""How much: what the orders brought, net of refunds. Minor units here, currency units in the table."""

import numpy as np

from features.clock import DAY
from features.feature import feature
from features.frequency import WINDOWS


@feature(unit="money", says="{} spent so far")
def spend_total(orders, as_of):
    return orders.amount_cents.sum() + orders.refund_cents.sum()


@feature(unit="money", says="{} spent per order")
def spend_mean(orders, as_of):
    return orders.amount_cents.mean()


@feature(unit="money", says="{} spent in the first order")
def spend_first_order(orders, as_of):
    return orders.amount_cents[0]


@feature(unit="money", says="{} spent in the last order")
def spend_last_order(orders, as_of):
    return orders.amount_cents[-1]


@feature(unit="money", says="{} spent in the last {days} days", windows=WINDOWS)
def spend_last(orders, as_of, days):
    start = as_of - days * DAY
    ordered = orders.amount_cents[np.searchsorted(orders.at, start) :].sum()
    refunded = orders.refund_cents[orders.refund_at >= start].sum()
    return ordered + refunded
