"""The margin multiple, a closed form of the lifetime value: the worth of one unit of margin per period."""

import numpy as np
from numpy.typing import ArrayLike

from features.arrays import Floats
from features.clock import YEAR_DAYS


def margin_multiple(retention: ArrayLike, *, discount: float, periods: float) -> Floats:
    """The worth of one unit of margin in each period in which a customer is still there, the first for sure.

    retention: the share who stay from one period to the next, 0 to 1. discount: the factor of one period, in (0, 1].
    periods: how many are looked at, 1.5 being one and half of another. The margin comes in the middle of each:

        Σ_{k < n} r^k d^(k + ½) + f r^n d^(n + f/2)  =  d^½ (1 − (r d)^n) / (1 − r d) + …    of n + f periods

    With d = 1 it is the expected number of periods with the customer: 1 / (1 − r) where no end is set. Times r / d^½,
    without an end, it is the margin multiple r / (1 + i − r) of Gupta & Lehmann (2005), Managing Customers as
    Investments, chapter 2, whose customer pays at the end of each year that they stay. Wrong where customers come back
    after a period without an order, or where those who stayed for long are more likely to stay.

    >>> margin_multiple([0, 0.5, 1], discount=1, periods=4).tolist()
    [1.0, 1.875, 4.0]
    """
    r, whole = np.asarray(retention, float), np.floor(periods)
    part, ratio = periods - whole, np.asarray(retention, float) * discount
    gap = 1 - ratio
    steps = np.where(gap > 0, (1 - ratio**whole) / np.where(gap > 0, gap, 1), whole)
    return np.asarray(discount**0.5 * steps + part * r**whole * discount ** (whole + part / 2))


def period_discount(annual_discount_rate: float, days: float) -> float:
    """The discount factor of a period of so many days.

    >>> round(period_discount(0.1, 730), 4)
    0.8264
    """
    return float((1 + annual_discount_rate) ** (-days / YEAR_DAYS))
