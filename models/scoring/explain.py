"""Explanations: exact contributions of each feature to a customer's probability and value, and reasons in words.

Trees give each feature's contribution to their log-odds and to their ln of value (Lundberg et al. 2020, Nature Machine
Intelligence 2: exact, nothing sampled); the other base learner of the blend counts as one reason, its distance from the
average customer. Those parts are added up on the log scales. A probability or an amount is then divided among the
features in proportion to them, so that they sum to the score to the last digit; expected value = P(order) × value given
an order is divided between its two factors evenly, as Shapley's value of two players does. A gain is the trees' sum in
margins of one order, limited to what saving a customer can add: its parts are theirs, and one more for the limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from features.arrays import Floats
from features.families.catalogue import feature_named, value_in_words
from features.histories.attributes import AttributeKind, attribute_in_words
from models.ensemble.recipe import TREES
from models.ensemble.stacking import LogPrediction
from models.prediction import REASONS
from models.scoring.scorer import PredictedRows, Scorer, churn_probability, order_margin, savable_and_gain
from models.trees import boosting

RHYTHM = "expected_from_rhythm"
"""The reason of a base learner that reads the rhythm of orders as a whole."""
LIMIT = "limited_to_the_savable"
"""What is taken from a gain, or added to it, since it is neither below 0 nor above what saving a customer can add."""


@dataclass(frozen=True)
class Contributions:
    """Contributions that add up to a score: `base + added.sum(axis=1)` is the score of each customer."""

    names: list[str]
    """Features, then `expected_from_rhythm`, and of a gain `limited_to_the_savable`."""
    base: Floats
    """The score of a customer of whom only the day is known, (rows,); of a gain, the margin of one order too."""
    added: Floats
    """Contributions, (rows, names)."""


def no_order(scorer: Scorer, predicted: PredictedRows) -> Contributions:
    """Explain the probability of no order within the horizon; under a contract, that of its end."""
    prediction, data = predicted.log_prediction, predicted.data
    if scorer.contract_end:
        trees = scorer.contract_end
        parts = boosting.contributions(trees.booster, data)
        added = np.column_stack([trees.slope * parts[:, :-1], np.zeros(len(parts))])
        base = trees.slope * parts[:, -1] + trees.intercept
        return _divided(_names(scorer), base, added, churn_probability(scorer, predicted))
    base, added = _parts(prediction.log_odds, _average(scorer, predicted).log_odds, _no_order_parts(scorer, data))
    return _divided(_names(scorer), base, added, prediction.no_order)


def expected_value(scorer: Scorer, predicted: PredictedRows) -> Contributions:
    """Explain the expected value, currency units."""
    prediction, data, average = predicted.log_prediction, predicted.data, _average(scorer, predicted)
    odds_base, odds = _parts(prediction.log_odds, average.log_odds, _no_order_parts(scorer, data))
    value_base, values = _parts(prediction.log_value, average.log_value, _value_parts(scorer, data))
    order, value = expit(-prediction.log_odds), np.exp(prediction.log_value)
    order_base, given_base = expit(-odds_base), np.exp(value_base)
    by_order = _shares(odds) * ((order - order_base) * (value + given_base) / 2)[:, None]
    by_value = _shares(values) * ((value - given_base) * (order + order_base) / 2)[:, None]
    added = by_order + by_value
    return Contributions(_names(scorer), prediction.expected_value - added.sum(axis=1), added)


def gain(scorer: Scorer, predicted: PredictedRows) -> Contributions:
    """Explain the gain, currency units: the trees' contributions times the margin of one order of the customer.

    Without trees of the gain, it is expected from the rhythm of orders as a whole.
    """
    names, (_, total) = [*_names(scorer), LIMIT], savable_and_gain(scorer, predicted)
    added = np.zeros((len(total), len(names)))
    if scorer.keeping is None:
        added[:, -2] = total
    else:
        added[:, :-2], added[:, -1] = scorer.keeping.gain_contributions(
            predicted.data,
            churn_probability=churn_probability(scorer, predicted),
            order_margin=order_margin(scorer, predicted),
        )
    return Contributions(names, total - added.sum(axis=1), added)


def reasons(scorer: Scorer, predicted: PredictedRows) -> pd.DataFrame:
    """Up to three reasons that raise the churn probability, with the customer's own numbers.

    Columns reason_1 … reason_3 (text or None), largest first: "62 days since the last order, usually 21". The
    contribution of a base learner that reads the rhythm as a whole counts towards this sentence too.
    """
    rows, parts = predicted.rows.frame, no_order(scorer, predicted)
    added = parts.added[:, :-1].copy()
    added[:, parts.names.index("recency_days")] += parts.added[:, -1]
    order = np.argsort(-added, axis=1, kind="stable")[:, : len(REASONS)]
    raises = np.take_along_axis(added, order, axis=1) > 0
    usual = rows["gap_mean_days"].to_numpy() if "gap_mean_days" in scorer.inputs else np.full(len(rows), np.nan)
    reason_texts = np.full(order.shape, None, dtype=object)
    for feature in np.unique(order[raises]):
        name = parts.names[feature]
        row, place = np.nonzero((order == feature) & raises)
        texts = _sentences(name, rows[name].to_numpy()[row], scorer.attributes.get(name))
        if name == "recency_days":
            texts = [
                f"{text}, usually {gap:,.0f}" if gap == gap else text
                for text, gap in zip(texts, usual[row].tolist(), strict=True)
            ]
        reason_texts[row, place] = texts
    return pd.DataFrame(reason_texts, columns=list(REASONS), index=rows.index, dtype=object)


def _sentences(name: str, values: np.ndarray, kind: AttributeKind | None) -> list[str]:
    """Each value of a column in words; values that read the same are worded once. kind: of an attribute."""
    feature = feature_named(name)
    if kind is not None:
        return [attribute_in_words(name, kind, value) for value in values]
    if feature is None or not np.issubdtype(values.dtype, np.floating):
        return [value_in_words(name, value) for value in values]
    numbers = [feature.number(value) for value in values.tolist()]
    sentences = {
        number: feature.sentence(value) for number, value in dict(zip(numbers, values.tolist(), strict=True)).items()
    }
    return [sentences[number] for number in numbers]


def _names(scorer: Scorer) -> list[str]:
    return [*scorer.inputs, RHYTHM]


def centre(scorer: Scorer, rows: pd.DataFrame) -> tuple[float, float]:
    """The average customer's log-odds and ln of value without contributions of features and without calibration."""
    blend = scorer.blend
    prediction = blend.combine(scorer.base_learners.predict(rows, scorer.inputs, blend.base_learners))
    data = boosting.matrix(rows, scorer.inputs)
    odds, value = _no_order_parts(scorer, data).sum(axis=1), _value_parts(scorer, data).sum(axis=1)
    return float(np.mean(prediction.log_odds - odds)), float(np.mean(prediction.log_value - value))


