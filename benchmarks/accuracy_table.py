"""An evaluation as a table: one line per metric, one column per model, the target beside ours."""

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
"""Metrics of which higher, or lower, is always better, so that the sign of a difference tells which model is better."""
MARKS = {1: " ▼", 0: "", -1: " ▲"}
"""Mark beside a baseline's value: worse than ours, undecided, better; by the interval of the difference."""
NAMES = {
    "bgnbd_gamma_gamma": "BG/NBD",
    "pareto_nbd_gamma_gamma": "Pareto/NBD",
    "last_period": "last period",
    "rfm_logistic": "RFM logit",
    "logistic_regression": "logistic",
    "gradient_boosting": "hist. boosting",
}

Measured = Mapping[str, float | None]
"""A metric with its interval: value, low, high; None if undefined."""


def header(evaluation: Mapping[str, Any], *, with_figures: bool = False) -> list[str]:
    """The columns of `lines`: ours, the target, the baselines."""
    ours, *baselines = (NAMES.get(name, name) for name in evaluation["models"])
    return ["", ours, *(["target"] if with_figures else []), *baselines]


def lines(evaluation: Mapping[str, Any], figures: Mapping[str, str] | None = None) -> list[list[str]]:
    """One line per metric, each value above its interval; metrics undefined for all models are left out."""
    ours, *baselines = evaluation["models"]
    rows = []
    for metric, title in METRICS.items():
        measured = {name: metrics[metric] for name, metrics in evaluation["models"].items() if metric in metrics}
        if all(estimate["value"] is None for estimate in measured.values()):
            continue
        targets = [] if figures is None else [target(metric, measured[ours], figures)]
        cells = [
            cell(metric, measured[name], MARKS[side(evaluation, name, metric)]) if name in measured else ""
            for name in baselines
        ]
        rows.append([title, cell(metric, measured[ours]), *targets, *cells])
    return rows


def cell(metric: str, measured: Measured, mark: str = "") -> str:
    """A value above its interval, such as .804 above .796, .812; a dash if undefined."""
    form = FORMS.get(metric, "{:.3f}")
    value, low, high = (
        "–" if measured[key] is None else re.sub(r"^0\.", ".", form.format(measured[key]))
        for key in ("value", "low", "high")
    )
    return f"{value}{mark}\n{low}, {high}"


def plain_cell(evaluation: Mapping[str, Any], name: str, metric: str) -> str:
    """A model's value with its mark, without the interval."""
    return cell(metric, evaluation["models"][name][metric], MARKS[side(evaluation, name, metric)]).split("\n")[0]


def target(metric: str, measured: Measured, figures: Mapping[str, str]) -> str:
    """The target above "reached" or "missed"; empty without a target."""
    if metric not in figures:
        return ""
    return f"{figures[metric]}\n{'reached' if _reached(measured, figures[metric]) else 'missed'}"


def missed(evaluation: Mapping[str, Any], figures: Mapping[str, str]) -> list[str]:
    """The metrics in which our model misses its target."""
    ours = next(iter(evaluation["models"].values()))
    return [METRICS[metric] for metric, figure in figures.items() if not _reached(ours[metric], figure)]


def worse(evaluation: Mapping[str, Any]) -> list[str]:
    """Baselines that beat ours by the whole interval of the difference, and the metric."""
    return [
        f"{NAMES.get(baseline, baseline)} in {METRICS[metric]}"
        for baseline in evaluation["differences"]
        for metric in COMPARED
        if side(evaluation, baseline, metric) < 0
    ]


def _reached(measured: Measured, figure: str) -> bool:
    return measured["value"] is not None and is_reached(measured["value"], figure)


def side(evaluation: Mapping[str, Any], baseline: str, metric: str) -> int:
    """1 if ours beats a baseline in a metric, −1 if it is worse, 0 if undecided or not compared."""
    difference = evaluation["differences"].get(baseline, {}).get(metric)
    return verdict(metric, difference) if difference and metric in COMPARED else 0


def verdict(metric: str, difference: Measured) -> int:
    """1 if the whole interval of our difference is on the better side, −1 on the worse, 0 if it contains 0."""
    low, high = difference["low"], difference["high"]
    if low is None or high is None or low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (metric in HIGHER_IS_BETTER) else -1


def verdicts(evaluations: list[dict[str, Any]]) -> list[list[str]]:
    """One line per baseline: in how many evaluations we are better, undecided or worse, per metric."""
    return [
        [
            NAMES.get(baseline, baseline),
            *(
                " / ".join(
                    str(sum(side(evaluation, baseline, metric) == outcome for evaluation in evaluations))
                    for outcome in (1, 0, -1)
                )
                for metric in COMPARED
            ),
        ]
        for baseline in evaluations[0]["differences"]
    ]
