"""Accuracy of our model on real data, beside all baselines and the best figures known.

Five published tasks, one recipe for all: CDNOW's second 39 weeks, with and without the future of other customers to
learn from; Online Retail II at 90 days, into Christmas, and at 180; Telco's leavers. Intervals contain 95 % of the
bootstrap resamples of customers, the same resamples for every model, so that differences are paired: ▼ marks a model
that is significantly worse than ours, ▲ one that is significantly better.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.accuracy_figures import FIGURES
from benchmarks.accuracy_shops import CDNOW_SAMPLE, ONLINE_RETAIL
from benchmarks.accuracy_table import header, lines, missed, worse
from benchmarks.accuracy_tasks import cdnow_forward, cdnow_split, online_retail
from benchmarks.accuracy_telco import CUSTOMERS, telco
from benchmarks.table import save, show


@dataclass(frozen=True)
class Task:
    """A published task: how it is measured, and the file it needs."""

    title: str
    needs: Path
    measure: Callable[[], dict[str, Any]]


TASKS = {
    "CDNOW forward": Task("273 days from 1997-10-01, nothing after it known", CDNOW_SAMPLE, cdnow_forward),
    "CDNOW split": Task("273 days from 1997-10-01, learned from other customers", CDNOW_SAMPLE, cdnow_split),
    "ORII-90": Task(
        "90 days from 2011-09-10, into Christmas",
        ONLINE_RETAIL.orders,
        partial(online_retail, as_of=date(2011, 9, 10), horizon_days=90),
    ),
    "ORII-180": Task(
        "180 days from 2011-06-12",
        ONLINE_RETAIL.orders,
        partial(online_retail, as_of=date(2011, 6, 12), horizon_days=180),
    ),
    "Telco": Task("contractual churn, five folds", CUSTOMERS, telco),
}


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK", help=", ".join(TASKS))
    arguments = parser.parse_args(options)
    results = {name: measure_task(name) for name in arguments.only if TASKS[name].needs.exists()}
    for name in arguments.only:
        if name not in results:
            print(f"{name}: not measured, {TASKS[name].needs} does not exist")
    for name, result in results.items():
        missed_targets, better = ", ".join(result["missed"]) or "no target", ", ".join(result["worse"]) or "no baseline"
        print(f"{name}: missed {missed_targets}; worse than {better}")
    print(save("accuracy", results))


def measure_task(name: str) -> dict[str, Any]:
    """Measure and show a task; returns its evaluation, the targets, those missed, and the better baselines."""
    evaluation, figures = TASKS[name].measure(), FIGURES[name]
    title = f"{name}: {TASKS[name].title}; {evaluation['customers']:,} customers"
    show(title, header(evaluation, with_figures=True), lines(evaluation, figures))
    return evaluation | {"figures": figures, "missed": missed(evaluation, figures), "worse": worse(evaluation)}
