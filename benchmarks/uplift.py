"""Uplift learners beside simple rules on Hillstrom's randomised e-mail experiment.

64,000 customers: a third got a mail about women's goods, a third about men's, a third none; the outcomes are visits and
spending (currency units) within two weeks. Figures are per 1,000 customers, on the four fifths judged by models that
had not seen them; intervals contain 95 % of the bootstrap resamples. `lead` is by how much a learner's Qini exceeds
that of its closest rule, the one it beats least surely; its intervals hold all at once, and decide. `top half` is what
treating the better half of a ranking adds to treating a random half: the doubly robust value of that policy, with the
interval of a mean.

Radcliffe counts the outcomes of the treated only: divided by all customers of two equal arms, his figures are half of
ours.
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
    """Customers who got one of these mails, or none, and the experiment."""
    everyone = pd.read_parquet(CUSTOMERS)
    rows = everyone[everyone["segment"].isin([NO_MAIL, *MAILS[mail]])].reset_index(drop=True)
    share = len(MAILS[mail]) / (len(MAILS[mail]) + 1)
    treated = (rows["segment"] != NO_MAIL).to_numpy()
    return rows, Experiment(treated, rows[outcome].to_numpy(float), np.full(len(rows), share), f"Hillstrom, {mail}")


def measure(mail: str, outcome: str, *, resamples: int, seed: int) -> tuple[LearnerSelection, dict[str, Estimate]]:
    """The choice of a learner, and for each ranking the gain of its better half over a random half."""
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


def cell(estimate: Estimate) -> str:
    """An estimate per 1,000 customers as text."""
    scaled = estimate.times(1000)
    return f"{scaled.value:.2f} [{scaled.low:.2f}, {scaled.high:.2f}]"


def lines(choice: LearnerSelection, half: dict[str, Estimate]) -> list[list[str]]:
    """One line for each rule and learner."""
    rows = []
    for name, estimate in choice.qini.items():
        rule, lead = choice.ahead.get(name, ("", None))
        rows.append([name, cell(estimate), rule, cell(lead) if lead else "", cell(half[name])])
    return rows


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks uplift", description=__doc__)
    parser.add_argument("--mails", nargs="+", choices=MAILS, default=list(MAILS))
    parser.add_argument("--outcomes", nargs="+", choices=OUTCOMES, default=list(OUTCOMES))
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED, help="of folds, trees and draws")
    arguments = parser.parse_args(options)
    results: dict[str, Any] = {}
    if not CUSTOMERS.exists():
        print(f"uplift: not measured, {CUSTOMERS} does not exist")
        arguments.outcomes = []
    for outcome in arguments.outcomes:
        for mail in arguments.mails:
            start = perf_counter()
            choice, half = measure(mail, outcome, resamples=arguments.resamples, seed=arguments.seed)
            seconds = perf_counter() - start
            title = f"{outcome}, {mail} mail: treating everybody {cell(choice.everybody)}; {seconds:.0f} s"
            show(title, ["", "Qini", "closest rule", "lead", "top half"], lines(choice, half))
            print(choice)
            result = asdict(choice) | {"half": {name: asdict(estimate) for name, estimate in half.items()}}
            results[f"{outcome}, {mail}"] = result | {"says": str(choice), "seconds": seconds}
    print(save("uplift", {"seed": arguments.seed, "resamples": arguments.resamples, "tasks": results}))
