"""One model made as of a day, from nothing known later, and its judgement on what followed.

`train`, the final model and every cut-off of `evaluate` go through here, so that what is judged is what is served.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from features.clock import microseconds
from features.errors import InputError
from features.histories import Histories
from features.labels import with_labels
from features.snapshot import snapshot
from models import STAYWORTH, metrics, scorer
from models.baselines import fit_opponents
from models.prediction import Prediction
from models.scorer import Scorer
from models.terms import Terms
from models.timeline import Timeline, timeline
from models.trees import Params

FEWEST = 5
"""Customers of each kind at every cut-off: below it a model could only repeat their names."""


@dataclass(frozen=True)
class Lesson:
    """What a model made as of a day may learn from."""

    timeline: Timeline
    rows: pd.DataFrame
    """Labelled rows of the training cut-offs."""
    latest: pd.DataFrame
    """Labelled rows of the calibration cut-off."""
    features: list[str]
    """The columns of features among them."""


def lesson(histories: Histories, terms: Terms, *, as_of: date) -> Lesson:
    """Snapshots and labels up to a day."""
    line = timeline(histories.first_day, as_of=as_of, horizon_days=terms.horizon_days)
    table = snapshot(histories, as_of=[*line.train, line.calibrate])
    rows = with_labels(histories, table, horizon_days=terms.horizon_days).to_pandas(date_as_object=False)
    is_latest = rows["as_of"] == pd.Timestamp(line.calibrate)
    _refuse_too_few(rows, as_of=as_of)
    learnt, latest = (rows[of].reset_index(drop=True) for of in (~is_latest, is_latest))
    return Lesson(line, learnt, latest, table.column_names[2:])


def censored_rows(histories: Histories, line: Timeline) -> int:
    """Customers × cut-offs left out of a lesson because their window was not closed."""
    return snapshot(histories, as_of=line.censored, features=["orders"]).num_rows if line.censored else 0


def _refuse_too_few(rows: pd.DataFrame, *, as_of: date) -> None:
    """Raise InputError where a cut-off has too few who left or too few who stayed to learn anything from."""
    for day, group in rows.groupby("as_of"):
        left = int(group["churned"].sum())
        stayed = len(group) - left
        if min(left, stayed) < FEWEST:
            raise InputError(
                f"{stayed:,} of {len(group):,} customers ordered within the horizon after {day.date()}: at least "
                f"{FEWEST} who do and {FEWEST} who do not are needed",
                where=f"a model made as of {as_of}",
                next="Choose another time.horizon_days (`stayworth check` compares them), or give more customers.",
            )


def learn(taught: Lesson, terms: Terms, *, params: dict[str, Params], seed: int) -> Scorer:
    """The model made from a lesson."""
    return scorer.fit(
        taught.rows,
        taught.latest,
        features=taught.features,
        terms=terms,
        churn_params=params["churn"],
        value_params=params["value"],
        seed=seed,
    )


def judge(
    histories: Histories, taught: Lesson, model: Scorer, terms: Terms, *, resamples: int, seed: int
) -> dict[str, Any]:
    """The evaluation (`metrics.json`) of a model and of its opponents on the window after the day it was made."""
    as_of = taught.timeline.as_of
    table = snapshot(histories, as_of=[as_of], features=taught.features)
    test = with_labels(histories, table, horizon_days=terms.horizon_days).to_pandas(date_as_object=False)
    opponents = fit_opponents(
        pd.concat([taught.rows, taught.latest], ignore_index=True),
        horizon_days=terms.horizon_days,
        margin_rate=margin_rate(histories, as_of=as_of),
    )
    scores = scorer.predict(model, test)
    predictions = {
        STAYWORTH: Prediction(
            scores["churn_probability"].to_numpy(),
            scores["expected_value"].to_numpy(),
            scores["value_p10"].to_numpy(),
            scores["value_p90"].to_numpy(),
        ),
        **{name: opponent.predict(test) for name, opponent in opponents.items()},
    }
    return {
        "as_of": as_of.isoformat(),
        "horizon_days": terms.horizon_days,
        "customers": len(test),
        "currency": terms.currency,
        **metrics.evaluate(test, predictions, resamples=resamples, seed=seed, confidence=0.95),
    }


def margin_rate(histories: Histories, *, as_of: date) -> float:
    """Margin as a share of revenue over all orders known before `as_of`, for opponents that only know revenue."""
    known = histories.columns.known_at < microseconds(as_of)
    return float(histories.columns.margin_cents[known].sum() / histories.columns.amount_cents[known].sum())
