"""Evaluation of a model on the window after its day, beside the baselines and the champion."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.errors import InputError
from features.histories.columns import Histories
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models import CHAMPION, STAYWORTH
from models.ensemble.base_learners import BTYD_BASELINES
from models.ensemble.baselines import fit_baselines
from models.ensemble.business_terms import Terms
from models.evaluation import metrics
from models.evaluation.profit_metrics import CampaignTerms
from models.prediction import Prediction
from models.scoring import scorer
from models.scoring.scorer import Scorer
from models.training.temporal_splits import HISTORY_DAYS, WINDOWS, JudgedWindow
from pipelines.training.training_set import TrainingSet, training_set
from retention.customer_base.segments import CURRENT_VALUE_FEATURE, average_cuts, value_quadrants
from retention.economics.offers import BetaPrior, Offer

BACKTEST_DAYS = 3
"""Test days on which a choice rests, where the log has them."""
CONFIDENCE = 0.95
"""Of the interval of every metric."""


def backtest_days(histories: Histories, *, horizon_days: int, cut_offs: int) -> list[date]:
    """The test days of a backtest, oldest first: a third of the horizon apart, fewer where the history is too short.

    The horizon is that of the log's `judged_window`.
    """
    latest = histories.end - timedelta(days=horizon_days)
    step = timedelta(days=max(horizon_days // 3, 1))
    direct = histories.first_day + timedelta(days=(WINDOWS - 1) * horizon_days)
    earliest = direct if direct <= latest else histories.first_day + timedelta(days=horizon_days + HISTORY_DAYS)
    return [day for k in reversed(range(cut_offs)) if (day := latest - k * step) >= earliest]


def labelled_rows(histories: Histories, terms: Terms, *, as_of: date) -> pd.DataFrame:
    """The feature rows of a day, labelled with what followed."""
    table = snapshot(histories, as_of=[as_of])
    return with_labels(histories, table, horizon_days=terms.horizon_days).to_pandas(date_as_object=False)


class JudgedDay(NamedTuple):
    """A day on which a recipe is judged."""

    test: pd.DataFrame
    """Its labelled rows."""
    training: TrainingSet
    """What a model made on it learns from."""


def judged_days_before(
    histories: Histories, terms: Terms, window: JudgedWindow, *, may_count: bool
) -> Iterator[JudgedDay]:
    """The test days of a backtest before the latest, the latest first, as far back as the log can teach a model.

    window: the judged one, of the terms' horizon. may_count: as of `training_set`. Each is made when it is asked for,
    for models of the horizon alone.
    """
    learned_days = window.learned_days_before
    for day in reversed(backtest_days(histories, horizon_days=terms.horizon_days, cut_offs=BACKTEST_DAYS)[:-1]):
        try:
            training = training_set(histories, terms, as_of=day, learned_days=learned_days, may_count=may_count)
        except InputError:  # too few customers who leave, or stay, before it
            return
        yield JudgedDay(labelled_rows(histories, terms, as_of=day), training.of_horizon_only())


def evaluate_model(
    test: pd.DataFrame,
    training: TrainingSet,
    model: Scorer,
    terms: Terms,
    *,
    offer: Offer | None,
    gain_cut: float,
    resamples: int,
    seed: int,
    champion: Scorer | None = None,
) -> dict[str, Any]:
    """The evaluation (`metrics.json`) of a model, its baselines and the champion on the test rows of its day.

    With an offer, in money too. gain_cut: of the segments, as `retention.customer_base.segments.gain_cut` gives it;
    `segments`: how the model is calibrated in each value quadrant.
    """
    as_of = training.timeline.as_of
    scores = scorer.predict(model, test)
    predictions = {
        STAYWORTH: as_prediction(scores, no_order=_no_order(model, test)),
        **predict_baselines(training, test, terms),
        **(
            {CHAMPION: as_prediction(scorer.predict(champion, test), no_order=_no_order(champion, test))}
            if champion
            else {}
        ),
    }
    return {
        "as_of": as_of.isoformat(),
        "horizon_days": terms.horizon_days,
        "customers": len(test),
        "currency": terms.currency,
        "blend": {"no_order": model.blend.no_order, "value": model.blend.value},
        "level": model.calibration.rule(as_of=as_of),
        "segments": segment_calibration(test, scores, gain_cut=gain_cut),
        **metrics.evaluate(
            test,
            predictions,
            resamples=resamples,
            seed=seed,
            confidence=CONFIDENCE,
            campaign=_campaign(offer, clv=scores["clv"].to_numpy()) if offer else None,
        ),
    }


def predict_baselines(training: TrainingSet, test: pd.DataFrame, terms: Terms) -> dict[str, Prediction]:
    """The baselines of a training set, over the horizon; rules learned on shorter windows are repeated.

    Counting models know every horizon.
    """
    learned_days = training.learned_days or terms.horizon_days
    baselines = fit_baselines(
        training.rows,
        training.current_rows,
        horizon_days=terms.horizon_days,
        margin_rate=training.margin_rate,
        label_days=learned_days,
    )
    predictions = {name: baseline.predict(test) for name, baseline in baselines.items()}
    for name in predictions.keys() - BTYD_BASELINES.keys():
        predictions[name] = repeated(predictions[name], terms.horizon_days / learned_days)
    return predictions


def repeated(prediction: Prediction, times: float) -> Prediction:
    """Extrapolate a rule to a horizon so many times as long as its own: each part of it is like the first."""
    return Prediction(prediction.churn_probability**times, prediction.expected_value * times)


def as_prediction(scores: pd.DataFrame, *, no_order: Floats | None = None) -> Prediction:
    """The columns of scores that are judged; no_order: the probability of no order, where that is not churn."""
    names = ("churn_probability", "expected_value", "value_p10", "value_p90")
    return Prediction(*(scores[name].to_numpy() for name in names))._replace(no_order=no_order)


def _no_order(model: Scorer, test: pd.DataFrame) -> Floats | None:
    """The probability of no order of each test customer under a contract, where churn is its end; otherwise None."""
    return model.log_prediction(test).no_order if model.contract_end else None


def segment_calibration(test: pd.DataFrame, scores: pd.DataFrame, *, gain_cut: float) -> Mapping[str, dict[str, float]]:
    """By value quadrant: its customers, their calibration error (0 … 1), and their margin, expected and realised."""
    current, future = test[CURRENT_VALUE_FEATURE], scores["clv"]
    current_cut, future_cut = average_cuts(current, future)
    names = value_quadrants(
        current, future, scores["gain"], current_cut=current_cut, future_cut=future_cut, gain_cut=gain_cut
    )
    calibration = {}
    for name in np.unique(names):
        members = names == name
        churned = test["churned"].to_numpy(float)[members]
        calibration[str(name)] = {
            "customers": int(members.sum()),
            "ece": float(metrics.ece(churned, scores["churn_probability"].to_numpy()[members])),
            "expected_value": float(scores["expected_value"].to_numpy()[members].sum()),
            "future_value": float(test["future_value"].to_numpy()[members].sum()),
        }
    return calibration


def _campaign(offer: Offer, *, clv: np.ndarray) -> CampaignTerms:
    """The offer, of a fixed incentive, as the profit metrics take it; clv: of each test customer, currency units."""
    rate = offer.save_rate
    return CampaignTerms(
        name=offer.name,
        contact_cost=offer.contact_cost,
        incentive_cost=offer.incentive_cost or 0.0,
        save_rate=(rate.alpha, rate.beta) if isinstance(rate, BetaPrior) else offer.save_rate_mean,
        redeem_rate=offer.redeem_rate,
        clv=clv,
    )
