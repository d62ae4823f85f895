"""The effect of an offer, learned from an experiment and calibrated to the effects that the experiment itself shows.

A learner ranks customers; the size of its effects is less reliable, since trees shrink small effects and fit some of
the noise. So the doubly robust effects Γ of customers it had not seen (models/uplift/cross_fitting.py) are regressed on
its predictions τ̂, each relative to the mean of its fold: Γ ≈ level + slope (τ̂ - mean). The effect of a customer is
that line at the prediction of the final learner, which is fitted on all customers. The slope is 1 at most: learners
fitted on few shrink more than the final one does, and a plan chooses the largest effects, in which there is most luck.

Source: the best linear predictor of Chernozhukov, Demirer, Duflo and Fernández-Val (2018), NBER working paper 24678.
Wrong where the effects of those contacted next differ from those of the experiment: another season, another offer of
the same name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.trees import boosting
from models.uplift import learners
from models.uplift.cross_fitting import CrossFit
from models.uplift.experiment import Experiment
from models.uplift.learners import Uplift


@dataclass(frozen=True)
class EffectLine:
    """The measured effect as a line of the predicted one: level + slope (τ̂ - centre), in units of the outcome."""

    level: float
    """The mean effect."""
    slope: float
    """0 … 1."""
    centre: float
    """The mean predicted effect."""


@dataclass(frozen=True)
class FittedEffect:
    """A learner and its line."""

    learner: Uplift
    line: EffectLine

    def of(self, rows: pd.DataFrame) -> Floats:
        """The expected effect of a contact on each customer's outcome."""
        line = self.line
        return line.level + line.slope * (self.learner.effect(rows) - line.centre)


def fit_calibrated_effect(
    kind: str, rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, crossed: CrossFit, *, seed: int
) -> FittedEffect:
    """The learner of this kind, fitted on all customers; its line from those with predictions in `crossed`."""
    learner = learners.fit_learner(kind, rows, inputs, experiment, seed=seed)
    level, slope = measured_level_and_slope(kind, experiment, crossed)
    return FittedEffect(learner, EffectLine(level, slope, float(learner.effect(rows).mean())))


def measured_level_and_slope(kind: str, experiment: Experiment, crossed: CrossFit) -> tuple[float, float]:
    """Level and slope of the line, by least squares over the customers with predictions."""
    measured, predicted = doubly_robust_effects(experiment, crossed), pd.Series(crossed.effects[kind])
    centred = (predicted - predicted.groupby(crossed.fold).transform("mean")).to_numpy()
    spread = float(centred @ centred)
    return float(measured.mean()), min(max(float(centred @ measured) / spread, 0.0), 1.0) if spread else 0.0


def doubly_robust_effects(experiment: Experiment, crossed: CrossFit) -> Floats:
    """The unbiased, very noisy effect of each customer with predictions (`Experiment.effects`, doubly robust)."""
    judged = experiment.part(crossed.judged)
    return judged.effects(crossed.arms.expected(judged.propensity))


def best_half_effect(kind: str, experiment: Experiment, crossed: CrossFit) -> tuple[float, float]:
    """Mean effect of the half of customers with the highest predictions, and its standard deviation: an estimate for
    those whom a plan would choose.
    """
    effects = doubly_robust_effects(experiment, crossed)[crossed.place(crossed.effects[kind]) >= 0.5]
    return float(effects.mean()), float(effects.std(ddof=1) / np.sqrt(len(effects)))