def _average(scorer: Scorer, predicted: PredictedRows) -> LogPrediction:
    """The prediction for the average customer, calibrated to each row's day."""
    as_of = predicted.rows.as_of
    zeros = np.zeros(len(as_of))
    average = LogPrediction(zeros + scorer.centre[0], zeros + scorer.centre[1])
    return scorer.calibration.calibrate(average, as_of=as_of)


def _parts(prediction: Floats, base: Floats, features: Floats) -> tuple[Floats, Floats]:
    """The base, (rows,), and the contributions, (rows, names): of the features, and the rest of the prediction."""
    return base, np.column_stack([features, prediction - features.sum(axis=1) - base])


def _no_order_parts(scorer: Scorer, data: boosting.Matrix) -> Floats:
    """The contributions of the trees' features to the log-odds of no order, (rows, features)."""
    booster = scorer.base_learners.no_order.booster
    return scorer.blend.no_order.get(TREES, 0.0) * boosting.contributions(booster, data)[:, :-1]


def _value_parts(scorer: Scorer, data: boosting.Matrix) -> Floats:
    """Their contributions to the ln of value, (rows, features)."""
    return scorer.blend.value.get(TREES, 0.0) * scorer.base_learners.value.contributions(data)


def _divided(names: list[str], base: Floats, added: Floats, score: Floats) -> Contributions:
    """Divide a probability in proportion to the contributions to its log-odds."""
    start = expit(base)
    parts = _shares(added) * (score - start)[:, None]
    return Contributions(names, score - parts.sum(axis=1), parts)


def _shares(added: Floats) -> Floats:
    """Each part over the sum of all; 0 where they cancel."""
    total = added.sum(axis=1, keepdims=True)
    return np.divide(added, total, out=np.zeros_like(added), where=np.abs(total) > 1e-12)
