"""Stacking: the predictions of base learners blended on the log scale, with weights learned on unseen customers.

    log-odds of no order         Σ_k w_k · log-odds of base learner k
    ln(value given an order)     Σ_k u_k · ln(value of base learner k)

with weights of 0 or more: stacking (Wolpert 1992, Neural Networks 5; Breiman 1996, Machine Learning 24, for the
weights' sign). The intercept is left free while they are learned: it belongs to the season
(models/ensemble/seasonal_calibration.py), the weights to the ranking and the spread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit

from features.arrays import Floats
from features.errors import Refusal
from models.prediction import Prediction

MIN_VALUE = 0.01
"""Currency units: the value of a customer who ordered counts as this where it is less (refunds, free orders)."""
PROBABILITY_CLIP = 1e-6
"""Clip for base-learner probabilities, at both ends."""
PRIOR_CUSTOMERS = 10.0
"""The strength with which the weights are drawn to equal ones, in customers: with few, they stay equal."""


class LogPrediction(NamedTuple):
    """A prediction for each customer, on the scales of the blend; shape (rows,) each."""

    log_odds: Floats
    """Of no order in the horizon."""
    log_value: Floats
    """ln of the expected margin in the horizon given an order, currency units."""

    @property
    def no_order(self) -> Floats:
        """The probability of no order in the horizon, in (0, 1)."""
        return expit(self.log_odds)

    @property
    def expected_value(self) -> Floats:
        """P(orders) × value given ordering, currency units."""
        return expit(-self.log_odds) * np.exp(self.log_value)

    def shifted(self, log_odds: Floats | float, log_value: Floats | float) -> LogPrediction:
        """Add shifts: constants keep the ranking by probability, and by value given an order."""
        return LogPrediction(self.log_odds + log_odds, self.log_value + log_value)


class Outcome(NamedTuple):
    """The observed outcome of customers within the horizon, shape (rows,) each."""

    ordered: NDArray[np.bool_]
    value: Floats
    """Realised margin, currency units."""


def log_prediction(no_order: Floats, value_given_order: Floats) -> LogPrediction:
    """Take logs of probabilities (0 … 1) and of values (currency units)."""
    probability = np.clip(np.asarray(no_order, np.float64), PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)
    return LogPrediction(logit(probability), np.log(np.maximum(np.asarray(value_given_order, np.float64), MIN_VALUE)))


def log_prediction_of(prediction: Prediction) -> LogPrediction:
    """Take logs of a baseline's prediction: its expected value is divided by its own probability of an order."""
    probability = np.clip(prediction.churn_probability, PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)
    return log_prediction(probability, prediction.expected_value / (1 - probability))


@dataclass(frozen=True)
class Blend:
    """The weight of each base learner, 0 or more; a base learner that is not named has none."""

    no_order: dict[str, float]
    value: dict[str, float]

    @property
    def base_learners(self) -> list[str]:
        """Names of those with a weight; of all where none has one, so that each row has a prediction."""
        return [name for name in self.no_order if self.no_order[name] or self.value[name]] or list(self.no_order)

    def share_of(self, base_learner: str) -> float:
        """The share of a base learner in the weights of the log-odds, 0 … 1; 0 where all have none."""
        return self.no_order.get(base_learner, 0.0) / (sum(self.no_order.values()) or 1.0)

    def combine(self, predictions: Mapping[str, LogPrediction]) -> LogPrediction:
        """Blend the predictions; they must include all of `base_learners`."""
        names = self.base_learners
        return LogPrediction(
            sum((self.no_order[name] * predictions[name].log_odds for name in names), start=np.zeros(1)),
            sum((self.value[name] * predictions[name].log_value for name in names), start=np.zeros(1)),
        )


def single(name: str) -> Blend:
    """The blend of one base learner as it is."""
    return Blend({name: 1.0}, {name: 1.0})


def fit(predictions: Mapping[str, LogPrediction], outcome: Outcome) -> Blend:
    """Learn the weights by maximum likelihood on customers that no base learner was fitted on.

    Bernoulli for the order; for the value of those who ordered a gamma likelihood, whose score is that of an unbiased
    total. Both with a free intercept.
    """
    ordered, value = outcome
    buyer_value = np.maximum(value[ordered], MIN_VALUE)
    log_value = np.column_stack([prediction.log_value[ordered] for prediction in predictions.values()])

    def gamma(score: Floats) -> tuple[float, Floats]:
        ratio = buyer_value * np.exp(-score)
        return float(np.sum(ratio + score)), 1 - ratio

    names = list(predictions)
    mean = np.log(buyer_value.mean()) if buyer_value.size else 0.0
    one_day = np.zeros(len(ordered), np.int64)
    log_odds = {name: prediction.log_odds for name, prediction in predictions.items()}
    return Blend(
        no_order_weights(log_odds, ordered, one_day),
        dict(zip(names, _weights(gamma, log_value - mean, one_day[ordered]), strict=True)),
    )


def no_order_weights(
    log_odds: Mapping[str, Floats], ordered: NDArray[np.bool_], day: NDArray[np.int64]
) -> dict[str, float]:
    """The weights of the log-odds by maximum likelihood, with an intercept for each day; day: its number, from 0."""
    did_not_order = (~ordered).astype(float)

    def bernoulli(score: Floats) -> tuple[float, Floats]:
        return float(np.sum(np.logaddexp(0, score) - did_not_order * score)), expit(score) - did_not_order

    return dict(zip(log_odds, _weights(bernoulli, np.column_stack(list(log_odds.values())), day), strict=True))


def _weights(loss: Callable[[Floats], tuple[float, Floats]], columns: Floats, day: NDArray[np.int64]) -> list[float]:
    """Weights ≥ 0 that minimise the loss of `intercept of the day + columns @ weights`, plus the pull to equal ones."""
    equal, days = 1 / columns.shape[1], int(day.max(initial=0)) + 1
    centre = columns.mean(axis=0) if len(columns) else np.zeros(columns.shape[1])
    centred = columns - centre  # the intercepts are free: centring only makes the search easier

    def penalised(parameters: Floats) -> tuple[float, Floats]:
        total, slope = loss(parameters[day] + centred @ parameters[days:])
        away = parameters[days:] - equal
        gradient = np.append(np.bincount(day, slope, days), centred.T @ slope + PRIOR_CUSTOMERS * away)
        return total + PRIOR_CUSTOMERS / 2 * float(away @ away), gradient

    start = np.append(np.zeros(days), np.full(columns.shape[1], equal))
    bounds = [(None, None)] * days + [(0, 3)] * len(centre)
    optimum = minimize(penalised, start, jac=True, method="L-BFGS-B", bounds=bounds)
    if not np.isfinite(optimum.fun):
        raise Refusal(
            "the weights of the blend cannot be learned: a base learner's prediction is not finite", where="blend"
        )
    return [round(float(weight), 6) for weight in optimum.x[days:]]
