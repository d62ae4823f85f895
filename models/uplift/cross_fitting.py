"""Cross-fitting of learners: effects of customers in each fold, predicted by models fitted on the folds before it.

The folds are a random order of the customers, so nothing is lost in going forward but the first fold, which has no
predictions. Models fitted on all other folds, as in cross-validation, would be evaluated on customers in each other's
training sets: each pair of customers would count twice, and an interval over customers be too narrow by up to √2 where
little but noise is ranked. Going forward, the result in a fold has the right mean given all before it, and the interval
holds. Source: Luedtke and van der Laan (2016), Annals of Statistics 44(2), who go forward for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers
from models.trees import boosting, least_squares
from models.uplift import learners
from models.uplift.experiment import Experiment
from models.uplift.policy_value import ExpectedOutcomes

FOLDS = 5


@dataclass(frozen=True)
class CrossFit:
    """Predictions for the customers of all folds but the first."""

    judged: Integers
    """Their places among all customers."""
    fold: Integers
    effects: Mapping[str, Floats]
    """Expected effect by learner, in units of the outcome."""
    arms: ExpectedOutcomes

    def place(self, score: Floats) -> Floats:
        """Each customer's place by a score within their fold: 0 … 1, 1 the highest, ties in the middle.

        Models of different folds differ in level, and scores as they are would rank folds.
        """
        by_fold = pd.Series(score).groupby(self.fold)
        return ((by_fold.rank() - 0.5) / by_fold.transform("size")).to_numpy()


def cross_fit(rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, *, seed: int) -> CrossFit:
    """Fit all learners and the expected outcomes on one fifth of the customers, then two, three and four."""
    fold = experiment.folds(FOLDS, seed=seed)
    effects = {kind: np.empty(len(rows)) for kind in learners.KINDS}
    arms = ExpectedOutcomes(np.empty(len(rows)), np.empty(len(rows)))
    for held_out in range(1, FOLDS):
        apart, before = np.flatnonzero(fold == held_out), np.flatnonzero(fold < held_out)
        test_rows, training_rows, training = rows.iloc[apart], rows.iloc[before], experiment.part(before)
        for kind, predictions in effects.items():
            predictions[apart] = learners.fit_learner(kind, training_rows, inputs, training, seed=seed).effect(
                test_rows
            )
        for treated, predictions in ((True, arms.treated), (False, arms.untreated)):
            booster = learners.fit_arm(training_rows, inputs, training, treated, seed=seed)
            predictions[apart] = least_squares.predict(booster, test_rows, inputs)
    judged = np.flatnonzero(fold > 0)
    of_judged = {kind: predictions[judged] for kind, predictions in effects.items()}
    return CrossFit(judged, fold[judged], of_judged, ExpectedOutcomes(arms.treated[judged], arms.untreated[judged]))
