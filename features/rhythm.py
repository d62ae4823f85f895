"""How regularly: the gaps between orders."""

import numpy as np

from features.clock import DAY
from features.feature import feature


@feature(unit="days", says="{} days between orders on average", absent="only one order so far")
def gap_mean_days(orders, as_of):
    if len(orders.at) < 2:
        return np.nan
    return (orders.at[-1] - orders.at[0]) / (len(orders.at) - 1) / DAY


@feature(unit="days", says="{} days of spread in the gaps between orders", absent="fewer than three orders so far")
def gap_std_days(orders, as_of):
    """Sample standard deviation (n - 1): undefined below two gaps, that is three orders."""
    gaps = len(orders.at) - 1
    if gaps < 2:
        return np.nan
    mean = (orders.at[-1] - orders.at[0]) / gaps
    squares = 0.0
    for i in range(gaps):
        squares += (orders.at[i + 1] - orders.at[i] - mean) ** 2
    return np.sqrt(squares / (gaps - 1)) / DAY
