"""How far the realised value may lie from the expected one: 80 % intervals, measured, not assumed.

A customer's value is nothing with the probability of no order, else the value given an order times a ratio whose
spread was seen on customers the model was not fitted on, of about the same probability of ordering. From this
distribution the interval takes a mass that is set so that 80 % of those customers lie within theirs: split-conformal
over a nested family of intervals (Gupta, Kuchibhotla & Ramdas 2022, Pattern Recognition 127).

Who surely orders gets the mass from the middle: `value_p10` and `value_p90` are about the 10 % and 90 % points. Where
nothing is likelier than the lower tail, nothing takes that whole tail: the lower end is 0 and the upper one the point
below which about 80 % lie; where nothing is likelier than 80 %, both ends are 0. Such an interval holds more than 80 %
and no interval that holds 0 can hold less, so a base of which far more than 80 % order nothing is covered by more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.arrays import Floats
from models.ensemble.stacking import LogPrediction, Outcome

COVERAGE = 0.8
FEWEST = 50
"""Customers who ordered in a group, at least."""
GROUPS = 5
GRID = np.linspace(0, 1, 101)
MASSES = np.linspace(0.7, 0.95, 251)
"""The mass may make up for customers covered by more than 80 %, but not at any price to the others."""


@dataclass(frozen=True)
class Intervals:
    """The spread of realised over expected value given an order, by groups of the probability of ordering."""

    edges: list[float]
    """Probabilities of an order where the next group begins, ascending, (groups - 1,)."""
    ratios: list[list[float]]
    """Per group the quantiles 0, 1 … 100 % of realised value / expected value given an order."""
    mass: float
    """The share of a customer's distribution that the interval takes."""

    def interval(self, said: LogPrediction) -> tuple[Floats, Floats]:
        """value_p10 and value_p90 of each customer, currency units."""
        return self._with_mass(said, self.mass)

    def _with_mass(self, said: LogPrediction, mass: float) -> tuple[Floats, Floats]:
        nothing = said.no_order
        tail = (1 - mass) / 2
        takes_tail = nothing >= tail
        low = self._quantile(said, np.where(takes_tail, 0.0, tail))
        high = self._quantile(said, np.where(takes_tail, mass, 1 - tail))
        low = np.where(takes_tail, 0.0, low)
        return low, np.maximum(low, high)  # with refunds a quantile just above nothing may be negative

    def _quantile(self, said: LogPrediction, share: Floats) -> Floats:
        """The value below which `share` of each customer's distribution lies; 0 up to the share of nothing."""
        nothing = said.no_order
        group = np.searchsorted(self.edges, 1 - nothing, side="right")
        given_order = np.clip((share - nothing) / np.maximum(1 - nothing, 1e-12), 0, 1)
        ratio = np.empty(len(nothing))
        for number in np.flatnonzero(np.bincount(group)):
            ratio[group == number] = np.interp(given_order[group == number], GRID, self.ratios[number])
        return np.where(share > nothing, ratio * np.exp(said.log_value), 0.0)


def fit(said: LogPrediction, outcome: Outcome, *, ordering: float | None = None) -> Intervals:
    """Learn from customers the model was not fitted on, at the level that was theirs.

    One customer at least must have ordered. ordering: the share that will order among those to come; the mass is then
    set for them, by counting those who ordered here, and the others, as often as they will come (Podkopaev & Ramdas
    2021, Distribution-free uncertainty quantification for classification under label shift, UAI).
    """
    ordered, value = outcome
    probability = 1 - said.no_order
    groups = int(np.clip(ordered.sum() // FEWEST, 1, GROUPS))
    edges = np.unique(np.quantile(probability[ordered], np.linspace(0, 1, groups + 1)[1:-1]))
    ratio = value[ordered] * np.exp(-said.log_value[ordered])
    group = np.searchsorted(edges, probability[ordered], side="right")
    held = [number for number in range(len(edges) + 1) if (group == number).any()]
    edges = edges[[number - 1 for number in held[1:]]]
    quantiles = [np.quantile(ratio[group == number], GRID).tolist() for number in held]
    spread = Intervals(edges.tolist(), quantiles, COVERAGE)
    here = ordered.mean()
    to_come = here if ordering is None else ordering
    counts = np.where(ordered, to_come / here, (1 - to_come) / max(1 - here, 1e-12))
    return Intervals(spread.edges, spread.ratios, _mass(spread, said, value, counts))


def _mass(spread: Intervals, said: LogPrediction, value: Floats, counts: Floats) -> float:
    """The least mass with which enough of the customers, each counted so often, are within their interval."""
    enough = COVERAGE * (1 + 1 / len(value))
    first, last = 0, len(MASSES) - 1
    while first < last:
        middle = (first + last) // 2
        low, high = spread._with_mass(said, float(MASSES[middle]))
        if np.average((low <= value) & (value <= high), weights=counts) >= enough:
            last = middle
        else:
            first = middle + 1
    return float(MASSES[first])
