"""Trees of a share between 0 and 1, grown after the season of each cut-off has been taken off.

Seasons move all customers of a cut-off at once. If they are left in, trees take whatever tells cut-offs apart, such as
tenure, for the cause. So each cut-off's shift of the log-odds is measured first, against what is known beforehand
(`offset`), and the trees learn the rest. The shift of a day is the mean of last year's shift of the same day and of the
mean shift; with less than a year of cut-offs, the mean shift.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from features.arrays import Floats
from features.clock import YEAR_DAYS
from models.ensemble.recipe import Recipe
from models.ensemble.seasonal_calibration import UNKNOWN_VARIANCE, shrink_to_mean, total_matching_shift
from models.ensemble.stacking import PROBABILITY_CLIP
from models.trees import boosting


@dataclass(frozen=True)
class ShareTrees:
    """Fitted trees, and the shifts of the cut-offs they were fitted on."""

    booster: boosting.Booster
    days: list[int]
    """Cut-offs, ascending, in days since 1970."""
    shifts: list[float]
    """Of the log-odds."""
    mean: float

    def predict(self, data: boosting.Matrix, offset: Floats, days: Floats) -> Floats:
        """The share of each row, strictly between 0 and 1; days: the rows' days since 1970."""
        year_before = days - YEAR_DAYS
        is_known = (year_before >= self.days[0]) & (year_before <= self.days[-1])
        last_year = np.interp(year_before, self.days, self.shifts)
        data.set_base_margin(offset + np.where(is_known, (last_year + self.mean) / 2, self.mean))
        share = self.booster.predict(data).astype(np.float64)
        return np.clip(share, PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)


def fit(
    rows: pd.DataFrame,
    inputs: boosting.Inputs,
    *,
    share: Floats,
    weight: Floats,
    offset: Floats,
    recipe: Recipe,
    monotone: Mapping[str, int] = boosting.FREE,
) -> ShareTrees:
    """Fit fractional logistic trees of `share` (0 … 1), each row counted by its `weight`.

    offset: the log-odds known beforehand. The shifts are shrunk to their mean, the more so the less precisely they are
    measured, as in models/ensemble/seasonal_calibration.py.
    """
    cut_offs, place = np.unique(days_since_1970(rows), return_inverse=True)
    of_cut_offs = [place == number for number in range(len(cut_offs))]
    measured = [_measured_shift(share[chosen], weight[chosen], offset[chosen]) for chosen in of_cut_offs]
    shifts, variances = np.array(measured).T
    shifts, mean = shrink_to_mean(shifts, variances)
    data = boosting.matrix(rows, inputs, share.astype(np.float32), offset=offset + shifts[place])
    data.set_weight(weight / weight.mean())
    booster = boosting.grow_trees(
        data,
        objective="binary:logistic",
        params=recipe.churn,
        seed=recipe.seed,
        monotone=monotone,
        device=recipe.device,
    )
    return ShareTrees(booster, cut_offs.astype(int).tolist(), shifts.tolist(), float(mean))


def days_since_1970(rows: pd.DataFrame) -> Floats:
    """The day `as_of` of each row as a number of days."""
    return rows["as_of"].to_numpy().astype("datetime64[D]").astype(np.float64)


def _measured_shift(share: Floats, weight: Floats, offset: Floats) -> tuple[float, float]:
    """The shift at which the weighted total equals the observed one, and its variance."""

    def excess(shift: float) -> float:
        return float(weight @ (expit(offset + shift) - share))

    shift = total_matching_shift(excess)
    if shift is None:
        return 0.0, UNKNOWN_VARIANCE
    expected = expit(offset + shift)
    variance = np.sum((weight * (share - expected)) ** 2) / (weight @ (expected * (1 - expected))) ** 2
    return shift, float(variance)
