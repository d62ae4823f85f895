"""Selection of the uplift learner that ranks customers better than all simple rules do, if one is proven to.

Simple rules are a random order (as in treating everybody, or nobody), the response (highest expected outcome
without treatment first), the risk (lowest first) and what the caller adds. Rankings are of customers the models had not
seen (models/uplift/cross_fitting.py), their Qini is from effects made doubly robust.

The best of many is lucky: the differences of all learners from all rules get intervals that hold at once
(models/evaluation/estimate.py), and a learner is chosen only if it is above every rule beyond them. One that is not
better is chosen in about (1 - confidence) / 2 of cases at most. Whether a rule is better than a random order is a
question of its own: the differences of all rules from it hold at once as well. The intervals are of the rankings as
they are; that models fitted on other customers would rank otherwise is not in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from features.arrays import Floats
from features.errors import InputError
from models.evaluation.bootstrap import percentile_interval, resample_counts
from models.evaluation.estimate import Estimate, simultaneous_differences
from models.uplift import learners as uplift
from models.uplift.cross_fitting import CrossFit
from models.uplift.experiment import Experiment
from models.uplift.qini import mean_effect, qini

RANDOM, RESPONSE, RISK = "random", "response", "risk"
NO_RULES: Mapping[str, Floats] = MappingProxyType({})
"""No rules beyond those that are always compared."""


@dataclass(frozen=True)
class LearnerSelection:
    """The result of the comparison; estimates are per customer, in units of the outcome."""

    learner: str | None
    """One of `uplift.KINDS`, if any is better than every rule."""
    ranking: str
    """The order of treatment: that learner, else the best rule that is better than random, else `random`."""
    qini: Mapping[str, Estimate]
    """Of every learner and rule, each with an interval of its own."""
    ahead: Mapping[str, tuple[str, Estimate]]
    """Of each learner its strongest rule and the lead over it; of each rule the lead over random."""
    everybody: Estimate
    """The effect of treating everybody, against nobody."""

    def __str__(self) -> str:
        """The result as a sentence."""
        best = self.learner or max(uplift.KINDS, key=lambda kind: self.ahead[kind][1].low)
        rule, lead = self.ahead[best][0], self.ahead[best][1].times(1000)
        by = f"{lead.value:+.3g} [{lead.low:.3g}, {lead.high:.3g}] Qini per 1,000 customers above '{rule}'"
        if self.learner:
            return f"learner {best} helps: {by}, its strongest rule"
        return f"no learner helps: the best, {best}, is {by}; the order to treat in is '{self.ranking}'"


def select_learner(
    fitted: CrossFit,
    experiment: Experiment,
    *,
    rules: Mapping[str, Floats] = NO_RULES,
    resamples: int,
    confidence: float,
    seed: int,
) -> LearnerSelection:
    """Compare the fitted learners with the rules; rules: further scores that rank all customers, highest first."""
    learners, simple, judged = list(fitted.effects), _rules(fitted, rules), experiment.part(fitted.judged)
    effects = judged.effects(fitted.arms.expected(judged.propensity))
    places = {name: fitted.place(score) for name, score in {**simple, **fitted.effects}.items()}
    stacks: dict[str, list[Floats]] = {name: [] for name in places}
    totals: list[Floats] = []
    for weights in resample_counts(len(judged), resamples=resamples, seed=seed):
        totals.append(mean_effect(effects, weights))
        for name, place in places.items():
            stacks[name].append(qini(effects, place, weights))

    point = {name: float(qini(effects, place)) for name, place in places.items()}
    draws = {name: np.concatenate(stack) for name, stack in stacks.items()}
    of_learners = [(kind, rule) for kind in learners for rule in simple]
    of_rules = [(rule, RANDOM) for rule in simple if rule != RANDOM]
    leads = [
        lead
        for pairs in (of_learners, of_rules)
        for lead in zip(pairs, simultaneous_differences(point, draws, pairs, confidence=confidence), strict=True)
    ]
    ahead = {
        name: min(((rule, by) for (ranking, rule), by in leads if ranking == name), key=lambda pair: pair[1].low)
        for (name, _), _ in leads
    }
    better = [name for name, (_, by) in ahead.items() if by.low > 0]
    learner = max((name for name in better if name in learners), key=lambda name: point[name], default=None)
    return LearnerSelection(
        learner=learner,
        ranking=learner or max(better, key=lambda name: point[name], default=RANDOM),
        qini={
            name: Estimate(point[name], *percentile_interval(values, confidence=confidence))
            for name, values in draws.items()
        },
        ahead=ahead,
        everybody=Estimate(
            float(mean_effect(effects)), *percentile_interval(np.concatenate(totals), confidence=confidence)
        ),
    )


def _rules(fitted: CrossFit, further: Mapping[str, Floats]) -> dict[str, Floats]:
    """The scores of all simple rules, for the customers with predictions."""
    response = fitted.arms.untreated
    always = {RANDOM: np.zeros_like(response), RESPONSE: response, RISK: -response}
    reserved = [name for name in further if name in always or name in fitted.effects]
    if reserved:
        raise InputError(
            f"'{reserved[0]}' is the name of a learner or of a standard rule",
            where="rules",
            next="Give the rule another name.",
        )
    return {**always, **{name: np.asarray(score)[fitted.judged] for name, score in further.items()}}
