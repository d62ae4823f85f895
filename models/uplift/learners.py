"""Uplift learners: five learners of the effect of a treatment on each customer, with one interface.

y is the outcome, t 1 for treated, e the propensity, μ1(x) and μ0(x) what is expected with and without treatment, and
τ(x) = μ1(x) - μ0(x) the effect. All are least squares by trees (models/trees/least_squares.py), so that an amount and a
yes or no are learned alike, and all take a propensity that differs by customer.

    S      one model of y from x and t; τ = μ(x, 1) - μ(x, 0). Shrinks the effect towards 0.
    T      a model of each arm; τ = μ1(x) - μ0(x). What either gets wrong stands in the effect.
    X      trees of y - μ0(x) on the treated, of μ1(x) - y on the others, averaged with weights of 1 - ē and ē, ē the
           mean propensity. Each customer is compared with the model of the other arm, which has not seen them.
           S, T, X: Künzel, Sekhon, Bickel and Yu (2019), PNAS 116(10), who allow any weights.
    R      min Σ ((y - m(x)) - (t - e) τ(x))², m(x) the expected outcome, fitted without the customer's own fold.
           Nie and Wager (2021), Biometrika 108(2).
    class  trees of 2 s (y - c), s = 1 for treated, -1 for the others, weighted by 1 / probability of the arm; c is any
           constant, here the mean of y. With y 0 or 1 and c = 1/2 it is 2 z - 1 for the class z = (y = t) of Jaskowski
           and Jaroszewicz (2012), ICML workshop on clinical data analysis.

No learner knows how sure it is; models/uplift/learner_selection.py measures that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.errors import InputError
from models.trees import boosting, least_squares
from models.uplift.experiment import Experiment

TREATED = "(treated)"
"""The input that says whether a customer is treated; no feature has such a name."""
FOLDS = 3
"""The folds in which the R-learner's expected outcomes are fitted."""


@dataclass(frozen=True)
class Term:
    """Trees, and their weight in the effect."""

    booster: boosting.Booster
    weight: float
    arm: float | None = None
    """The value of the input `TREATED`; None: the trees do not have it."""


@dataclass(frozen=True)
class Uplift:
    """A fitted learner: a weighted sum of trees."""

    kind: str
    """One of `KINDS`."""
    inputs: boosting.Inputs
    terms: tuple[Term, ...]

    def effect(self, rows: pd.DataFrame) -> Floats:
        """The expected effect of treatment on the outcome of each customer."""
        return np.sum([term.weight * self._predict(term, rows) for term in self.terms], axis=0)

    def _predict(self, term: Term, rows: pd.DataFrame) -> Floats:
        if term.arm is None:
            return least_squares.predict(term.booster, rows, self.inputs)
        return least_squares.predict(term.booster, rows.assign(**{TREATED: term.arm}), {**self.inputs, TREATED: None})


def fit_learner(kind: str, rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, *, seed: int) -> Uplift:
    """Fit a learner of `KINDS` on rows of features known before the treatment, in the order of the experiment."""
    if kind not in KINDS:
        raise InputError(f"'{kind}' is not one of {', '.join(KINDS)}", where="uplift learner", next="Choose one.")
    if len(rows) != len(experiment):
        raise InputError(
            f"{len(rows):,} rows of features for {len(experiment):,} customers",
            where=experiment.where,
            next="Give a row for each customer, in the same order.",
        )
    return Uplift(kind, inputs, KINDS[kind](rows, inputs, experiment, seed))


def fit_arm(
    rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, treated: bool, *, seed: int
) -> boosting.Booster:
    """Fit trees of μ1 or μ0: of the outcome in one arm, each customer weighted by 1 / probability of that arm."""
    return _in_arm(rows, inputs, experiment, experiment.outcome, treated, seed)


def _in_arm(
    rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, target: Floats, treated: bool, seed: int
) -> boosting.Booster:
    in_arm = experiment.treated == treated
    slope = experiment.of_arm[in_arm] ** -0.5
    return least_squares.grow_trees(rows[in_arm], inputs, slope * target[in_arm], slope=slope, seed=seed)


def _s(rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, seed: int) -> tuple[Term, ...]:
    slope, both = experiment.of_arm**-0.5, rows.assign(**{TREATED: experiment.treated.astype(float)})
    booster = least_squares.grow_trees(
        both, {**inputs, TREATED: None}, slope * experiment.outcome, slope=slope, seed=seed
    )
    return Term(booster, 1.0, arm=1.0), Term(booster, -1.0, arm=0.0)


def _t(rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, seed: int) -> tuple[Term, ...]:
    with_it, without = (fit_arm(rows, inputs, experiment, treated, seed=seed) for treated in (True, False))
    return Term(with_it, 1.0), Term(without, -1.0)


def _x(rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, seed: int) -> tuple[Term, ...]:
    with_it, without = (
        least_squares.predict(term.booster, rows, inputs) for term in _t(rows, inputs, experiment, seed)
    )
    gained = np.where(experiment.treated, experiment.outcome - without, with_it - experiment.outcome)
    of_treated, of_others = (_in_arm(rows, inputs, experiment, gained, treated, seed) for treated in (True, False))
    share = float(experiment.propensity.mean())
    return Term(of_treated, 1 - share), Term(of_others, share)


def _r(rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, seed: int) -> tuple[Term, ...]:
    y, fold = experiment.outcome, experiment.folds(FOLDS, seed=seed)
    expected = np.empty(len(rows))
    for held_out in range(FOLDS):
        apart, kept = fold == held_out, fold != held_out
        expected[apart] = least_squares.predict(
            least_squares.grow_trees(rows[kept], inputs, y[kept], seed=seed), rows[apart], inputs
        )
    slope = experiment.treated - experiment.propensity
    return (Term(least_squares.grow_trees(rows, inputs, y - expected, slope=slope, seed=seed), 1.0),)


def _class(rows: pd.DataFrame, inputs: boosting.Inputs, experiment: Experiment, seed: int) -> tuple[Term, ...]:
    sign, slope = np.where(experiment.treated, 1.0, -1.0), experiment.of_arm**-0.5
    target = 2 * sign * (experiment.outcome - experiment.outcome.mean())
    return (Term(least_squares.grow_trees(rows, inputs, slope * target, slope=slope, seed=seed), 1.0),)


Learner = Callable[[pd.DataFrame, boosting.Inputs, Experiment, int], tuple[Term, ...]]
KINDS: Mapping[str, Learner] = MappingProxyType({"S": _s, "T": _t, "X": _x, "R": _r, "class": _class})
"""The learners by name."""
