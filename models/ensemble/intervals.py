"""The 10 % and 90 % points of each customer's realised value, measured rather than assumed.

A customer's value is 0 with the probability of no order, else the value given an order times a ratio whose distribution
was observed on customers of about the same probability of ordering whom the model was not fitted on. `value_p10` and
`value_p90` are the points of this mixture below which 10 % and 90 % lie. So, refunds aside, `value_p10` is 0 where no
order has a probability of 10 % or more, and `value_p90` is 0 only where it has 90 % or more.

The n ratios of a group divide the line into n + 1 parts in which the next customer's is equally likely to fall, if
those customers and the next are alike; a share p of the distribution lies below the p (n + 1)-th. This is a conformal
predictive distribution (Vovk, Shen, Manokhin & Xie 2019, Machine Learning 108): right for any law and any n, up to the
extremes, beyond which nothing was seen. Each point is right within a group by itself; nothing is added to one group
because another has too much. The mixture is right as far as the probability of an order is: calibration by risk is the
task of the blend, and the level of a day that of the seasonal calibration.

An interval from 0 up contains the whole heap of probability at 0, so it covers more than 80 %: 90 % where only
`value_p10` is 0. models/evaluation/interval_places.py judges intervals with a heap divided.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from features.arrays import Floats
from models.ensemble.stacking import LogPrediction, Outcome

LOW, HIGH = 0.1, 0.9
MIN_BUYERS_PER_GROUP = 50
GROUPS = 5
GRID = np.linspace(0, 1, 101)
LEVELS = np.linspace(0.005, 0.995, 100)
"""Quantiles of an uncertain level: the middles of a hundred parts of equal probability."""


@dataclass(frozen=True)
class Intervals:
    """The distribution of realised over expected value given an order, by groups of the probability of ordering."""

    edges: list[float]
    """Probabilities of an order where the next group begins, ascending, (groups - 1,)."""
    ratios: list[list[float]]
    """Per group the quantiles 0, 1 … 100 % of realised value / expected value given an order."""
    mass: float | None = None
    """None. Only bundles made before the points were quantiles have one; they score as they did."""

    def interval(self, prediction: LogPrediction) -> tuple[Floats, Floats]:
        """value_p10 and value_p90 of each customer, currency units."""
        if self.mass is not None:
            return self._with_mass(prediction, self.mass)
        return self.quantile(prediction, LOW), self.quantile(prediction, HIGH)

    def widened(self, spread: float) -> Intervals:
        """The distribution where the common level of all customers is uncertain too.

        spread: the standard deviation of that level on the log scale. Every ratio is multiplied by a lognormal factor
        with this spread and a median of 1; losses and gains keep their sign, and thereby their share.
        """
        factors = np.exp(spread * ndtri(LEVELS))
        ratios = [np.quantile(np.outer(group, factors), GRID).tolist() for group in map(np.asarray, self.ratios)]
        return Intervals(self.edges, ratios, self.mass)

    def quantile(self, prediction: LogPrediction, share: float) -> Floats:
        """The value below which `share` of each customer's distribution lies, currency units; share: 0 … 1.

        From the lowest value on it consists of losses, where refunds exceed the orders; of no order; and of gains.
        """
        no_order, group = prediction.no_order, self._group(prediction)
        losses = (1 - no_order) * np.array([np.interp(0.0, ratios, GRID, left=0.0) for ratios in self.ratios])[group]
        is_loss, is_gain = share < losses, share > losses + no_order
        below = np.where(is_loss, share, share - no_order)
        ratio = self._ratio(group, np.clip(below / np.maximum(1 - no_order, 1e-12), 0, 1))
        return np.where(is_loss | is_gain, ratio * np.exp(prediction.log_value), 0.0)

    def _group(self, prediction: LogPrediction) -> np.ndarray:
        return np.searchsorted(self.edges, 1 - prediction.no_order, side="right")

    def _ratio(self, group: np.ndarray, given_order: Floats) -> Floats:
        """The ratio below which the share `given_order` of a group's buyers lies."""
        ratio = np.empty(len(group))
        for number in np.flatnonzero(np.bincount(group)):
            ratio[group == number] = np.interp(given_order[group == number], GRID, self.ratios[number])
        return ratio

    def _with_mass(self, prediction: LogPrediction, mass: float) -> tuple[Floats, Floats]:
        """The ends as bundles with a mass mean them: this share lies between, from 0 up where no order is likely."""
        tail, no_order, group = (1 - mass) / 2, prediction.no_order, self._group(prediction)
        takes_tail = no_order >= tail

        def end(share: Floats) -> Floats:
            given_order = np.clip((share - no_order) / np.maximum(1 - no_order, 1e-12), 0, 1)
            return np.where(share > no_order, self._ratio(group, given_order) * np.exp(prediction.log_value), 0.0)

        low = np.where(takes_tail, 0.0, end(np.where(takes_tail, 0.0, tail)))
        return low, np.maximum(low, end(np.where(takes_tail, mass, 1 - tail)))


def fit(prediction: LogPrediction, outcome: Outcome) -> Intervals:
    """Learn from customers the model was not fitted on, whose prediction has their observed totals.

    At least one customer must have ordered.
    """
    ordered, value = outcome
    probability = 1 - prediction.no_order
    groups = int(np.clip(ordered.sum() // MIN_BUYERS_PER_GROUP, 1, GROUPS))
    edges = np.unique(np.quantile(probability[ordered], np.linspace(0, 1, groups + 1)[1:-1]))
    ratio = value[ordered] * np.exp(-prediction.log_value[ordered])
    group = np.searchsorted(edges, probability[ordered], side="right")
    filled = [number for number in range(len(edges) + 1) if (group == number).any()]
    edges = edges[[number - 1 for number in filled[1:]]]
    quantiles = [np.quantile(ratio[group == number], GRID, method="weibull").tolist() for number in filled]
    return Intervals(edges.tolist(), quantiles)
