"""Trees for a share between 0 and 1, told apart from the season of the cut-offs they learn from.

Seasons move all customers of a cut-off at once. Left in, trees take whatever tells cut-offs apart, such as tenure, for
the cause. So each cut-off's shift of the log-odds is measured first, against what is known beforehand (`offset`), and
the trees learn the rest. A day has the mean of last year's shift of the same day and of the mean shift; with less than
a year of cut-offs, the mean shift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from features.arrays import Floats
from features.clock import YEAR_DAYS
from models.ensemble.recipe import Recipe
from models.ensemble.seasonal_calibration import FARTHEST, UNKNOWN, drawn_to_mean
from models.ensemble.stacking import CERTAIN
from models.trees import boosting


@dataclass(frozen=True)
class Share:
    """Fitted trees, and the shifts of the cut-offs they were fitted on."""

    booster: boosting.Booster
    days: list[int]
    """Cut-offs, ascending, in days since 1970."""
    shifts: list[float]
    """Of the log-odds."""
    mean: float

    def of(self, data: boosting.Matrix, offset: Floats, days: Floats) -> Floats:
        """Of each row; days: its day since 1970. Strictly between 0 and 1."""
        before = days - YEAR_DAYS
        known = (before >= self.days[0]) & (before <= self.days[-1])
        last_year = np.interp(before, self.days, self.shifts)
        data.set_base_margin(offset + np.where(known, (last_year + self.mean) / 2, self.mean))
        return np.clip(self.booster.predict(data).astype(np.float64), CERTAIN, 1 - CERTAIN)


def fit(
    rows: pd.DataFrame,
    inputs: boosting.Inputs,
    *,
    share: Floats,
    weight: Floats,
    offset: Floats,
    recipe: Recipe,
    monotone: Mapping[str, int] = boosting.FREE,
) -> Share:
    """Fractional logistic trees of `share` (0 … 1), each row counted by its `weight`.

    offset: the log-odds known beforehand. The shifts are drawn to their mean by how surely they are measured, as
    models/ensemble/seasonal_calibration.py draws its own.
    """
    numbers = days(rows)
    cut_offs, place = np.unique(numbers, return_inverse=True)
    found = [_measured(*(of[place == one] for of in (share, weight, offset))) for one in range(len(cut_offs))]
    shifts, variances = np.array(found).T
    shifts, mean = drawn_to_mean(shifts, variances)
    data = boosting.matrix(rows, inputs, share.astype(np.float32), offset=offset + shifts[place])
    data.set_weight(weight / weight.mean())
    how: dict[str, Any] = {"params": recipe.churn, "seed": recipe.seed, "device": recipe.device}
    booster = boosting.grow(data, objective="binary:logistic", monotone=monotone, **how)
    return Share(booster, cut_offs.astype(int).tolist(), shifts.tolist(), float(mean))


def days(rows: pd.DataFrame) -> Floats:
    """The day of each row since 1970."""
    return rows["as_of"].to_numpy().astype("datetime64[D]").astype(np.float64)


def _measured(share: Floats, weight: Floats, offset: Floats) -> tuple[float, float]:
    """The shift at which the weighted total is what came, and its variance."""

    def excess(shift: float) -> float:
        return float(weight @ (expit(offset + shift) - share))

    if not excess(-FARTHEST) < 0 < excess(FARTHEST):
        return 0.0, UNKNOWN
    shift = float(brentq(excess, -FARTHEST, FARTHEST))
    said = expit(offset + shift)
    return shift, float(np.sum((weight * (share - said)) ** 2) / (weight @ (said * (1 - said))) ** 2)
