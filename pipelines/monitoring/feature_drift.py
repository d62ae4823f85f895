"""What has moved since a model was made: every feature it takes, and its own scores, against what usually moves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.arrays import Floats
from features.clock import YEAR_DAYS
from features.families.catalogue import named
from features.histories.columns import Histories
from features.snapshots.snapshot import chunks, columns_of
from models.evaluation import drift
from models.evaluation.drift import Drift
from models.scoring import scorer
from models.scoring.scorer import Scorer
from pipelines.monitoring.usual_drift import MIN_PAIRS
from pipelines.training.training_set import YEAR_AGO

MAX_CUSTOMERS = 20_000
"""Customers looked at, drawn where there are more: a PSI of as many is known to 0.003."""
SCORES = ("churn_probability", "expected_value")
"""What of the scores is watched."""


@dataclass(frozen=True)
class FeatureDrift:
    """One column since the model was made, and how much it moved in quiet times."""

    column: str
    is_score: bool
    drift: Drift
    quiet_all: float | None
    """The largest PSI of everybody between quiet days; None where too few pairs of days have it."""
    quiet_rest: float | None
    quiet_distance: float | None
    quiet_unseen: float | None
    """The largest share of customers with a name that nobody had on the earlier of two quiet days."""

    @property
    def content(self) -> dict[str, Any]:
        """As JSON."""
        told = asdict(self)
        of = told.pop("drift")
        figures = {name: psi._asdict() if (psi := getattr(self.drift, name)) else None for name in ("all", "rest")}
        return told | of | figures


def absent_features(histories: Histories, model: Scorer, *, as_of: date) -> list[str]:
    """The features a model takes that the log does not give any more."""
    given = set(columns_of(histories, as_of=[as_of]))
    return [name for name in model.inputs if name not in given]


def sampled_rows(
    histories: Histories, days: Sequence[date], features: Sequence[str], *, seed: int
) -> dict[date, pd.DataFrame]:
    """Feature rows of each day, of the same customers, `CUSTOMERS` of them at most, drawn at random."""
    number = histories.customers
    drawn = None
    if number > MAX_CUSTOMERS:
        some = np.sort(np.random.default_rng(seed).choice(number, MAX_CUSTOMERS, replace=False))
        drawn = histories.customer_ids.take(pa.array(some))
    kept = []
    for table in chunks(histories, as_of=sorted(set(days)), features=features):
        rows = table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))
        kept.append(rows if drawn is None else rows.filter(pc.is_in(rows["customer_id"], drawn)))
    frame = pa.concat_tables(kept).to_pandas(date_as_object=False)
    none = frame.head(0)
    by_day = {day.date(): rows.reset_index(drop=True) for day, rows in frame.groupby("as_of")}
    return {day: by_day.get(day, none) for day in days}


def feature_drifts(
    rows: dict[date, pd.DataFrame],
    model: Scorer,
    *,
    first_day: date,
    made: date,
    as_of: date,
    quiet: Sequence[tuple[date, date]],
    weights: Floats,
) -> list[FeatureDrift]:
    """Every feature and score, those that moved farthest beyond the usual first.

    rows: of all these days, with as many of the model's features as the log gives. weights: how many customers each
    row of `as_of` stands for. Without some of its features the model says no scores.
    """
    features = [name for name in model.inputs if name in rows[as_of]]
    if len(features) == len(model.inputs):
        rows = {day: of.assign(**_scores(model, of, as_of=made)) for day, of in rows.items()}
    columns = [*features, *(name for name in SCORES if name in rows[as_of])]
    found = []
    for column in columns:
        days = [pair for pair in [(made, as_of), *quiet] if _is_known(column, pair[0], first_day)]
        if days[:1] == [(made, as_of)]:
            seen = _drift(rows[made], rows[as_of], column, weights, known=model.inputs.get(column))
            usual = [_drift(rows[one], rows[other], column, None, known=None) for one, other in days[1:]]
            found.append(
                FeatureDrift(
                    column,
                    column not in features,
                    seen,
                    _largest([one.all.value for one in usual if one.all]),
                    _largest([one.rest.value for one in usual if one.rest]),
                    _largest([one.distance for one in usual if one.distance is not None]),
                    _largest([one.unseen_share for one in usual]),
                )
            )
    return sorted(found, key=lambda one: -_beyond(one))


def _scores(model: Scorer, rows: pd.DataFrame, *, as_of: date) -> dict[str, Floats]:
    """At the level of one day, whatever the rows': a season that the model foretells is no drift."""
    if rows.empty:
        return dict.fromkeys(SCORES, np.empty(0))
    said = scorer.predict(model, rows.assign(as_of=pd.Timestamp(as_of)))
    return {name: said[name].to_numpy() for name in SCORES}


def _drift(
    before: pd.DataFrame, after: pd.DataFrame, column: str, weights: Floats | None, *, known: Sequence[str] | None
) -> Drift:
    one, other = before[column], after[column]
    if pd.api.types.is_numeric_dtype(one):
        return drift.numeric_drift(one.to_numpy(float), other.to_numpy(float), weights)
    return drift.categorical_drift(one, other, weights, known=known)


def _is_known(column: str, day: date, first_day: date) -> bool:
    """Whether the log reached back as far as a feature looks: it means something else, and moves, until it does."""
    feature = named(column)
    looks_back = YEAR_DAYS if YEAR_AGO in column else (feature.days or 0) if feature else 0
    return (day - first_day).days >= looks_back


def _largest(found: Sequence[float]) -> float | None:
    return max(found) if len(found) >= MIN_PAIRS else None


def _beyond(one: FeatureDrift) -> float:
    """By how much the PSI is above the usual, for the order; last of what nobody knows the usual."""
    pairs = ((one.drift.all, one.quiet_all), (one.drift.rest, one.quiet_rest))
    return max((psi.value - quiet for psi, quiet in pairs if psi and quiet is not None), default=-np.inf)
