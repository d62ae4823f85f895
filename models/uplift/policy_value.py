"""Doubly robust value of a treatment policy, from an experiment that followed another policy.

Each customer has the score of treating and that of not treating, with a = 1 or 0 and e_a the probability of that arm:

    Γ_a = μ_a + 1[t = a] (y - μ_a) / e_a

and π, the probability with which the policy treats the customer: its value is the mean of π (Γ_1 - cost) + (1 - π) Γ_0.
With known propensities it is unbiased however wrong the expected outcomes μ are; good ones make it surer. The interval
is that of a mean: too narrow where a few customers decide it. Policy and μ must not have been learned from the
customers they are evaluated on. Source: Dudík, Langford and Li (2011), ICML, after Robins, Rotnitzky and Zhao (1994),
JASA 89.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from features.arrays import Floats
from features.errors import InputError
from models.evaluation.estimate import Estimate
from models.uplift.experiment import Experiment

Numbers = Floats | float


@dataclass(frozen=True)
class ExpectedOutcomes:
    """The expected outcomes of each customer, by models that were not fitted on them."""

    treated: Floats
    untreated: Floats

    def expected(self, propensity: Floats) -> Floats:
        """The b that makes `Experiment.effects` doubly robust."""
        return propensity * self.untreated + (1 - propensity) * self.treated


def policy_value(
    policy: Numbers, experiment: Experiment, arms: ExpectedOutcomes, *, cost: Numbers, confidence: float
) -> Estimate:
    """Mean outcome per customer, less the cost of those treated, if the policy decided; `.times(customers)` in total.

    policy: the probability with which each customer is treated; 0 and 1 are nobody and everybody. cost: of treating a
    customer, in units of the outcome.
    """
    return _estimate(_worth(policy, experiment, arms, cost), confidence)


def policy_advantage(
    policy: Numbers,
    baseline: Numbers,
    experiment: Experiment,
    arms: ExpectedOutcomes,
    *,
    cost: Numbers,
    confidence: float,
) -> Estimate:
    """Value of the policy less that of a baseline policy, per customer, on the same customers: more precise than
    both."""
    return _estimate(_worth(policy, experiment, arms, cost) - _worth(baseline, experiment, arms, cost), confidence)


def _worth(policy: Numbers, experiment: Experiment, arms: ExpectedOutcomes, cost: Numbers) -> Floats:
    treats = np.broadcast_to(np.asarray(policy, float), len(experiment))
    outside = int((~((treats >= 0) & (treats <= 1))).sum())
    if outside:
        raise InputError(
            f"{outside:,} of {len(treats):,} probabilities of treating lie outside 0 … 1",
            where="policy",
            next="Give 1 or True for customers it treats, 0 or False for others.",
        )
    y, t, of_arm = experiment.outcome, experiment.treated, experiment.of_arm
    with_it = arms.treated + np.where(t, (y - arms.treated) / of_arm, 0.0)
    without = arms.untreated + np.where(t, 0.0, (y - arms.untreated) / of_arm)
    return treats * (with_it - cost) + (1 - treats) * without


def _estimate(worth: Floats, confidence: float) -> Estimate:
    middle, error = float(worth.mean()), float(worth.std(ddof=1) / np.sqrt(len(worth)) * ndtri((1 + confidence) / 2))
    return Estimate(middle, middle - error, middle + error)
