"""What so many customers can teach: the same recipe on a half, a quarter and an eighth of them.

A curve that still falls says that more customers would help; intervals that hold each other's values say that the data
cannot tell. It is what a small shop should look at before it believes a ranking.
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
"""Customers: a share of fewer teaches nothing, and beyond so many the curve is flat and dear."""
SHOWN = ("log_loss", "roc_auc", "value_deviance", "normalized_gini")
RESAMPLES = 100


def learning_curve(
    test: pd.DataFrame,
    taught: TrainingSet,
    terms: Terms,
    recipe: Recipe,
    *,
    whole: dict[str, Any],
    seed: int,
    say: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Customers taught and the metrics `SHOWN` with intervals, fewest customers first, all of them last.

    test: the labelled rows of the test day; all are judged on the same customers, those left out of a share among them.
    whole: the evaluation of the model of all customers. Empty above `MAX_CUSTOMERS`; a share that cannot be
    learnt from is left out.
    """
    customers = taught.now["customer_id"].nunique()
    if customers > MAX_CUSTOMERS:
        return []
    lot = random_ranks(taught.now["customer_id"], seed)
    curve = []
    for share in SHARES:
        now = taught.now[lot < share].reset_index(drop=True)
        rows = taught.rows[taught.rows["customer_id"].isin(now["customer_id"])].reset_index(drop=True)
        part = replace(taught, rows=rows, now=now)
        if len(part.now) < MIN_CUSTOMERS:
            continue
        say(f"learning curve: {len(part.now):,} of {customers:,} customers")
        try:
            made = fit_model(part, terms, recipe)
        except StayworthError:
            continue
        says = {STAYWORTH: as_prediction(scorer.predict(made, test))}
        said = metrics.evaluate(test, says, resamples=RESAMPLES, seed=seed, confidence=CONFIDENCE)
        curve.append({"customers": len(part.now), **{name: said["models"][STAYWORTH][name] for name in SHOWN}})
    return [*curve, {"customers": customers, **{name: whole["models"][STAYWORTH][name] for name in SHOWN}}]


def in_words(curve: list[dict[str, Any]]) -> str:
    """What the last doubling of customers brought, and how sure the figures of all of them are."""
    if len(curve) < 2:
        return "too many customers for a learning curve to tell anything" if not curve else "too few customers to halve"
    half, all_of_them = curve[-2], curve[-1]
    gained = half["log_loss"]["value"] - all_of_them["log_loss"]["value"]
    width = all_of_them["log_loss"]["high"] - all_of_them["log_loss"]["low"]
    what = f"from {half['customers']:,} to {all_of_them['customers']:,} customers log loss fell by {gained:.4f}"
    if gained <= 0:
        what = f"{half['customers']:,} customers taught as much as {all_of_them['customers']:,}"
    return f"{what}; it is known to within {width:.4f}, so smaller differences between models say nothing"
