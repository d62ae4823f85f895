"""Outcome models: the expected outcome of each customer with and without treatment, by models not fitted on them.

Cross-fitted: each fold by trees fitted on all others. Unlike a ranking to be evaluated
(models/uplift/cross_fitting.py), these need not go forward: with known propensities a policy's value is unbiased
whatever they predict; they only reduce noise. Source: Chernozhukov et al. (2018), Econometrics Journal 21(1).
"""

import numpy as np
import pandas as pd

from models.trees import boosting, least_squares
from models.uplift import learners
from models.uplift.experiment import Experiment
from models.uplift.policy_value import ExpectedOutcomes

FOLDS = 3


def fit_expected_outcomes(
    rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, *, seed: int
) -> ExpectedOutcomes:
    """The expected outcome of each customer in either arm."""
    fold = experiment.folds(FOLDS, seed=seed)
    arms = ExpectedOutcomes(np.empty(len(rows)), np.empty(len(rows)))
    for held_out in range(FOLDS):
        apart, others = np.flatnonzero(fold == held_out), np.flatnonzero(fold != held_out)
        part = experiment.part(others)
        for treated, predictions in ((True, arms.treated), (False, arms.untreated)):
            booster = learners.fit_arm(rows.iloc[others], inputs, part, treated, seed=seed)
            predictions[apart] = least_squares.predict(booster, rows.iloc[apart], inputs)
    return arms
