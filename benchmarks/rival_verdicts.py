"""Verdicts over many days: how often we are better, undecided or worse, against each rival and the best of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.accuracy_table import HIGHER_IS_BETTER, NAMES, side

BEST = "the best rival"


def best_rival(evaluation: Mapping[str, Any], metric: str) -> str | None:
    """The rival with the best value of a metric in one evaluation, picked with hindsight; None if it is undefined."""
    models = evaluation["models"]
    values = {
        name: models[name][metric]["value"]
        for name in evaluation["differences"]
        if models[name][metric]["value"] is not None
    }
    if not values:
        return None
    pick = max if metric in HIGHER_IS_BETTER else min
    return pick(values, key=lambda name: values[name])


def verdict_rows(
    evaluations: Sequence[Mapping[str, Any]], metrics: Sequence[str], *, mean_of: Sequence[str] = ()
) -> list[list[str]]:
    """A line per rival, and one for the best: better / undecided / worse in each metric, and mean differences."""
    rivals = list(evaluations[0]["differences"])
    rows = []
    for rival in [*rivals, BEST]:
        counts = [" / ".join(map(str, _counts(evaluations, rival, metric))) for metric in metrics]
        means = [f"{_mean_difference(evaluations, rival, metric):+.4f}" for metric in mean_of]
        rows.append([NAMES.get(rival, rival), *counts, *means])
    return rows


def losses(evaluation: Mapping[str, Any], metric: str) -> list[tuple[str, tuple[float, ...]]]:
    """The rivals that beat us beyond the interval: our value, theirs, the difference and its interval."""
    ours = next(iter(evaluation["models"]))
    return [
        (
            rival,
            (
                evaluation["models"][ours][metric]["value"],
                evaluation["models"][rival][metric]["value"],
                *(difference[metric][key] for key in ("value", "low", "high")),
            ),
        )
        for rival, difference in evaluation["differences"].items()
        if side(evaluation, rival, metric) < 0
    ]


def _counts(evaluations: Sequence[Mapping[str, Any]], rival: str, metric: str) -> tuple[int, int, int]:
    sides = [side(evaluation, name, metric) for evaluation, name in _pairs(evaluations, rival, metric)]
    return sides.count(1), sides.count(0), sides.count(-1)


def _mean_difference(evaluations: Sequence[Mapping[str, Any]], rival: str, metric: str) -> float:
    pairs = _pairs(evaluations, rival, metric)
    return float(np.mean([evaluation["differences"][name][metric]["value"] for evaluation, name in pairs]))


def _pairs(evaluations: Sequence[Mapping[str, Any]], rival: str, metric: str) -> list[tuple[Mapping[str, Any], str]]:
    """Each evaluation with the rival to compare with, or the best of it."""
    named = [(evaluation, best_rival(evaluation, metric) if rival == BEST else rival) for evaluation in evaluations]
    return [(evaluation, name) for evaluation, name in named if name is not None]
