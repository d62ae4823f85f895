"""Where realised values lie: below, inside or above the 80 % intervals of the customers.

Whoever orders nothing brings 0, so a heap of probability lies at 0: P(no order). Where the 10 % point is 0, the heap
holds the lowest tenth of the distribution and more; where the 90 % point is 0 as well, it holds a part of the highest
tenth too. A customer who brings nothing then counts in parts, below, inside and above, as the heap is divided. So if
the predictions are right, 80 % lie inside and a tenth on either side, however few of the customers order; counted
whole, 90 % would lie inside wherever the 10 % point alone is 0. This is the randomised probability integral transform,
averaged over its random number (Czado, Gneiting & Held 2009, Biometrics 65). It takes the heap for as large as
predicted, and neglects refunds above the orders, which put some probability below 0.
"""

from typing import NamedTuple

import numpy as np

from features.arrays import Floats

TAIL = 0.1
"""The probability below the 10 % point, and above the 90 % point."""


class IntervalPlaces(NamedTuple):
    """The part of each customer in each place; 0 … 1, together 1; shape (customers,) each."""

    below: Floats
    inside: Floats
    above: Floats


def interval_places(value: Floats, low: Floats, high: Floats, no_order: Floats) -> IntervalPlaces:
    """Divide customers among the three places; value, low and high in currency units, no_order: a probability.

    >>> low, high, no_order = np.array([[0.0, 0.0, 4.0], [5.0, 0.0, 9.0], [0.5, 0.95, 0.01]])
    >>> interval_places(np.array([0.0, 0.0, 3.0]), low, high, no_order).inside.round(3)
    array([0.8  , 0.842, 0.   ])
    """
    heap = np.divide(TAIL, no_order, out=np.ones(len(value)), where=no_order > TAIL)
    rest = np.clip(1 - np.divide(1 - TAIL, no_order, out=np.ones(len(value)), where=no_order > 0), 0, 1)
    below = np.where((value == 0) & (low == 0), heap, (value < low).astype(float))
    above = np.where((value == 0) & (high == 0), rest, (value > high).astype(float))
    return IntervalPlaces(below, 1 - below - above, above)
