"""Recency: the time since the first and the last event."""

import numpy as np

from features.clock import DAY
from features.kernel.feature import feature


@feature(unit="days", says="{} days since the last order")
def recency_days(orders, as_of):
    return (as_of - orders.at[-1]) / DAY


@feature(unit="days", says="{} days since the first order")
def tenure_days(orders, as_of):
    return (as_of - orders.at[0]) / DAY


@feature(unit="days", says="{} days since the last refund", absent="no refund so far")
def last_refund_days(refunds, as_of):
    if len(refunds.at) == 0:
        return np.nan
    return (as_of - refunds.at[-1]) / DAY
