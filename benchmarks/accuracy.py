"""How right our model is on real data, beside all its opponents and the best figures that are known.

Five published tasks, one recipe for all: CDNOW's 39 weeks after 39 weeks, with and without others' future to learn
from; Online Retail II at 90 days, into Christmas, and at 180; Telco's leavers. Intervals hold 95 % of bootstrap draws
of customers, the same draws for every model, so that a difference is judged on pairs: ▼ marks what is worse than ours
beyond it, ▲ what is better.
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
    """What is measured, and the file without which it is not."""

    title: str
    needs: Path
    measure: Callable[[], dict[str, Any]]


TASKS = {
    "CDNOW forward": Task("273 days from 1997-10-01, nothing after it known", CDNOW_SAMPLE, cdnow_forward),
    "CDNOW split": Task("273 days from 1997-10-01, learnt from other customers", CDNOW_SAMPLE, cdnow_split),
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
    "Telco": Task("who leaves, five folds", CUSTOMERS, telco),
}


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks accuracy", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK", help=", ".join(TASKS))
    asked = parser.parse_args(options)
    results = {name: measured(name) for name in asked.only if TASKS[name].needs.exists()}
    for name in asked.only:
        if name not in results:
            print(f"{name}: not measured, {TASKS[name].needs} is not there")
    for name, one in results.items():
        print(
            f"{name}: missed {', '.join(one['missed']) or 'nothing'}; worse than {', '.join(one['worse']) or 'nobody'}"
        )
    print(save("accuracy", results))


def measured(name: str) -> dict[str, Any]:
    """A task's evaluation, shown, with its figures to reach, those missed, and who is better in what."""
    one, figures = TASKS[name].measure(), FIGURES[name]
    title = f"{name}: {TASKS[name].title}; {one['customers']:,} customers"
    show(title, header(one, with_figures=True), lines(one, figures))
    return one | {"figures": figures, "missed": missed(one, figures), "worse": worse(one)}
