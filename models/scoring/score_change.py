"""The change of a score, divided: the difference between two scores of a customer as four parts that sum to it.

Steps lead from the first score to the last one; each changes one thing, and its difference is a part:

    corrected data   the old model, the old day, the time before that day as it is known by now
    passing time     the old model, the new day, still nothing that happened since the old one
    new orders       the old model, the new day, everything
    new model        the new model, the new day, everything

Each part is a score minus the one before, so that they sum to the change whatever the models are. Another order of the
steps would divide it otherwise where causes work together, and the mean over all orders is Shapley's value (Shorrocks
2013, Decomposition procedures for distributional analysis, Journal of Economic Inequality 11, 99-126). This order is
fixed because half of it has no alternative: no order is known before its day has come, so time passes first. The rest
is the order in which people ask: was it right then, what has happened since, does the model judge it differently?

The two scores are taken as recorded, which is rounded; a number that comes out the same again is taken with all its
digits. Where the first or the last score cannot be reproduced, the data behind it have changed without a trace: the
difference counts as corrected data.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from features.arrays import Bools, Floats
from models.scoring import explain
from models.scoring.scorer import Scorer, predict

MEASURES = ("churn_probability", "expected_value", "clv")
PARTS = ("corrected_data", "passing_time", "new_orders", "new_model")
EQUAL = 1e-9
"""Scores that differ by no more, relative to the larger of them and 1, are the same."""
DAY = "day"
"""The part of a probability that no feature moves: the season and the trend of the day
(models/ensemble/seasonal_calibration.py).
"""


class ScoreSteps(NamedTuple):
    """The customer's feature rows at the steps, a frame of one row each."""

    then: pd.DataFrame | None
    """The old day, as known on it, as far as the log can tell; None where it does not have the customer."""
    corrected: pd.DataFrame
    """The old day, with all that has become known since about the time before it."""
    aged: pd.DataFrame
    """The new day, with the same."""
    now: pd.DataFrame
    """The new day, with all that was known on it."""


@dataclass(frozen=True)
class Change:
    """The change of a score and its parts."""

    parts: pd.DataFrame
    """`PARTS` × `MEASURES`: the columns sum to the last score minus the first."""
    first: Floats
    """`MEASURES` as recorded, with all digits where they are the same again."""
    last: Floats
    first_again: Floats | None
    """`MEASURES` that the old model gives today for what was known on the old day; None where that is gone."""
    last_again: Floats
    """The same for the new model and the new day."""
    by_feature: dict[str, dict[str, float]]
    """Part → feature, or `day` → its contribution to the churn probability; they sum to the step of the old model."""


def split_change(old: Scorer, new: Scorer, steps: ScoreSteps, *, first: Floats, last: Floats) -> Change:
    """Divide the change from `first` to `last`, each of shape (MEASURES,), as recorded at the time."""
    rows = pd.concat([step for step in steps if step is not None], ignore_index=True)
    *then, corrected, aged, now = score_measures(old, rows)
    first_again, last_again = then[0] if then else None, score_measures(new, steps.now)[-1]
    first, last = _all_digits(first, first_again), _all_digits(last, last_again)
    parts = np.array([corrected - first, aged - corrected, now - aged, last_again - now])
    parts[0] += last - last_again
    return Change(
        parts=pd.DataFrame(parts, index=list(PARTS), columns=list(MEASURES)),
        first=first,
        last=last,
        first_again=first_again,
        last_again=last_again,
        by_feature=_by_feature(old, rows, parts=PARTS[:3] if steps.then is not None else PARTS[1:3]),
    )


def score_measures(scorer: Scorer, rows: pd.DataFrame) -> Floats:
    """Predict the `MEASURES` of rows, (rows, MEASURES)."""
    return predict(scorer, rows)[list(MEASURES)].to_numpy(np.float64)


def are_equal(first: Floats, second: Floats) -> bool:
    """True if two scores are the same up to rounding.

    >>> are_equal(np.array([0.25, 1e6]), np.array([0.25, 1e6 + 1e-4]))
    True
    """
    return bool(_equal(first, second).all())


def _equal(first: Floats, second: Floats) -> Bools:
    scale = np.maximum(1, np.maximum(np.abs(first), np.abs(second)))
    return np.abs(first - second) <= EQUAL * scale


def _all_digits(recorded: Floats, again: Floats | None) -> Floats:
    return recorded if again is None else np.where(_equal(recorded, again), again, recorded)


def _by_feature(scorer: Scorer, rows: pd.DataFrame, *, parts: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Changes from row to row of each feature's contribution to the probability, and of the day's; without zeros."""
    contributions = explain.no_order(scorer, scorer.predict_frame(rows))
    changes = np.diff(np.column_stack([contributions.added, contributions.base]), axis=0)
    names = [*contributions.names, DAY]
    return {
        part: {name: float(change) for name, change in zip(names, by_name, strict=True) if abs(change) > EQUAL}
        for part, by_name in zip(parts, changes, strict=True)
    }
