"""The metrics of a churn and value model: small functions of what happened, what was predicted, and weights.

`weights` is how often each customer counts (1 if None), or a stack of such rows, one per bootstrap resample; the
result then has one value per row. Each function sorts once for a whole stack, which is why it is not scikit-learn's
(the tests hold them equal to scikit-learn where it has the metric). Customers with equal scores share a rank: what
they hold is spread evenly over their places, so no metric depends on the order of rows. An undefined metric is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from features.arrays import Floats
from features.errors import Refusal
from models.evaluation import evaluation_tables, profit_metrics
from models.evaluation.bootstrap import resample_counts
from models.evaluation.evaluation_tables import with_interval
from models.evaluation.interval_places import interval_places
from models.evaluation.profit_metrics import CampaignTerms
from models.evaluation.ranking import DECILES, captured_totals, gain_area, midranks, ranked_totals, ratio
from models.prediction import Prediction

MIN_EXPECTED_SHARE = 1e-4
"""Of the mean realised value: the smallest expectation in `value_deviance`; smaller ones are raised to it."""


def roc_auc(churned: Floats, probability: Floats, weights: Floats | None = None) -> Floats:
    """Probability that a churner is scored above a stayer, ties half (0 … 1); undefined with one class."""
    left, stayed = ranked_totals(probability, weights, churned, 1 - churned)
    below = stayed.sum(-1, keepdims=True) - np.cumsum(stayed, -1)
    return ratio((left * (below + stayed / 2)).sum(-1), left.sum(-1) * stayed.sum(-1))


def pr_auc(churned: Floats, probability: Floats, weights: Floats | None = None) -> Floats:
    """Average precision: Σ (recall_k − recall_k−1) · precision_k (share of churners … 1); undefined without churn."""
    left, everyone = ranked_totals(probability, weights, churned, np.ones_like(churned))
    precision = np.cumsum(left, -1) / np.maximum(np.cumsum(everyone, -1), 1e-300)
    return ratio((left * precision).sum(-1), left.sum(-1))


def brier(churned: Floats, probability: Floats, weights: Floats | None = None) -> Floats:
    """Mean squared error of the probability (0 best … 1)."""
    return _mean((probability - churned) ** 2, weights)


def log_loss(churned: Floats, probability: Floats, weights: Floats | None = None) -> Floats:
    """Mean −ln of the probability given to what happened (0 best), clipped at 2.2e-16: 36 for a sure thing missed."""
    given = np.where(churned > 0, probability, 1 - probability)
    return _mean(-np.log(np.clip(given, np.finfo(float).eps, 1)), weights)


def ece(churned: Floats, probability: Floats, weights: Floats | None = None) -> Floats:
    """Expected calibration error: mean |predicted − observed churn| over 10 bins of equally many customers (0 … 1).

    Bins by predicted probability (Naeini et al. 2015, with equal counts). Blind to what averages out within a bin.
    """
    customers, predicted, observed = np.diff(captured_totals(probability, weights, DECILES, probability, churned))
    return np.abs(predicted - observed).sum(-1) / customers.sum(-1)


def top_decile_lift(churned: Floats, probability: Floats, weights: Floats | None = None) -> Floats:
    """Churn among the 10 % of customers scored highest over churn among all (0 … 10; Lemmens & Croux 2006)."""
    _, left = captured_totals(probability, weights, np.array([0.1, 1.0]), churned)
    return ratio(left[..., 0], 0.1 * left[..., 1])


def mae(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """Mean absolute error, currency units. Never choose a value model by it: it rewards predicting the median."""
    return _mean(np.abs(expected - value), weights)


def rmse(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """Root of the mean squared error, currency units; a few whales decide it."""
    return np.sqrt(_mean((expected - value) ** 2, weights))


def value_deviance(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """Mean Tweedie deviance of power 1.5 of the expected value, the mean realised value being 1 (0 best).

    4 (√y - √m)² / √m, y the realised value, 0 if negative, and m the expected. Least in expectation where m is the mean
    of y (Jørgensen 1987, Exponential Dispersion Models, JRSS B 49; Gneiting 2011, Making and Evaluating Point
    Forecasts, JASA 106), so unlike `mae` it is fit for choosing models, and unlike `rmse` not decided by a few whales.
    An expectation below 0.0001 of the mean counts as that: 392 for an average buyer taken for a sure
    zero. Undefined without value.
    """
    brought = np.maximum(value, 0)
    mean = _mean(brought, weights)
    root = np.sqrt(np.maximum(expected, np.where(mean > 0, MIN_EXPECTED_SHARE * mean, 1)[..., None]))
    w = np.ones_like(value) if weights is None else weights
    deviance = (w * 4 * (np.sqrt(brought) - root) ** 2 / root).sum(-1) / w.sum(-1)
    return ratio(deviance, np.sqrt(mean))


def r2(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """1 − squared error / squared deviation from the mean (… 1 best); undefined if all values are equal."""
    centred = value - np.median(value)  # against cancellation; exactly 0 if all are equal
    variance = _mean(centred**2, weights) - _mean(centred, weights) ** 2
    return 1 - ratio(_mean((expected - value) ** 2, weights), variance)


def spearman(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """Correlation of the ranks of predicted and realised value, ties at their mean rank (−1 … 1 best)."""
    x, y = midranks(value, weights), midranks(expected, weights)
    w = np.ones_like(value) if weights is None else weights
    x, y = (ranks - (w * ranks).sum(-1, keepdims=True) / w.sum(-1, keepdims=True) for ranks in (x, y))
    return ratio((w * x * y).sum(-1), np.sqrt((w * x * x).sum(-1) * (w * y * y).sum(-1)))


def normalized_gini(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """Area between gain curve and diagonal over that of a perfect ranking (−1 … 1 best); undefined without value.

    Wang, Liu & Miao (2019), A Deep Probabilistic Model for Customer Lifetime Value Prediction, arXiv:1912.07753; by
    trapezoids from (0, 0), theirs by steps: equal but for 1 / customers.
    """
    return ratio(gain_area(expected, value, weights), gain_area(value, value, weights))


def decile_mape(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """Mean over deciles of predicted value of |predicted − realised| / realised (0 best; Wang, Liu & Miao 2019).

    Undefined when a decile realised nothing.
    """
    _, predicted, realised = np.diff(captured_totals(expected, weights, DECILES, expected, value))
    return ratio(np.abs(predicted - realised), realised).mean(-1)


def total_bias(value: Floats, expected: Floats, weights: Floats | None = None) -> Floats:
    """Sum predicted over sum realised, less 1 (0 best); undefined unless the realised sum is above 0."""
    return ratio(_mean(expected, weights), _mean(value, weights)) - 1


def interval_coverage(
    value: Floats, low: Floats, high: Floats, no_order: Floats, weights: Floats | None = None
) -> Floats:
    """Share of customers whose realised value lies within [low, high] (0 … 1; .8 best).

    Those who brought nothing count in part where an end is 0: models/evaluation/interval_places.py.
    """
    return _mean(interval_places(value, low, high, no_order).inside, weights)


CHURN_METRICS = {
    "roc_auc": roc_auc,
    "pr_auc": pr_auc,
    "brier": brier,
    "log_loss": log_loss,
    "ece": ece,
    "top_decile_lift": top_decile_lift,
}
VALUE_METRICS = {
    "value_deviance": value_deviance,
    "mae": mae,
    "rmse": rmse,
    "r2": r2,
    "spearman": spearman,
    "normalized_gini": normalized_gini,
    "decile_mape": decile_mape,
    "total_bias": total_bias,
}


def evaluate(
    truth: pd.DataFrame,
    predictions: Mapping[str, Prediction],
    *,
    resamples: int,
    seed: int,
    confidence: float,
    campaign: CampaignTerms | None = None,
) -> dict[str, Any]:
    """The evaluation in `metrics.json`: models, differences and the tables of models/evaluation/evaluation_tables.py,
    ready for JSON.

    `truth` has columns churned (bool) and future_value (currency units), a row per customer; `predictions` are by
    model name, in the order of its rows. Differences are the first model minus each other one. Intervals hold
    `confidence` (0 … 1) of `resamples` draws of customers, the same customers for every model. An undefined metric is
    None; so is the interval of one that is undefined in any resample. Only with a `campaign` are there metrics in
    money, and `profit`: the campaign's terms, and per model what it would have earned by share contacted.
    """
    churned, value = (truth[name].to_numpy(dtype=float) for name in ("churned", "future_value"))
    _check("truth", {"churned": churned, "future_value": value}, customers=max(1, len(truth)))
    for name, prediction in predictions.items():
        _check(name, prediction._asdict(), customers=len(truth))
    if campaign is not None:
        _check("campaign", {"clv": campaign.clv}, customers=len(truth))
    point = {name: _measure(churned, value, prediction, None, campaign) for name, prediction in predictions.items()}
    stacks: dict[str, list[dict[str, Floats]]] = {name: [] for name in predictions}
    for weights in resample_counts(len(truth), resamples=resamples, seed=seed):
        for name, prediction in predictions.items():
            stacks[name].append(_measure(churned, value, prediction, weights, campaign))
    draws = {name: {m: np.concatenate([s[m] for s in stack]) for m in stack[0]} for name, stack in stacks.items()}

    def measured(metric: str, model: str, baseline: str | None = None) -> dict[str, float | None]:
        """A metric of one model, or of one less a baseline."""
        at, spread = point[model][metric], draws[model][metric]
        if baseline is not None:
            at, spread = at - point[baseline][metric], spread - draws[baseline][metric]
        return with_interval(at, spread, confidence=confidence)

    first, *others = predictions
    evaluation = {
        "confidence": confidence,
        "resamples": resamples,
        "models": {name: {m: measured(m, name) for m in point[name]} for name in predictions},
        "differences": {
            other: {m: measured(m, first, other) for m in point[first] if m in point[other]} for other in others
        },
        **_tables(churned, value, predictions, confidence=confidence),
    }
    if campaign is not None:
        evaluation["profit"] = {
            "offer": campaign.terms,
            "models": {
                name: profit_metrics.contact_curve(churned, prediction.churn_probability, campaign)
                for name, prediction in predictions.items()
            },
        }
    return evaluation


def _measure(
    churned: Floats, value: Floats, prediction: Prediction, weights: Floats | None, campaign: CampaignTerms | None
) -> dict[str, Floats]:
    """All metrics that the prediction allows."""
    metrics = {name: metric(churned, prediction.churn_probability, weights) for name, metric in CHURN_METRICS.items()}
    metrics |= {name: metric(value, prediction.expected_value, weights) for name, metric in VALUE_METRICS.items()}
    if prediction.value_p10 is not None and prediction.value_p90 is not None:
        metrics["interval_coverage"] = interval_coverage(
            value, prediction.value_p10, prediction.value_p90, prediction.probability_of_no_order, weights
        )
    if campaign is not None:
        metrics |= profit_metrics.campaign_profit_metrics(churned, prediction.churn_probability, weights, campaign)
    return metrics


def _tables(
    churned: Floats, value: Floats, predictions: Mapping[str, Prediction], *, confidence: float
) -> dict[str, dict[str, Any]]:
    """Each table by model; coverage of those that give intervals."""
    items = predictions.items()
    return {
        "calibration": {
            m: evaluation_tables.calibration(p.churn_probability, churned, confidence=confidence) for m, p in items
        },
        "deciles": {m: evaluation_tables.deciles(p.expected_value, value, confidence=confidence) for m, p in items},
        "gains": {m: evaluation_tables.gains(p.expected_value, value) for m, p in items},
        "churn_gains": {m: evaluation_tables.gains(p.churn_probability, churned) for m, p in items},
        "coverage": {
            m: evaluation_tables.coverage(
                p.expected_value,
                interval_places(value, p.value_p10, p.value_p90, p.probability_of_no_order),
                confidence=confidence,
            )
            for m, p in items
            if p.value_p10 is not None and p.value_p90 is not None
        },
    }


def _check(where: str, columns: Mapping[str, Floats | None], *, customers: int) -> None:
    """Raise Refusal unless every customer has a finite value and a probability within 0 … 1: the rest would flatter."""
    for name, values in columns.items():
        if values is None:
            continue
        valid = np.isfinite(values)
        if name in ("churn_probability", "no_order"):
            valid &= (values >= 0) & (values <= 1)
        if valid.sum() != customers or len(values) != customers:
            raise Refusal(
                f"{name} has {len(values)} values, {valid.sum()} of them usable, for {customers} customers",
                where=where,
                next="every customer needs a finite value, and a probability within 0 … 1",
            )


def _mean(values: ArrayLike, weights: Floats | None) -> Floats:
    """Weighted mean over customers."""
    w = np.ones(np.shape(values)) if weights is None else weights
    return np.asarray(w @ np.asarray(values, dtype=float) / w.sum(-1))
