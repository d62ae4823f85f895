"""The published tasks on orders: Online Retail II at 90 and 180 days, CDNOW's 39 weeks after 39 weeks.

Each returns an evaluation as in `metrics.json`: of our model, made as `train` makes it (training set, parameters tuned
on inner folds, evaluation), and of all baselines, on the same customers.

Online Retail II is cleaned as the product cleans it: 5,267 and 4,962 customers, not the 5,281 and 4,976 of ANCHORS.
Before October 1997 no window of 39 weeks had closed. So for CDNOW *forward* our model is that of `train` on a short
log: it learns on windows of a quarter of the history and is extended (models/horizons/longer_horizon.py); fitted rules
extrapolate what they predict for the quarter. For CDNOW *split* all models learn what the customers outside the
sample did after the same day.
"""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy_shops import CDNOW, ONLINE_RETAIL, cdnow_sample
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models import STAYWORTH
from models.ensemble.baselines import fit_baselines
from models.ensemble.recipe import Recipe
from models.evaluation import metrics
from models.prediction import Prediction
from models.scoring import scorer
from models.scoring.scorer import Scorer
from models.training.temporal_splits import Timeline, judged_window
from pipelines.config import Config
from pipelines.training.holdout_evaluation import evaluate_model, labelled_rows, predict_baselines
from pipelines.training.training_set import SEASON, TrainingSet, fit_model, training_set
from pipelines.training.tuning import Folds, tune
from retention.customer_base.segments import gain_cut

SCORE_COLUMNS = ("churn_probability", "expected_value", "value_p10", "value_p90")
RESAMPLES = 500
CDNOW_DAY, CDNOW_HORIZON = date(1997, 10, 1), 273
"""The first day after 39 weeks, and 39 weeks in days."""


def online_retail(*, as_of: date, horizon_days: int) -> dict[str, Any]:
    """Train as of a day, as `train` does to judge a horizon of the whole log, and evaluate on the horizon after it."""
    config, histories = ONLINE_RETAIL.config(horizon_days=horizon_days), ONLINE_RETAIL.histories()
    window = judged_window(histories.first_day, histories.end, horizon_days=horizon_days)
    training = training_set(histories, config.terms, as_of=as_of, learned_days=window.learned_days)
    model = fit_model(training, config.terms, tuned_recipe(training, config, training.timeline.folds))
    test = labelled_rows(histories, config.terms, as_of=as_of)
    return evaluate_model(
        test,
        training,
        model,
        config.terms,
        offer=None,
        gain_cut=gain_cut(config.offers),
        resamples=RESAMPLES,
        seed=config.train.seed,
    )


def cdnow_forward() -> dict[str, Any]:
    """Train with nothing known after the day: as `train` does where the log is as long as the horizon."""
    config, histories = CDNOW.config(horizon_days=CDNOW_HORIZON), CDNOW.histories()
    training = training_set(histories, config.terms, as_of=CDNOW_DAY)
    model = fit_model(training, config.terms, tuned_recipe(training, config, training.timeline.folds))
    everyone = labelled_rows(histories, config.terms, as_of=CDNOW_DAY)
    test = everyone[everyone["customer_id"].isin(cdnow_sample())].reset_index(drop=True)
    return evaluate_on_sample(model, test, predict_baselines(training, test, config.terms), seed=config.train.seed)


def cdnow_split() -> dict[str, Any]:
    """Train on what the customers outside the sample did after the same day.

    The validation fit needs customers whose windows had closed before those of the others. So half of the customers,
    drawn at random, are dated a horizon back; no feature that the model uses reveals the date.
    """
    config, histories = CDNOW.config(horizon_days=CDNOW_HORIZON), CDNOW.histories()
    table = snapshot(histories, as_of=[CDNOW_DAY])
    features = [name for name in table.column_names[2:] if not name.startswith(SEASON)]
    everyone = with_labels(histories, table, horizon_days=CDNOW_HORIZON).to_pandas(date_as_object=False)
    in_sample = everyone["customer_id"].isin(cdnow_sample())
    test, rows = everyone[in_sample].reset_index(drop=True), everyone[~in_sample].reset_index(drop=True)
    early, latest = CDNOW_DAY - timedelta(days=CDNOW_HORIZON), CDNOW_DAY
    is_early = np.random.default_rng(config.train.seed).random(len(rows)) < 0.5
    training = TrainingSet(
        timeline=Timeline(as_of=CDNOW_DAY, calibrate=latest, train=[early], between=[], censored=[]),
        rows=rows.assign(as_of=np.where(is_early, pd.Timestamp(early), pd.Timestamp(latest))),
        current_rows=rows[["customer_id", "as_of", *features]],
        features=features,
        is_contractual=False,
        margin_rate=config.money.gross_margin,
    )
    model = fit_model(training, config.terms, tuned_recipe(training, config, [([early], latest), ([latest], early)]))
    baselines = fit_baselines(
        training.rows, training.current_rows, horizon_days=CDNOW_HORIZON, margin_rate=training.margin_rate
    )
    predictions = {name: baseline.predict(test) for name, baseline in baselines.items()}
    return evaluate_on_sample(model, test, predictions, seed=config.train.seed)


def tuned_recipe(training: TrainingSet, config: Config, folds: Folds) -> Recipe:
    """The recipe that `train` would find."""
    train = config.train
    settings = {"trials": train.trials, "seed": train.seed, "monotone": train.monotone, "device": train.device}
    return tune(training.rows, training.features, folds, say=lambda _: None, **settings).recipe(train)


def evaluate_on_sample(
    model: Scorer, test: pd.DataFrame, baselines: dict[str, Prediction], *, seed: int
) -> dict[str, Any]:
    """Evaluate all models on the customers of CDNOW's sample."""
    scores = scorer.predict(model, test)
    ours = Prediction(*(scores[name].to_numpy() for name in SCORE_COLUMNS))
    return {
        "as_of": CDNOW_DAY.isoformat(),
        "horizon_days": CDNOW_HORIZON,
        "customers": len(test),
        **metrics.evaluate(test, {STAYWORTH: ours, **baselines}, resamples=RESAMPLES, seed=seed, confidence=0.95),
    }
