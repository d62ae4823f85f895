"""Why a score changed: the difference between two scores of a customer as four parts that sum to it.

A walk leads from the first score to the last one; every step changes one thing, and what it moves is a part:

    corrected data   the old model, the old day, what is known by now of the time before that day
    passing time     the old model, the new day, still nothing that happened since the old one
    new orders       the old model, the new day, everything
    new model        the new model, the new day, everything

Each part is a score minus the one before, so that they sum to the change whatever the models are. Another order of the
steps would divide it otherwise where causes work together, and the mean over all orders is Shapley's value (Shorrocks
2013, Decomposition procedures for distributional analysis, Journal of Economic Inequality 11, 99-126). This order is
fixed because one half of it has no other: nobody has seen an order before its day has come, so time passes first. The
rest is the order in which people ask: was it right then, what has happened since, do we see it with other eyes?

The two scores are taken as they were given. Where the first or the last one cannot be made again, the data behind it
have changed without a trace: the difference counts as corrected data.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from features.arrays import Floats
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


class Stations(NamedTuple):
    """The customer's feature rows along the walk, a frame of one row each."""

    then: pd.DataFrame | None
    """What was known on the old day, as far as the log can tell; None where it tells of nobody."""
    corrected: pd.DataFrame
    """The old day, and all that became known since of the time before it."""
    aged: pd.DataFrame
    """The new day, and the same."""
    now: pd.DataFrame
    """The new day, and all that was known on it."""


@dataclass(frozen=True)
class Change:
    """A change and its parts."""

    parts: pd.DataFrame
    """`PARTS` × `MEASURES`: the columns sum to the last score minus the first."""
    first_again: Floats | None
    """`MEASURES` as the old model says them today of what was known on the old day; None where that is gone."""
    last_again: Floats
    """The same of the new model and the new day."""
    moved: dict[str, dict[str, float]]
    """Part → feature, or `day` → what it adds to the churn probability; their sum is the step of the old model."""


def split(old: Scorer, new: Scorer, seen: Stations, *, first: Floats, last: Floats) -> Change:
    """Divide the change from `first` to `last`, each of shape (MEASURES,), as they were given at the time."""
    rows = pd.concat([one for one in seen if one is not None], ignore_index=True)
    walked = numbers(old, rows)[-3:]
    last_again = numbers(new, seen.now)[-1]
    corrected, aged, now = walked
    parts = np.array([corrected - first, aged - corrected, now - aged, last_again - now])
    parts[0] += last - last_again
    return Change(
        parts=pd.DataFrame(parts, index=list(PARTS), columns=list(MEASURES)),
        first_again=None if seen.then is None else numbers(old, rows)[0],
        last_again=last_again,
        moved=_moved(old, rows, steps=PARTS[:3] if seen.then is not None else PARTS[1:3]),
    )


def numbers(scorer: Scorer, rows: pd.DataFrame) -> Floats:
    """`MEASURES` of rows, (rows, MEASURES)."""
    return predict(scorer, rows)[list(MEASURES)].to_numpy(np.float64)


def are_equal(one: Floats, other: Floats) -> bool:
    """Whether two scores are the same but for rounding.

    >>> are_equal(np.array([0.25, 1e6]), np.array([0.25, 1e6 + 1e-4]))
    True
    """
    return bool((np.abs(one - other) <= EQUAL * np.maximum(1, np.maximum(np.abs(one), np.abs(other)))).all())


def _moved(scorer: Scorer, rows: pd.DataFrame, *, steps: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """What each feature adds to the probability from one row to the next, and the day; nothing that adds nothing."""
    said = explain.no_order(scorer, scorer.look_at(rows))
    added = np.diff(np.column_stack([said.added, said.base]), axis=0)
    names = [*said.names, DAY]
    return {
        step: {name: float(one) for name, one in zip(names, of, strict=True) if abs(one) > EQUAL}
        for step, of in zip(steps, added, strict=True)
    }
