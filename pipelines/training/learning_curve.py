"""The learning curve: the same recipe on a half, a quarter and an eighth of the customers.

A curve that still falls says that more customers would help; intervals that contain each other's values say that the
data cannot tell. A small shop should look at it before it believes a ranking.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd

from features.errors import StayworthError
from models import STAYWORTH
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.evaluation import metrics
from models.scoring import scorer
from pipelines.training.holdout_evaluation import CONFIDENCE, as_prediction
from pipelines.training.training_set import TrainingSet, fit_model
from pipelines.training.tuning import random_ranks

SHARES = (0.125, 0.25, 0.5)
MIN_CUSTOMERS, MAX_CUSTOMERS = 100, 50_000
"""A share of fewer customers teaches nothing; with more customers the curve is flat and takes long to compute."""
SHOWN = ("log_loss", "roc_auc", "value_deviance", "normalized_gini")
RESAMPLES = 100


def learning_curve(
    test: pd.DataFrame,
    training: TrainingSet,
    terms: Terms,
    recipe: Recipe,
    *,
    evaluation: dict[str, Any],
    seed: int,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Numbers of training customers and the metrics `SHOWN` with intervals, fewest customers first, all of them last.

    test: the labelled rows of the test day; every model is judged on all of them. evaluation: that of the model of all
    customers. Empty if there are more than `MAX_CUSTOMERS`; a share that no model can be fitted on is left out.
    """
    customers = training.current_rows["customer_id"].nunique()
    if customers > MAX_CUSTOMERS:
        return []
    ranks = random_ranks(training.current_rows["customer_id"], seed)
    of_horizon = training.of_horizon_only()
    curve = []
    for share in SHARES:
        current_rows = training.current_rows[ranks < share].reset_index(drop=True)
        rows = training.rows[training.rows["customer_id"].isin(current_rows["customer_id"])].reset_index(drop=True)
        if len(current_rows) < MIN_CUSTOMERS:
            continue
        say(f"learning curve: {len(current_rows):,} of {customers:,} customers")
        try:
            model = fit_model(replace(of_horizon, rows=rows, current_rows=current_rows), terms, recipe)
        except StayworthError:
            continue
        predictions = {STAYWORTH: as_prediction(scorer.predict(model, test))}
        judged = metrics.evaluate(test, predictions, resamples=RESAMPLES, seed=seed, confidence=CONFIDENCE)
        curve.append({"customers": len(current_rows), **{name: judged["models"][STAYWORTH][name] for name in SHOWN}})
    return [*curve, {"customers": customers, **{name: evaluation["models"][STAYWORTH][name] for name in SHOWN}}]


def in_words(curve: list[dict[str, Any]]) -> str:
    """Say how much the last doubling of customers helped, and how precise the metrics of all of them are."""
    if len(curve) < 2:
        return "too many customers for a learning curve to tell anything" if not curve else "too few customers to halve"
    half, whole = curve[-2], curve[-1]
    gained = half["log_loss"]["value"] - whole["log_loss"]["value"]
    width = whole["log_loss"]["high"] - whole["log_loss"]["low"]
    effect = f"from {half['customers']:,} to {whole['customers']:,} customers log loss fell by {gained:.4f}"
    if gained <= 0:
        effect = f"{half['customers']:,} customers taught it as much as {whole['customers']:,}"
    return f"{effect}; log loss is known to within {width:.4f}, so smaller differences between models mean nothing"
