"""Several opinions made one: members blended on the log scale, their weights learnt where none of them was fitted.

    log-odds of no order         Σ_k w_k · log-odds of member k
    ln(value given an order)     Σ_k u_k · ln(value of member k)

with weights of 0 or more: stacking (Wolpert 1992, Neural Networks 5; Breiman 1996, Machine Learning 24, for the
weights' sign). The level is left free while they are learnt: it belongs to the season
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

LEAST = 0.01
"""Currency units: a value of a customer who ordered at or below nothing (refunds, free orders) counts as this."""
CERTAIN = 1e-6
"""No member is believed surer than this of either outcome."""
PRIOR = 10.0
"""How strongly the weights are drawn to equal ones: as so many customers would, so that with few they stay even."""


class LogPrediction(NamedTuple):
    """What is said of each customer, on the scales of the blend; shape (rows,) each."""

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

    def moved(self, log_odds: Floats | float, log_value: Floats | float) -> LogPrediction:
        """The same ranking by probability, and by value given an order, at another level."""
        return LogPrediction(self.log_odds + log_odds, self.log_value + log_value)


class Outcome(NamedTuple):
    """What became of customers within the horizon, shape (rows,) each."""

    ordered: NDArray[np.bool_]
    value: Floats
    """Realised margin, currency units."""


def log_prediction(no_order: Floats, value_given_order: Floats) -> LogPrediction:
    """From probabilities (0 … 1) and currency units."""
    probability = np.clip(np.asarray(no_order, np.float64), CERTAIN, 1 - CERTAIN)
    return LogPrediction(logit(probability), np.log(np.maximum(np.asarray(value_given_order, np.float64), LEAST)))


def log_prediction_of(said: Prediction) -> LogPrediction:
    """From what an opponent predicts: its expected value is taken apart by its own probability."""
    probability = np.clip(said.churn_probability, CERTAIN, 1 - CERTAIN)
    return log_prediction(probability, said.expected_value / (1 - probability))


@dataclass(frozen=True)
class Blend:
    """The weight of each member, 0 or more; a member that is not named has none."""

    no_order: dict[str, float]
    value: dict[str, float]

    @property
    def members(self) -> list[str]:
        """Those with a weight; all of them where none has one, so that there is an opinion of each row."""
        return [name for name in self.no_order if self.no_order[name] or self.value[name]] or list(self.no_order)

    def of(self, opinions: Mapping[str, LogPrediction]) -> LogPrediction:
        """The blended opinion; `opinions` of all `members`."""
        names = self.members
        return LogPrediction(
            sum((self.no_order[name] * opinions[name].log_odds for name in names), start=np.zeros(1)),
            sum((self.value[name] * opinions[name].log_value for name in names), start=np.zeros(1)),
        )


def alone(name: str) -> Blend:
    """One member as it is."""
    return Blend({name: 1.0}, {name: 1.0})


def fit(opinions: Mapping[str, LogPrediction], outcome: Outcome) -> Blend:
    """Weights by maximum likelihood on customers that no member was fitted on.

    Bernoulli for the order; for the value of those who ordered a gamma likelihood, whose score is that of an unbiased
    total. Both with a free level.
    """
    ordered, value = outcome
    quiet = (~ordered).astype(float)
    brought = np.maximum(value[ordered], LEAST)
    log_odds = np.column_stack([one.log_odds for one in opinions.values()])
    log_value = np.column_stack([one.log_value[ordered] for one in opinions.values()])

    def bernoulli(score: Floats) -> tuple[float, Floats]:
        return float(np.sum(np.logaddexp(0, score) - quiet * score)), expit(score) - quiet

    def gamma(score: Floats) -> tuple[float, Floats]:
        share = brought * np.exp(-score)
        return float(np.sum(share + score)), 1 - share

    names = list(opinions)
    level = np.log(brought.mean()) if brought.size else 0.0
    return Blend(
        dict(zip(names, _weights(bernoulli, log_odds, level=0.0), strict=True)),
        dict(zip(names, _weights(gamma, log_value - level, level=0.0), strict=True)),
    )


def _weights(loss: Callable[[Floats], tuple[float, Floats]], columns: Floats, *, level: float) -> list[float]:
    """Weights ≥ 0 with a free level: the loss of `level + columns @ weights`, plus the pull to even weights."""
    even = 1 / columns.shape[1]
    centre = columns.mean(axis=0) if len(columns) else np.zeros(columns.shape[1])
    centred = columns - centre  # the level is free: centring only makes the search easier

    def penalised(at: Floats) -> tuple[float, Floats]:
        total, slope = loss(at[0] + centred @ at[1:])
        away = at[1:] - even
        return total + PRIOR / 2 * float(away @ away), np.append(slope.sum(), centred.T @ slope + PRIOR * away)

    start = np.append(level, np.full(columns.shape[1], even))
    found = minimize(penalised, start, jac=True, method="L-BFGS-B", bounds=[(None, None)] + [(0, 3)] * len(centre))
    if not np.isfinite(found.fun):
        raise Refusal("the weights of the blend cannot be found: a member's opinion is not finite", where="blend")
    return [round(float(weight), 6) for weight in found.x[1:]]
