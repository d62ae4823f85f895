"""80 % intervals of the realised value, measured rather than assumed.

A customer's value is 0 with the probability of no order, else the value given an order times a ratio whose distribution
was observed on customers of about the same probability of ordering whom the model was not fitted on. The interval takes
a mass of this distribution, set so that 80 % of those customers lie within theirs: split-conformal prediction over a
nested family of intervals (Gupta, Kuchibhotla & Ramdas 2022, Pattern Recognition 127).

For a customer who surely orders, the mass comes from the middle: `value_p10` and `value_p90` are about the 10 % and
90 % points. Where no order is likelier than the lower tail, it fills that whole tail: the lower end is 0 and the upper
end the point below which about 80 % lie; where no order is likelier than 80 %, both ends are 0. Such an interval covers
more than 80 %, and no interval that contains 0 can cover less, so a base of which far more than 80 % do not order is
covered by more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.arrays import Floats
from models.ensemble.stacking import LogPrediction, Outcome

COVERAGE = 0.8
MIN_BUYERS_PER_GROUP = 50
GROUPS = 5
GRID = np.linspace(0, 1, 101)
MASSES = np.linspace(0.7, 0.95, 251)
"""The mass may compensate for customers covered by more than 80 %, within these bounds."""


@dataclass(frozen=True)
class Intervals:
    """The distribution of realised over expected value given an order, by groups of the probability of ordering."""

    edges: list[float]
    """Probabilities of an order where the next group begins, ascending, (groups - 1,)."""
    ratios: list[list[float]]
    """Per group the quantiles 0, 1 … 100 % of realised value / expected value given an order."""
    mass: float
    """The share of a customer's distribution inside the interval."""

    def interval(self, prediction: LogPrediction) -> tuple[Floats, Floats]:
        """value_p10 and value_p90 of each customer, currency units."""
        return self._with_mass(prediction, self.mass)

    def _with_mass(self, prediction: LogPrediction, mass: float) -> tuple[Floats, Floats]:
        no_order = prediction.no_order
        tail = (1 - mass) / 2
        takes_tail = no_order >= tail
        low = self._quantile(prediction, np.where(takes_tail, 0.0, tail))
        high = self._quantile(prediction, np.where(takes_tail, mass, 1 - tail))
        low = np.where(takes_tail, 0.0, low)
        return low, np.maximum(low, high)  # with refunds a quantile just above nothing may be negative

    def _quantile(self, prediction: LogPrediction, share: Floats) -> Floats:
        """The value below which `share` of each customer's distribution lies; 0 up to P(no order)."""
        no_order = prediction.no_order
        group = np.searchsorted(self.edges, 1 - no_order, side="right")
        given_order = np.clip((share - no_order) / np.maximum(1 - no_order, 1e-12), 0, 1)
        ratio = np.empty(len(no_order))
        for number in np.flatnonzero(np.bincount(group)):
            ratio[group == number] = np.interp(given_order[group == number], GRID, self.ratios[number])
        return np.where(share > no_order, ratio * np.exp(prediction.log_value), 0.0)


def fit(prediction: LogPrediction, outcome: Outcome, *, order_rate: float | None = None) -> Intervals:
    """Learn from customers the model was not fitted on, whose prediction has their observed totals.

    At least one customer must have ordered. order_rate: the share that will order among the customers to be scored; the
    mass is then set for them, by weighting those who ordered here, and the others, to that share (Podkopaev & Ramdas
    2021, Distribution-free uncertainty quantification for classification under label shift, UAI).
    """
    ordered, value = outcome
    probability = 1 - prediction.no_order
    groups = int(np.clip(ordered.sum() // MIN_BUYERS_PER_GROUP, 1, GROUPS))
    edges = np.unique(np.quantile(probability[ordered], np.linspace(0, 1, groups + 1)[1:-1]))
    ratio = value[ordered] * np.exp(-prediction.log_value[ordered])
    group = np.searchsorted(edges, probability[ordered], side="right")
    filled = [number for number in range(len(edges) + 1) if (group == number).any()]
    edges = edges[[number - 1 for number in filled[1:]]]
    quantiles = [np.quantile(ratio[group == number], GRID).tolist() for number in filled]
    spread = Intervals(edges.tolist(), quantiles, COVERAGE)
    observed_rate = ordered.mean()
    rate = observed_rate if order_rate is None else order_rate
    weights = np.where(ordered, rate / observed_rate, (1 - rate) / max(1 - observed_rate, 1e-12))
    return Intervals(spread.edges, spread.ratios, _mass(spread, prediction, value, weights))


def _mass(spread: Intervals, prediction: LogPrediction, value: Floats, weights: Floats) -> float:
    """The least mass with which enough of the weighted customers are within their interval."""
    enough = COVERAGE * (1 + 1 / len(value))
    first, last = 0, len(MASSES) - 1
    while first < last:
        middle = (first + last) // 2
        low, high = spread._with_mass(prediction, float(MASSES[middle]))
        if np.average((low <= value) & (value <= high), weights=weights) >= enough:
            last = middle
        else:
            first = middle + 1
    return float(MASSES[first])
