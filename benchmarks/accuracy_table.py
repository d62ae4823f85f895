"""An evaluation as a table: a metric per line, a model per column, what is to be reached beside ours."""

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.accuracy_figures import is_reached

METRICS = {
    "roc_auc": "AUC",
    "log_loss": "log loss",
    "ece": "ECE",
    "normalized_gini": "norm. Gini",
    "spearman": "Spearman",
    "decile_mape": "decile MAPE",
    "total_bias": "total bias",
    "value_deviance": "deviance",
    "interval_coverage": "coverage",
}
FORMS = {"decile_mape": "{:.0%}", "interval_coverage": "{:.0%}", "total_bias": "{:+.0%}", "value_deviance": "{:.2f}"}
HIGHER_IS_BETTER = {"roc_auc", "spearman", "normalized_gini"}
COMPARED = [metric for metric in METRICS if metric not in ("total_bias", "interval_coverage")]
"""Metrics that are the better the higher, or the lower: a difference of two models has a better side."""
MARKS = {1: " ▼", 0: "", -1: " ▲"}
"""Beside an opponent's value: it is worse than ours, not to tell apart, better; by the interval of the difference."""
NAMES = {
    "bgnbd_gamma_gamma": "BG/NBD",
    "pareto_nbd_gamma_gamma": "Pareto/NBD",
    "last_period": "last period",
    "rfm_logistic": "RFM logit",
    "hist_gradient_boosting": "hist. boosting",
}

Found = Mapping[str, float | None]
"""A metric's value and the ends of its interval: value, low, high; None what is undefined."""


def header(evaluation: Mapping[str, Any], *, with_figures: bool = False) -> list[str]:
    """The columns of `lines`: ours, the figure to reach, the opponents."""
    ours, *others = (NAMES.get(name, name) for name in evaluation["models"])
    return ["", ours, *(["to reach"] if with_figures else []), *others]


def lines(evaluation: Mapping[str, Any], figures: Mapping[str, str] | None = None) -> list[list[str]]:
    """A metric per line, each value above its interval; metrics that are undefined for all are left out."""
    ours, *others = evaluation["models"]
    found = []
    for metric, title in METRICS.items():
        measured = {name: of[metric] for name, of in evaluation["models"].items() if metric in of}
        if all(one["value"] is None for one in measured.values()):
            continue
        wanted = [] if figures is None else [wish(metric, measured[ours], figures)]
        cells = [
            cell(metric, measured[name], MARKS[side(evaluation, name, metric)]) if name in measured else ""
            for name in others
        ]
        found.append([title, cell(metric, measured[ours]), *wanted, *cells])
    return found


def cell(metric: str, found: Found, mark: str = "") -> str:
    """A value above its interval: .804 over .796, .812, a dash for what is undefined."""
    form = FORMS.get(metric, "{:.3f}")
    value, low, high = (
        "–" if found[key] is None else re.sub(r"^0\.", ".", form.format(found[key])) for key in ("value", "low", "high")
    )
    return f"{value}{mark}\n{low}, {high}"


def wish(metric: str, found: Found, figures: Mapping[str, str]) -> str:
    """The figure to reach above whether it was; nothing where there is none."""
    if metric not in figures:
        return ""
    return f"{figures[metric]}\n{'reached' if _reached(found, figures[metric]) else 'missed'}"


def missed(evaluation: Mapping[str, Any], figures: Mapping[str, str]) -> list[str]:
    """The metrics in which ours does not reach its figure."""
    ours = next(iter(evaluation["models"].values()))
    return [METRICS[metric] for metric, figure in figures.items() if not _reached(ours[metric], figure)]


def worse(evaluation: Mapping[str, Any]) -> list[str]:
    """Opponents that are better than ours, the whole interval of the difference says so, and in what."""
    return [
        f"{NAMES.get(opponent, opponent)} in {METRICS[metric]}"
        for opponent in evaluation["differences"]
        for metric in COMPARED
        if side(evaluation, opponent, metric) < 0
    ]


def _reached(found: Found, figure: str) -> bool:
    return found["value"] is not None and is_reached(found["value"], figure)


def side(evaluation: Mapping[str, Any], opponent: str, metric: str) -> int:
    """1 if ours is better than an opponent by a metric, −1 if worse, 0 if not to tell apart or not to compare."""
    difference = evaluation["differences"].get(opponent, {}).get(metric)
    return verdict(metric, difference) if difference and metric in COMPARED else 0


def verdict(metric: str, difference: Found) -> int:
    """1 if the whole interval of our difference is on the better side, −1 on the worse, 0 if it holds 0."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None or low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (metric in HIGHER_IS_BETTER) else -1


def verdicts(evaluations: list[dict[str, Any]]) -> list[list[str]]:
    """An opponent per line; in how many evaluations we are better, not to tell apart, or worse, per metric."""
    return [
        [
            NAMES.get(opponent, opponent),
            *(
                " / ".join(str(sum(side(one, opponent, metric) == way for one in evaluations)) for way in (1, 0, -1))
                for metric in COMPARED
            ),
        ]
        for opponent in evaluations[0]["differences"]
    ]
