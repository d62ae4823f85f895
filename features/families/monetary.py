"""Money: the revenue of the orders, net of refunds. Minor units here, currency units in the table."""

import numpy as np

from features.clock import DAY, YEAR_DAYS
from features.families.frequency import SEASONS, WINDOWS
from features.kernel.feature import feature


@feature(unit="money", says="{} spent so far")
def spend_total(orders):
    return orders.amount_cents.sum() + orders.refund_cents.sum()


@feature(unit="money", says="{} spent per order")
def spend_mean(orders):
    return orders.amount_cents.mean()


@feature(unit="money", says="{} spent in the first order")
def spend_first_order(orders):
    return orders.amount_cents[0]


@feature(unit="money", says="{} spent in the last order")
def spend_last_order(orders):
    return orders.amount_cents[-1]


@feature(unit="money", says="{} spent in the last {days} days", windows=WINDOWS)
def spend_last(orders, as_of, days):
    start = as_of - days * DAY
    spent = orders.amount_cents[np.searchsorted(orders.at, start) :].sum()
    for i in range(len(orders.refund_at)):
        if orders.refund_at[i] >= start:
            spent += orders.refund_cents[i]
    return spent


@feature(unit="money", says="{} spent in the {days} days starting a year ago", windows=SEASONS)
def spend_year_ago(orders, as_of, days):
    start = as_of - YEAR_DAYS * DAY
    end = start + days * DAY
    spent = orders.amount_cents[np.searchsorted(orders.at, start) : np.searchsorted(orders.at, end)].sum()
    for i in range(len(orders.refund_at)):
        if start <= orders.refund_at[i] < end:
            spent += orders.refund_cents[i]
    return spent


@feature(unit="money", says="{} spent in the median order")
def spend_median(orders):
    return np.median(orders.amount_cents)


@feature(unit="money", says="{} spent in the largest order")
def spend_max(orders):
    return orders.amount_cents.max()


@feature(unit="money", says="{} spent in the smallest order")
def spend_min(orders):
    return orders.amount_cents.min()


@feature(unit="money", says="standard deviation of the spending per order: {}", absent="only one order so far")
def spend_std(orders):
    """Sample standard deviation (n - 1)."""
    count = len(orders.amount_cents)
    if count < 2:
        return np.nan
    mean = orders.amount_cents.mean()
    squares = 0.0
    for cents in orders.amount_cents:
        squares += (cents - mean) ** 2
    return np.sqrt(squares / (count - 1))


@feature(unit="share", says="share of the list price given as discounts: {}", needs=("discount",))
def discount_share(orders):
    """Discount over net amount plus discount, of orders alone; 0 where both are 0. From 0 to 1."""
    given = orders.discount_cents.sum()
    price = orders.amount_cents.sum() + given
    if price <= 0:
        return 0.0
    return given / price


@feature(unit="money", says="{} margin so far", needs=("cost",))
def margin_total(orders):
    return orders.margin_cents.sum() + orders.refund_margin_cents.sum()


@feature(unit="money", says="{} margin in the last {days} days", windows=WINDOWS, needs=("cost",))
def margin_last(orders, as_of, days):
    start = as_of - days * DAY
    margin = orders.margin_cents[np.searchsorted(orders.at, start) :].sum()
    for i in range(len(orders.refund_at)):
        if orders.refund_at[i] >= start:
            margin += orders.refund_margin_cents[i]
    return margin


@feature(
    unit="share",
    says="margin as a share of spending: {}",
    absent="nothing spent after refunds",
    needs=("cost",),
)
def margin_share(orders):
    """Margin over spending, both net of all refunds; negative where costs exceed it."""
    spent = orders.amount_cents.sum() + orders.refund_cents.sum()
    if spent <= 0:
        return np.nan
    return (orders.margin_cents.sum() + orders.refund_margin_cents.sum()) / spent


@feature(unit="events", says="{} refunds so far")
def refunds(refunds):
    return len(refunds.at)


@feature(unit="events", says="{} refunds in the last {days} days", windows=WINDOWS)
def refunds_last(refunds, as_of, days):
    return len(refunds.at) - np.searchsorted(refunds.at, as_of - days * DAY)


@feature(unit="share", says="share of spending taken back by refunds: {}", absent="nothing spent before refunds")
def refund_share(orders, refunds):
    """Money taken back over gross spending, which is net spending plus the money taken back.

    Orders refunded in full are thus in both. From 0 to 1 unless more was taken back than spent, as when the
    log begins after the refunded order: then above 1.
    """
    refunded = -refunds.cents.sum()
    gross = orders.amount_cents.sum() + orders.refund_cents.sum() + refunded
    if gross <= 0:
        return np.nan
    return refunded / gross
