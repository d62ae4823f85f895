"""Whom a mail moves: all learners of uplift beside the simple rules on Hillstrom's randomised mails.

64,000 customers, a third of them sent a mail about women's, a third about men's goods, a third none; what came of it
are visits and spend (currency units) within two weeks. Figures are per 1,000 customers, of the four fifths that are
judged by models that had not seen them; intervals hold 95 % of bootstrap draws. `ahead` is the Qini above the rule that
a learner is least surely above; its intervals hold all at once, and decide. `half` is what treating the better half by
a ranking adds to treating a half at random: the doubly robust value of that policy, with the interval of a mean.

Radcliffe counts what the treated alone bring: divided by all customers of two equal arms, his figures are half of ours.
"""

import argparse
from dataclasses import asdict
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy_shops import SHARED
from benchmarks.table import save, show
from models.evaluation.estimate import Estimate
from models.trees import boosting
from models.uplift import policy_value
from models.uplift.cross_fitting import cross_fit
from models.uplift.experiment import Experiment
from models.uplift.learner_selection import RANDOM, RESPONSE, RISK, LearnerSelection, select_learner

CUSTOMERS = SHARED / "hillstrom" / "customers.parquet"
FEATURES = ("recency", "history", "mens", "womens", "zip_code", "newbie", "channel")
NO_MAIL = "No E-Mail"
MAILS = {"women's": ("Womens E-Mail",), "men's": ("Mens E-Mail",), "pooled": ("Womens E-Mail", "Mens E-Mail")}
OUTCOMES = ("visit", "spend")
CONFIDENCE, SEED = 0.95, 7


def hillstrom(mail: str, outcome: str) -> tuple[pd.DataFrame, Experiment]:
    """The customers who were sent one of these mails, or none."""
    everyone = pd.read_parquet(CUSTOMERS)
    rows = everyone[everyone["segment"].isin([NO_MAIL, *MAILS[mail]])].reset_index(drop=True)
    share = len(MAILS[mail]) / (len(MAILS[mail]) + 1)
    treated = (rows["segment"] != NO_MAIL).to_numpy()
    return rows, Experiment(treated, rows[outcome].to_numpy(float), np.full(len(rows), share), f"Hillstrom, {mail}")


def measure(mail: str, outcome: str, *, resamples: int, seed: int) -> tuple[LearnerSelection, dict[str, Estimate]]:
    """The choice, and by ranking what its better half brings above a random half."""
    rows, experiment = hillstrom(mail, outcome)
    fitted = cross_fit(rows, boosting.inputs_of(rows, FEATURES), experiment, seed=seed)
    choice = select_learner(fitted, experiment, resamples=resamples, confidence=CONFIDENCE, seed=seed)
    judged, response = experiment.part(fitted.judged), fitted.arms.untreated
    scores = {RANDOM: 0 * response, RESPONSE: response, RISK: -response, **fitted.effects}
    half = {
        name: policy_value.policy_advantage(
            np.where(place == 0.5, 0.5, place > 0.5), 0.5, judged, fitted.arms, cost=0.0, confidence=CONFIDENCE
        )
        for name, place in ((name, fitted.place(score)) for name, score in scores.items())
    }
    return choice, half


def cell(figure: Estimate) -> str:
    """Per 1,000 customers."""
    one = figure.times(1000)
    return f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]"


def lines(choice: LearnerSelection, half: dict[str, Estimate]) -> list[list[str]]:
    """A line for each rule and learner."""
    told = []
    for name, figure in choice.qini.items():
        rule, by = choice.ahead.get(name, ("", None))
        told.append([name, cell(figure), rule, cell(by) if by else "", cell(half[name])])
    return told


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks uplift", description=__doc__)
    parser.add_argument("--mails", nargs="+", choices=MAILS, default=list(MAILS))
    parser.add_argument("--outcomes", nargs="+", choices=OUTCOMES, default=list(OUTCOMES))
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED, help="of folds, trees and draws")
    asked = parser.parse_args(options)
    results: dict[str, Any] = {}
    if not CUSTOMERS.exists():
        print(f"uplift: not measured, {CUSTOMERS} is not there")
        asked.outcomes = []
    for outcome in asked.outcomes:
        for mail in asked.mails:
            start = perf_counter()
            choice, half = measure(mail, outcome, resamples=asked.resamples, seed=asked.seed)
            seconds = perf_counter() - start
            title = f"{outcome}, {mail} mail: to everybody {cell(choice.everybody)}; {seconds:.0f} s"
            show(title, ["", "Qini", "least surely above", "ahead", "half"], lines(choice, half))
            print(choice)
            found = asdict(choice) | {"half": {name: asdict(one) for name, one in half.items()}}
            results[f"{outcome}, {mail}"] = found | {"says": str(choice), "seconds": seconds}
    print(save("uplift", {"seed": asked.seed, "resamples": asked.resamples, "tasks": results}))
