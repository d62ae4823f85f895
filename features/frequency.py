"""How often: counts of orders, ever and in windows `[as_of - days, as_of)`."""

import numpy as np

from features.clock import DAY
from features.feature import feature

WINDOWS = (30, 90, 180, 365)
"""Lengths of the windows, in days."""


@feature(unit="orders", says="{} orders so far")
def orders(orders, as_of):
    return len(orders.at)


@feature(unit="orders", says="{} orders after the first")
def repeat_orders(orders, as_of):
    return len(orders.at) - 1


@feature(unit="orders", says="{} orders in the last {days} days", windows=WINDOWS)
def orders_last(orders, as_of, days):
    return len(orders.at) - np.searchsorted(orders.at, as_of - days * DAY)
