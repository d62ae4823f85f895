"""Drift of a model's features and scores since it was made, beside the usual drift."""

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
from features.families.catalogue import feature_named
from features.histories.columns import Histories
from features.snapshots.snapshot import feature_columns, snapshot_chunks
from models.evaluation import drift
from models.evaluation.drift import Drift
from models.scoring import scorer
from models.scoring.scorer import Scorer
from pipelines.monitoring.usual_drift import MIN_PAIRS
from pipelines.training.training_set import YEAR_AGO

MAX_CUSTOMERS = 20_000
"""Customers looked at, drawn where there are more: a PSI of as many is known to 0.003."""
SCORES = ("churn_probability", "expected_value")
"""Columns of the scores that are compared too."""


@dataclass(frozen=True)
class FeatureDrift:
    """Drift of one column since the model was made, and its usual drift."""

    column: str
    is_score: bool
    drift: Drift
    usual_all: float | None
    """The largest PSI of all customers between two usual days; None where too few pairs of days have it."""
    usual_rest: float | None
    usual_distance: float | None
    usual_unseen: float | None
    """The largest share of customers with a name that nobody had on the earlier of two usual days."""

    @property
    def content(self) -> dict[str, Any]:
        """As JSON; `quiet_` is the usual drift."""
        indices = {name: psi._asdict() if (psi := getattr(self.drift, name)) else None for name in ("all", "rest")}
        return {
            "column": self.column,
            "is_score": self.is_score,
            "quiet_all": self.usual_all,
            "quiet_rest": self.usual_rest,
            "quiet_distance": self.usual_distance,
            "quiet_unseen": self.usual_unseen,
            **asdict(self.drift),
            **indices,
        }


def absent_features(histories: Histories, model: Scorer, *, as_of: date) -> list[str]:
    """The features a model takes that the log no longer gives."""
    given = set(feature_columns(histories, as_of=[as_of]))
    return [name for name in model.inputs if name not in given]


def sampled_rows(
    histories: Histories, days: Sequence[date], features: Sequence[str], *, seed: int
) -> dict[date, pd.DataFrame]:
    """Feature rows of each day, of the same customers: `MAX_CUSTOMERS` of them at most, drawn at random."""
    number = histories.customers
    drawn = None
    if number > MAX_CUSTOMERS:
        places = np.sort(np.random.default_rng(seed).choice(number, MAX_CUSTOMERS, replace=False))
        drawn = histories.customer_ids.take(pa.array(places))
    kept = []
    for table in snapshot_chunks(histories, as_of=sorted(set(days)), features=features):
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
    usual: Sequence[tuple[date, date]],
    weights: Floats,
) -> list[FeatureDrift]:
    """Drift of every feature and score, the farthest beyond the usual first.

    rows: of all these days, with as many of the model's features as the log gives. usual: pairs of days. weights: how
    many customers each row of `as_of` stands for. Without some of its features the model predicts no scores.
    """
    features = [name for name in model.inputs if name in rows[as_of]]
    if len(features) == len(model.inputs):
        rows = {day: frame.assign(**_scores(model, frame, as_of=made)) for day, frame in rows.items()}
    columns = [*features, *(name for name in SCORES if name in rows[as_of])]
    drifts = []
    for column in columns:
        days = [pair for pair in [(made, as_of), *usual] if _is_known(column, pair[0], first_day)]
        if days[:1] == [(made, as_of)]:
            now = _drift(rows[made], rows[as_of], column, weights, known=model.inputs.get(column))
            earlier = [_drift(rows[first], rows[last], column, None, known=None) for first, last in days[1:]]
            drifts.append(
                FeatureDrift(
                    column,
                    column not in features,
                    now,
                    _largest([drift.all.value for drift in earlier if drift.all]),
                    _largest([drift.rest.value for drift in earlier if drift.rest]),
                    _largest([drift.distance for drift in earlier if drift.distance is not None]),
                    _largest([drift.unseen_share for drift in earlier]),
                )
            )
    return sorted(drifts, key=lambda drift: -_psi_beyond_usual(drift))


def _scores(model: Scorer, rows: pd.DataFrame, *, as_of: date) -> dict[str, Floats]:
    """Scores with the season and trend of one day, whatever the rows' day: a predicted season is no drift."""
    if rows.empty:
        return dict.fromkeys(SCORES, np.empty(0))
    predicted = model.predict_frame(rows.assign(as_of=pd.Timestamp(as_of)))
    churn, value = scorer.churn_probability(model, predicted), predicted.log_prediction.expected_value
    return dict(zip(SCORES, (churn, value), strict=True))


def _drift(
    before: pd.DataFrame, after: pd.DataFrame, column: str, weights: Floats | None, *, known: Sequence[str] | None
) -> Drift:
    earlier, now = before[column], after[column]
    if pd.api.types.is_numeric_dtype(earlier):
        return drift.numeric_drift(earlier.to_numpy(float), now.to_numpy(float), weights)
    return drift.categorical_drift(earlier, now, weights, known=known)


def _is_known(column: str, day: date, first_day: date) -> bool:
    """Check that the log reached back as far as a feature looks; until it does, the feature drifts for that reason."""
    feature = feature_named(column)
    looks_back = YEAR_DAYS if YEAR_AGO in column else (feature.days or 0) if feature else 0
    return (day - first_day).days >= looks_back


def _largest(values: Sequence[float]) -> float | None:
    return max(values) if len(values) >= MIN_PAIRS else None


def _psi_beyond_usual(column: FeatureDrift) -> float:
    """PSI above the usual one, to sort by; −∞ where the usual one is not known."""
    pairs = ((column.drift.all, column.usual_all), (column.drift.rest, column.usual_rest))
    return max((psi.value - usual for psi, usual in pairs if psi and usual is not None), default=-np.inf)
