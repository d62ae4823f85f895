"""Frequency: orders counted over all time and in windows `[as_of - days, as_of)`, and the shares of some of them."""

import numpy as np

from features.clock import DAY, YEAR_DAYS
from features.families.calendar import month_and_day
from features.kernel.feature import feature

WINDOWS = (30, 90, 180, 365)
"""Lengths of the windows, in days."""

SEASONS = (30, 90, 180)
"""Lengths of the windows that start a year ago, in days: the coming season, one year earlier."""


@feature(unit="orders", says="{} orders so far")
def orders(orders):
    return len(orders.at)


@feature(unit="orders", says="{} orders after the first")
def repeat_orders(orders):
    return len(orders.at) - 1


@feature(unit="orders", says="{} orders in the last {days} days", windows=WINDOWS)
def orders_last(orders, as_of, days):
    return len(orders.at) - np.searchsorted(orders.at, as_of - days * DAY)


@feature(unit="orders", says="{} orders in the {days} days starting a year ago", windows=SEASONS)
def orders_year_ago(orders, as_of, days):
    start = as_of - YEAR_DAYS * DAY
    return np.searchsorted(orders.at, start + days * DAY) - np.searchsorted(orders.at, start)


@feature(unit="share", says="share of orders after the first: {}")
def repeat_share(orders):
    return (len(orders.at) - 1) / len(orders.at)


@feature(unit="share", says="share of orders placed at weekends: {}")
def weekend_share(orders):
    """Saturdays and Sundays of UTC: an order late on a local Sunday may count as Monday's."""
    weekend = 0
    for at in orders.at:
        if (at // DAY + 3) % 7 >= 5:  # days from Monday: 1970 began on a Thursday
            weekend += 1
    return weekend / len(orders.at)


@feature(unit="orders", says="{} orders in this calendar month of any year")
def orders_same_month(orders, as_of):
    """Orders placed in the month of `as_of`, this year's so far included."""
    month = month_and_day(as_of)[0]
    same = 0
    for at in orders.at:
        if month_and_day(at)[0] == month:
            same += 1
    return same
