"""The 10 % and 90 % points of what each customer brings over the lifetime: a mixture as over the horizon.

Nothing with the probability of no order, otherwise the lifetime value given an order times a ratio whose distribution
is known by groups of the probability of ordering (models/ensemble/intervals.py). Where both come from:

    learned      from a lattice: customers like them, year after year (models/lifetime/fit_lifetime_spread.py)
    extended     where no year has closed, and in bundles before format 6: the horizon's ratios at the probability of an
                 order over the lifetime. Its log-odds lie half-way between the purchase model's, which know no season,
                 and those of the horizon, moved by as much as the purchase model moves them between the two spans

Extended ones are too narrow where customers leave: whether they leave late or early, the horizon does not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logit

from features.arrays import Floats
from models.btyd.purchase_model import PurchaseModel
from models.ensemble.baselines import purchase_history
from models.ensemble.intervals import Intervals
from models.ensemble.stacking import PROBABILITY_CLIP, LogPrediction

LEAST_ORDERS = 1e-3
"""Orders of a year added before the logarithm: of two who hardly order, neither is set apart."""
LEAST_VALUE = 1e-9


class LifetimePrediction(NamedTuple):
    """The lifetime value of each customer and its distribution, shape (rows,) each."""

    value: Floats
    """`clv`: discounted expected margin, currency units."""
    low: Floats
    """`clv_p10`, currency units."""
    high: Floats
    """`clv_p90`."""
    nothing: Floats
    """The probability that they never order again within the lifetime."""


@dataclass(frozen=True)
class LifetimeSpread:
    """The probability of never ordering again, a logistic regression, and the ratios given an order."""

    coefficients: tuple[float, ...]
    """Of `design`."""
    ranges: tuple[tuple[float, float], ...]
    """The least and the most of each column of `states` that it was learned on; beyond, it stays as it is there."""
    intervals: Intervals

    def nothing_log_odds(self, year_orders: Floats, orders: Floats) -> Floats:
        """Log-odds of no order within the lifetime; year_orders: expected in a year, orders: so far, (rows,) each."""
        least, most = np.transpose(self.ranges)
        return design(np.clip(states(year_orders, orders), least, most)) @ np.array(self.coefficients)


def states(year_orders: Floats, orders: Floats) -> Floats:
    """What makes two customers alike: ln of the orders expected in a year and ln of the orders so far, (rows, 2)."""
    return np.column_stack([np.log(year_orders + LEAST_ORDERS), np.log(np.maximum(orders, 1))])


def design(state: Floats) -> Floats:
    """The columns of the regression: 1, a, a², b, a·b of a state (a, b); shape (rows, 5)."""
    expected, past = state.T
    return np.column_stack([np.ones(len(state)), expected, expected**2, past, expected * past])


def extended_log_odds(
    log_odds: Floats,
    frame: pd.DataFrame,
    purchase_model: PurchaseModel,
    *,
    horizon_days: float,
    lifetime_days: float,
) -> Floats:
    """Log-odds of no order within the lifetime from those of the horizon, (rows,)."""
    history = purchase_history(frame)
    near, far = (
        logit(np.clip(purchase_model.probability_of_order(days, *history), PROBABILITY_CLIP, 1 - PROBABILITY_CLIP))
        for days in (horizon_days, lifetime_days)
    )
    return (log_odds - np.maximum(far - near, 0) - far) / 2


def points(value: Floats, log_odds: Floats, intervals: Intervals) -> tuple[Floats, Floats]:
    """The 10 % and 90 % points of a value with these log-odds of nothing, currency units.

    A value below 0, of customers who cost more than they bring, is spread downwards.
    """
    given_order = np.log(np.maximum(np.abs(value), LEAST_VALUE)) + np.logaddexp(0, log_odds)
    low, high = intervals.interval(LogPrediction(log_odds, given_order))
    return np.where(value < 0, -high, low), np.where(value < 0, -low, high)
