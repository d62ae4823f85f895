"""Evaluation of scores whose horizon has passed: predicted probabilities and values against what happened.

Customers whom one of our campaigns contacted in that time are left out and reported separately; those it held out stand
for them (retention/measurement/inverse_propensity.py). Where it held out nobody, the metrics cover the customers it did
not contact: it chose by the scores, so their probabilities and values are still judged fairly, but their ranking is not
comparable.

Every metric has the interval of the percentile bootstrap over customers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.histories.columns import Histories
from models.evaluation import calibration_slope, metrics
from models.evaluation.bootstrap import resample_counts
from models.evaluation.drift import effective_sample_size
from models.evaluation.evaluation_tables import finite_or_none, with_interval
from models.evaluation.ranking import DECILES, captured_totals, ratio
from pipelines.campaigns.outcomes import outcomes
from pipelines.gate.merit_checks import by_chance
from pipelines.training.holdout_evaluation import CONFIDENCE
from retention.measurement.inverse_propensity import InversePropensityWeights, inverse_propensity_weights

RESAMPLES = 200


@dataclass(frozen=True)
class MaturedBatch:
    """Scores of a day, over the model's main horizon."""

    as_of: date
    horizon_days: int
    model_version: str
    scores: pd.DataFrame
    """customer_id, churn_probability and expected_value (currency units), a row per customer."""
    is_kept: bool
    """The ledger has kept them as they were given out; else the same model has scored the day again."""

    @property
    def until(self) -> date:
        """The first day after the horizon."""
        return self.as_of + timedelta(days=self.horizon_days)


def evaluate_batch(
    batch: MaturedBatch, histories: Histories, campaigns: Mapping[str, pd.DataFrame], *, seed: int
) -> dict[str, Any]:
    """Evaluate a batch whose horizon the log covers; returns JSON. campaigns: those within the horizon.

    Customers whom the log no longer has are counted and left out.
    """
    happened = outcomes(histories, batch.scores["customer_id"], day=batch.as_of, window_days=batch.horizon_days)
    rows = batch.scores.join(happened[["stayed", "margin"]], on="customer_id", how="inner").reset_index(drop=True)
    untreated = inverse_propensity_weights(rows["customer_id"], campaigns)
    content = {
        "as_of": batch.as_of.isoformat(),
        "until": batch.until.isoformat(),
        "horizon_days": batch.horizon_days,
        "model_version": batch.model_version,
        "kept": batch.is_kept,
        "customers": len(rows),
        "not_in_the_log": len(batch.scores) - len(rows),
        "own_campaigns": _campaign_arms(rows, untreated),
    }
    return content | _metrics(rows[untreated.kept], untreated.weights[untreated.kept], seed=seed)


def _campaign_arms(rows: pd.DataFrame, untreated: InversePropensityWeights) -> dict[str, Any]:
    """Predicted and observed leavers and values of the customers contacted and of those held out."""
    arms = {"treated": untreated.treated, "held_out": untreated.held_out}
    return {
        name: {
            "customers": int(is_in_arm.sum()),
            "said_to_leave": float(rows["churn_probability"][is_in_arm].sum()),
            "left": float((1 - rows["stayed"][is_in_arm]).sum()),
            "said_value": float(rows["expected_value"][is_in_arm].sum()),
            "value": float(rows["margin"][is_in_arm].sum()),
        }
        for name, is_in_arm in arms.items()
    } | {"nobody_stands_for": untreated.alone}


def _metrics(rows: pd.DataFrame, weights: Floats, *, seed: int) -> dict[str, Any]:
    columns = ("churn_probability", "expected_value", "margin")
    probability, expected, value = (rows[name].to_numpy(float) for name in columns)
    churned = 1 - rows["stayed"].to_numpy(float)
    if not len(rows):
        return {"figures": {}, "deciles": [], "ece_by_chance": None}
    line = calibration_slope.intercept_and_slope(churned, probability, weights)

    def measured(w: Floats) -> dict[str, Floats]:
        intercept, slope = calibration_slope.resampled_intercepts_and_slopes(churned, probability, w, near=line)
        return {
            "roc_auc": metrics.roc_auc(churned, probability, w),
            "ece": metrics.ece(churned, probability, w),
            "churn_rate": w @ churned / w.sum(-1),
            "churn_rate_said": w @ probability / w.sum(-1),
            "calibration_intercept": intercept,
            "calibration_slope": slope,
            "total_bias": metrics.total_bias(value, expected, w),
            "deciles": np.moveaxis(_deciles(expected, value, w), 0, -1),
        }

    point = {name: at[0] for name, at in measured(weights[None, :]).items()}
    stacks = [measured(counts * weights) for counts in resample_counts(len(rows), resamples=RESAMPLES, seed=seed)]
    draws = {name: np.concatenate([stack[name] for stack in stacks]) for name in point}
    return {
        "figures": {name: _estimate(point[name], draws[name]) for name in point if name != "deciles"},
        "ece_by_chance": _ece_by_chance(probability, weights),
        "deciles": [
            {"said": finite_or_none(point["deciles"][place, 0])}
            | _estimate(point["deciles"][place, 1], draws["deciles"][:, place, 1])
            for place in range(len(DECILES) - 1)
        ],
    }


def _deciles(expected: Floats, value: Floats, weights: Floats) -> Floats:
    """Mean expected and realised value of each tenth by expectation, the best first; shape (2, stack, tenths)."""
    size, predicted, realised = np.diff(captured_totals(expected, weights, DECILES, expected, value))
    return np.stack([ratio(predicted, size), ratio(realised, size)])


def _ece_by_chance(probability: Floats, weights: Floats) -> float:
    """The calibration error that a perfect model of as many customers, in effect, stays below."""
    size, predicted = np.diff(captured_totals(probability, weights, DECILES, probability))
    share = effective_sample_size(weights) / weights.sum()
    return by_chance(
        [{"predicted": p, "customers": n} for p, n in zip(ratio(predicted, size), share * size, strict=True)]
    )


def _estimate(value: Floats, draws: Floats) -> dict[str, float | None]:
    return with_interval(value, draws, confidence=CONFIDENCE)
