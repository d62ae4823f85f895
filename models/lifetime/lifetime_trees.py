"""Trees on the rows of a lattice: of orders, of leaving, of margins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers
from models.lifetime.window_season import Season, without_season
from models.trees import boosting

CALENDAR = ("year_ago", "month")
"""Parts of the names of features that know the calendar: they would take the season for a customer's own."""
ORDERS, MARGIN, LEAVING = "reg:tweedie", "reg:squarederror", "binary:logistic"
RATES = {
    "rounds": 110,
    "learning_rate": 0.15,
    "max_depth": 5,
    "min_child_weight": 20,
    "tweedie_variance_power": 1.1,
}
"""Not shrunk: at a slower rate with few rounds the dead would stay worth something at every step."""
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
        self.take_out(Season())

    def take_out(self, season: Season) -> None:
        """Take a season out of what the rows say of recent orders."""
        self.values = without_season(self.known, self.inputs, season, self.days)
        self.all = boosting.matrix_of(self.values, self.inputs)

    def grow_rates(
        self,
        target: Floats,
        rows: Integers,
        *,
        params: Mapping[str, float],
        weight: Floats | None = None,
        offset: Floats | None = None,
    ) -> boosting.Booster:
        """Trees of ln(target), beside `offset`, on these rows."""
        start = 1.0 if offset is not None else max(float(np.average(target, weights=weight)), LEAST_RATE)
        return self.grow(ORDERS, target, rows, params=params, start=start, weight=weight, offset=offset)

    def grow(
        self,
        objective: str,
        target: Floats,
        rows: Integers,
        *,
        params: Mapping[str, float],
        start: float,
        weight: Floats | None = None,
        offset: Floats | None = None,
    ) -> boosting.Booster:
        """Trees of an objective of XGBoost on these rows, or as many of them as are enough, from `start` on."""
        if len(rows) > MOST_ROWS:
            drawn = np.sort(np.random.default_rng(self.seed).choice(len(rows), MOST_ROWS, replace=False))
            rows, target = rows[drawn], target[drawn]
            weight, offset = (None if column is None else column[drawn] for column in (weight, offset))
        data = boosting.matrix_of(self.values[rows], self.inputs, target, offset=offset, weight=weight)
        settings = {**params, "base_score": start}
        return boosting.grow_trees(data, objective=objective, params=settings, seed=self.seed, device=self.device)


def raw(booster: boosting.Booster, data: boosting.Matrix) -> Floats:
    """The raw score of each row; feature names are not checked, which takes as long as scoring a row."""
    return booster.predict(data, output_margin=True, validate_features=False).astype(np.float64)
