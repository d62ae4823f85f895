"""Trees on the rows of a lattice: of orders, of leaving, of margins.

A customer has a row at every cut-off, many of them with the same fate, and trees soon know customers by heart: the
longer the log, the more, and of a log they then say too little of everybody else, for in logs a fate known by heart is
an extreme. So orders are grown as long as customers whom the trees have not seen bear them out (early stopping by
groups: Roberts et al. 2017, Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic
structure, Ecography 40(8)), and their level is what those customers brought.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Bools, Floats, Integers
from models.lifetime.window_season import Season, without_season
from models.trees import boosting

CALENDAR = ("year_ago", "month")
"""Parts of the names of features that know the calendar: they would take the season for a customer's own."""
ORDERS, MARGIN, LEAVING = "reg:tweedie", "reg:squarederror", "binary:logistic"
RATES = {
    "rounds": 110,
    "learning_rate": 0.15,
    "max_depth": 3,
    "min_child_weight": 20,
    "tweedie_variance_power": 1.5,
}
"""Not shrunk: at a slower rate with few rounds the dead would stay worth something at every step. At a power near 1, of
counts, the silent hardly weigh, and trees stop before they are worth as little as they bring."""
PARTS = 3
"""Into so many parts the customers are divided; the trees of one have seen the others."""
LEAST_RATE = 1e-6
"""Orders in a window: no state has less."""
MOST_ROWS = 60_000
"""Rows for the trees of one thing; more teach no more, and take longer."""


class LifetimeTrees:
    """Rows as matrices of the inputs, the calendar's features unknown in all of them, and trees grown on them.

    days: of each row's cut-off, since 1970.
    """

    def __init__(self, frame: pd.DataFrame, days: Floats, inputs: boosting.Inputs, *, seed: int, device: str):
        hidden = [name for name in inputs if any(part in name for part in CALENDAR)]
        self.known = boosting.values(frame, inputs)
        self.days = days
        self.known[:, [list(inputs).index(name) for name in hidden]] = np.nan
        self.inputs, self.seed, self.device = inputs, seed, device
        codes = pd.factorize(frame["customer_id"])[0]
        self.part = np.random.default_rng(seed).integers(0, PARTS, codes.max() + 1)[codes]
        self.take_out(Season())

    def take_out(self, season: Season) -> None:
        """Take a season out of what the rows say of recent orders."""
        self.values = without_season(self.known, self.inputs, season, self.days)
        self.all = boosting.matrix_of(self.values, self.inputs)

    def grow_checked(
        self,
        target: Floats,
        rows: Integers,
        *,
        params: Mapping[str, float],
        weight: Floats | None = None,
        offset: Floats | None = None,
    ) -> tuple[boosting.Booster, Floats]:
        """Trees of ln(target), beside `offset`, on these rows, as many as customers they have not seen bear out, at the
        level of those; and the raw score of every row by trees that have not seen its customer.

        params: `rounds` is the most.
        """
        rows, target, weight, offset = self._enough(rows, target, weight, offset)
        score, rounds = np.empty(len(self.values)), []
        for part in range(PARTS):
            others, inside = self.part[rows] != part, self.part == part
            seen, unseen = (others, ~others) if others.any() and not others.all() else (slice(None), None)
            booster = self._grow_rates(target, rows, seen, params=params, weight=weight, offset=offset, unseen=unseen)
            rounds.append(booster.num_boosted_rounds())
            if inside.any():
                score[inside] = raw(booster, boosting.matrix_of(self.values[inside], self.inputs))
        params = {**params, "rounds": round(float(np.mean(rounds)))}
        booster = self._grow_rates(target, rows, slice(None), params=params, weight=weight, offset=offset)
        told = np.exp(score[rows] + (0.0 if offset is None else offset))
        level = max(float(np.average(target, weights=weight)), LEAST_RATE) / float(np.average(told, weights=weight))
        return boosting.raised(booster, level), score + np.log(level)

    def grow_rates(
        self, target: Floats, rows: Integers, *, params: Mapping[str, float], weight: Floats | None = None
    ) -> boosting.Booster:
        """Trees of ln(target) on these rows, all rounds of them."""
        rows, target, weight = self._enough(rows, target, weight)
        return self._grow_rates(target, rows, slice(None), params=params, weight=weight, offset=None)

    def grow(
        self,
        objective: str,
        target: Floats,
        rows: Integers,
        *,
        params: Mapping[str, float],
        start: float,
        weight: Floats | None = None,
    ) -> boosting.Booster:
        """Trees of an objective of XGBoost on these rows, or as many of them as are enough, from `start` on."""
        rows, target, weight = self._enough(rows, target, weight)
        return self._grow(objective, self._matrix(rows, target, weight), params=params, start=start)

    def _grow_rates(
        self,
        target: Floats,
        rows: Integers,
        seen: Bools | slice,
        *,
        params: Mapping[str, float],
        weight: Floats | None,
        offset: Floats | None,
        unseen: Bools | None = None,
    ) -> boosting.Booster:
        """Trees on the rows that are seen, and no more of them than those unseen bear out."""

        def matrix(among: Bools | slice, beside: boosting.Matrix | None = None) -> boosting.Matrix:
            weight_among, offset_among = (None if column is None else column[among] for column in (weight, offset))
            return self._matrix(rows[among], target[among], weight_among, offset=offset_among, beside=beside)

        start = 1.0
        if offset is None:
            weight_seen = None if weight is None else weight[seen]
            start = max(float(np.average(target[seen], weights=weight_seen)), LEAST_RATE)
        data = matrix(seen)
        judged_by = None if unseen is None else matrix(unseen, data)
        return self._grow(ORDERS, data, params=params, start=start, unseen=judged_by)

    def _grow(
        self,
        objective: str,
        data: boosting.Matrix,
        *,
        params: Mapping[str, float],
        start: float,
        unseen: boosting.Matrix | None = None,
    ) -> boosting.Booster:
        return boosting.grow_trees(
            data,
            objective=objective,
            params={**params, "base_score": start},
            seed=self.seed,
            device=self.device,
            unseen=unseen,
        )

    def _matrix(
        self,
        rows: Integers,
        target: Floats,
        weight: Floats | None,
        offset: Floats | None = None,
        beside: boosting.Matrix | None = None,
    ) -> boosting.Matrix:
        return boosting.matrix_of(self.values[rows], self.inputs, target, offset=offset, weight=weight, beside=beside)

    def _enough(self, rows: Integers, *columns: Any) -> list[Any]:
        """As many of the rows as are enough, drawn at random, and their values of the columns."""
        if len(rows) <= MOST_ROWS:
            return [rows, *columns]
        drawn = np.sort(np.random.default_rng(self.seed).choice(len(rows), MOST_ROWS, replace=False))
        return [rows[drawn], *(None if column is None else column[drawn] for column in columns)]


def raw(booster: boosting.Booster, data: boosting.Matrix) -> Floats:
    """The raw score of each row; feature names are not checked, which takes as long as scoring a row."""
    return booster.predict(data, output_margin=True, validate_features=False).astype(np.float64)
