"""The margin that kept customers bring within a window: what a readout can see of a gain, most of which comes later.

    n    what a kept customer adds in all, in margins of one order: κ G / (q m), κ the worth factor
    n^e  what of it falls within the window: with e = ½ at 90 days, the square root

G is the mean gain by comparables, q m that of the probability to be savable times the margin of one order. At least one
order falls within the window, and the more a kept customer adds in all, the smaller a part of it does. So a window with
twice the margin speaks of four times the gain.

The exponents by the window's length are least squares over six simulated worlds and three things that a kept customer
may do (a redrawn future, one order and nothing else, begin anew), by closed formulas of the truth; they are to be
remeasured where the simulator changes (tests/oracle/test_kept_margins_follow_their_power.py). They missed the margin of
the window by 10 to 13 % (standard deviation over worlds), which is `DOUBT`. Wrong under a contract, where whoever stays
pays all along and not once at least: nothing is learned there.
"""

from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from features.arrays import Floats

WINDOW_DAYS = (30, 60, 90, 180, 365)
EXPONENTS = (0.29, 0.41, 0.49, 0.67, 0.86)
"""e by the length of the window, in between linear in its logarithm."""
DOUBT = 0.12
"""Standard deviation of the log of the margin within the window around n^e: common to all campaigns of a shop."""

Positive = Annotated[float, Field(gt=0)]


class MeasuredMargin(NamedTuple):
    """The effect of one offer on the margin within a campaign's window; means per treated customer, currency units."""

    effect: float
    sd: Positive
    gain: Positive
    """By comparables: G."""
    order_margin: Positive
    """Of one order of whoever can be saved: q m."""
    window_days: Positive

    @property
    def exponent(self) -> float:
        return float(np.interp(np.log(self.window_days), np.log(WINDOW_DAYS), EXPONENTS))

    def of_all_kept(self, worth: Floats) -> Floats:
        """The margin within the window, per treated customer, if everyone who can be saved were kept.

        worth: worth factors κ.

        >>> four_orders = MeasuredMargin(effect=1.0, sd=0.5, gain=40.0, order_margin=10.0, window_days=90)
        >>> four_orders.of_all_kept(np.array([1.0])).round(1)
        array([19.7])
        """
        return np.asarray(self.order_margin * (worth * self.gain / self.order_margin) ** self.exponent)
