"""Regularity: the gaps between orders, and the trends of gaps and spending."""

import numpy as np

from features.clock import DAY
from features.kernel.feature import feature


@feature(unit="days", says="{} days between orders on average", absent="only one order so far")
def gap_mean_days(orders):
    if len(orders.at) < 2:
        return np.nan
    return (orders.at[-1] - orders.at[0]) / (len(orders.at) - 1) / DAY


@feature(
    unit="days",
    says="standard deviation of the gaps between orders in days: {}",
    absent="fewer than three orders so far",
)
def gap_std_days(orders):
    """Sample standard deviation (n - 1): undefined below two gaps, that is three orders."""
    gaps = len(orders.at) - 1
    if gaps < 2:
        return np.nan
    mean = (orders.at[-1] - orders.at[0]) / gaps
    squares = 0.0
    for i in range(gaps):
        squares += (orders.at[i + 1] - orders.at[i] - mean) ** 2
    return np.sqrt(squares / (gaps - 1)) / DAY


@feature(
    unit="ratio",
    says="standard deviation of the gaps between orders over their mean: {}",
    absent="fewer than three orders, or all at one time",
)
def gap_cv(orders):
    """Coefficient of variation: sample standard deviation over mean. About 1 for orders at random times."""
    gaps = len(orders.at) - 1
    span = orders.at[-1] - orders.at[0]
    if gaps < 2 or span == 0:
        return np.nan
    mean = span / gaps
    squares = 0.0
    for i in range(gaps):
        squares += (orders.at[i + 1] - orders.at[i] - mean) ** 2
    return np.sqrt(squares / (gaps - 1)) / mean


@feature(unit="days", says="{} days between the last two orders", absent="only one order so far")
def gap_last_days(orders):
    if len(orders.at) < 2:
        return np.nan
    return (orders.at[-1] - orders.at[-2]) / DAY


@feature(
    unit="ratio",
    says="gap between the last two orders as a multiple of the mean gap: {}",
    absent="only one order, or all at one time",
)
def gap_last_over_mean(orders):
    """The last gap over the mean of all gaps, itself included: above 1 where the customer slows down."""
    span = orders.at[-1] - orders.at[0]
    if span == 0:
        return np.nan
    return (orders.at[-1] - orders.at[-2]) / (span / (len(orders.at) - 1))


@feature(
    unit="days per order",
    says="change in days from each gap between orders to the next: {}",
    absent="fewer than three orders so far",
)
def gap_trend(orders):
    """Least-squares slope of the gaps over their number."""
    gaps = len(orders.at) - 1
    if gaps < 2:
        return np.nan
    centre = (gaps - 1) / 2
    slope = 0.0
    for i in range(gaps):
        slope += (i - centre) * (orders.at[i + 1] - orders.at[i])
    return slope * 12 / (gaps * (gaps**2 - 1.0)) / DAY


@feature(unit="money", says="change in spending from each order to the next: {}", absent="only one order so far")
def spend_trend(orders):
    """Least-squares slope of the orders' amounts over their number."""
    count = len(orders.amount_cents)
    if count < 2:
        return np.nan
    centre = (count - 1) / 2
    slope = 0.0
    for i in range(count):
        slope += (i - centre) * orders.amount_cents[i]
    return slope * 12 / (count * (count**2 - 1.0))


@feature(unit="share", says="clumpiness of the orders over time: {}", absent="only one order so far")
def clumpiness(orders, as_of):
    """From 0 for evenly spaced orders to 1 for all at one instant.

    1 + sum(x log x) / log n over the n shares x of the time from the first order to `as_of`: the n - 1 gaps
    between orders and the time since the last; 0 log 0 = 0. The entropy measure of Zhang, Bradlow & Small,
    "Predicting Customer Value Using Clumpiness: From RFM to RFMC", Marketing Science 34(2), 2015. Theirs has one
    more share, from the start of observation to the first order; here observation starts with the first order.
    """
    count = len(orders.at)
    if count < 2:
        return np.nan
    span = as_of - orders.at[0]
    entropy = 0.0
    for i in range(count):
        end = orders.at[i + 1] if i + 1 < count else as_of
        share = (end - orders.at[i]) / span
        if share > 0:
            entropy -= share * np.log(share)
    return max(1 - entropy / np.log(count), 0.0)  # rounding may give slightly less than 0


@feature(
    unit="days",
    says="days until the next order is due at the mean gap, negative if overdue: {}",
    absent="only one order so far",
)
def next_order_due_days(orders, as_of):
    """Mean gap minus recency: negative when the order is overdue."""
    if len(orders.at) < 2:
        return np.nan
    mean = (orders.at[-1] - orders.at[0]) / (len(orders.at) - 1)
    return (mean - (as_of - orders.at[-1])) / DAY
