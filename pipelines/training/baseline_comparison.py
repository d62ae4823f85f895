"""The model compared with each baseline, from the evaluation, in words for people who decide."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from models import CHAMPION
from models.ensemble.base_learners import BTYD_BASELINES, SIMPLE_BASELINES
from models.evaluation.metric_labels import METRICS, Metric

MODELS = {
    "stayworth": "Stayworth",
    "bgnbd_gamma_gamma": "BG/NBD + Gamma-Gamma",
    "pareto_nbd_gamma_gamma": "Pareto/NBD + Gamma-Gamma",
    "rfm_logistic": "RFM logistic regression",
    "last_period": "Same as last period",
    "hiatus": "Hiatus rule",
    CHAMPION: "The champion",
}


CHURN_METRICS = ("roc_auc", "pr_auc", "top_decile_lift", "log_loss", "brier", "ece")
PROFIT_METRICS = ("mpc", "empc", "empb", "best_cut_profit", "own_cut_profit")
VALUE_ERROR_METRICS = ("value_deviance", "mae", "rmse", "r2")
VALUE_METRICS = tuple(name for name in METRICS if name not in (*CHURN_METRICS, *PROFIT_METRICS, *VALUE_ERROR_METRICS))

#: Metrics that decide whether a baseline is beaten: ranking, probability, calibration; ranking and level of value.
DECISIVE = ("roc_auc", "log_loss", "ece", "normalized_gini", "spearman", "value_deviance", "decile_mape")

#: Metrics in which a simple model must be better to serve.
CHOOSING = ("log_loss", "value_deviance")

Outcome = Literal["better", "worse", "mixed", "no clear difference", "not compared"]


@dataclass(frozen=True)
class BaselineComparison:
    """Stayworth against one baseline: the outcome, and the metrics behind it."""

    baseline: str
    outcome: Outcome
    better: tuple[str, ...]
    worse: tuple[str, ...]
    unclear: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The metrics in which it is better, worse, not clearly different, and not comparable, in one sentence."""
        parts = [
            f"{side} {_labels(names)}"
            for side, names in [
                ("better in", self.better),
                ("worse in", self.worse),
                ("no clear difference in", self.unclear),
                ("not comparable in", self.missing),
            ]
            if names
        ]
        text = "; ".join(parts)
        return text[:1].upper() + text[1:] + "."


def compare_with_baselines(metrics: Mapping[str, Any]) -> list[BaselineComparison]:
    """One comparison per baseline in `metrics["differences"]` (Stayworth minus baseline, paired resamples).

    A difference is clear if its interval excludes zero. Wrong by chance now and then: at 95 %, one clear difference
    in twenty comparisons of equals.
    """
    baselines = {name: differences for name, differences in metrics["differences"].items() if name != CHAMPION}
    return [_comparison(name, differences) for name, differences in baselines.items()]


def better_baselines(differences: Mapping[str, Mapping[str, Mapping[str, float | None]]]) -> list[str]:
    """The simple models that are clearly better in log loss and in value error.

    differences: by baseline and metric, Stayworth minus baseline. Clearly: the paired interval lies wholly on its side.
    """
    return [
        name
        for name in (*BTYD_BASELINES, *SIMPLE_BASELINES)
        if all(_side(differences.get(name, {}).get(metric), METRICS[metric]) == "worse" for metric in CHOOSING)
    ]


def mean_differences(
    days: Sequence[Mapping[str, Mapping[str, Mapping[str, float | None]]]],
) -> dict[str, dict[str, dict[str, float | None]]]:
    """The differences to each baseline over several days: means, also of the intervals' ends.

    So wide is the interval of a mean of differences that move together, as those of the same customers on days in a row
    may; it is narrower where they do not.
    """

    def mean(name: str, metric: str, part: str) -> float | None:
        values = [day.get(name, {}).get(metric, {}).get(part) for day in days]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if len(known) == len(values) else None

    return {
        name: {metric: {part: mean(name, metric, part) for part in ("value", "low", "high")} for metric in metrics}
        for name, metrics in days[0].items()
    }


def count_outcomes(comparisons: Sequence[BaselineComparison]) -> str:
    """Count the baselines that are beaten: "clearly better than 2 of 4 simple models, not clearly different from 2 of
    4".
    """
    counts: Counter[str] = Counter(comparison.outcome for comparison in comparisons)
    phrases = {
        "better": "clearly better than {} of {} simple models",
        "worse": "clearly worse than {} of {}",
        "mixed": "better in some ways and worse in others than {} of {}",
        "no clear difference": "not clearly different from {} of {}",
        "not compared": "not compared with {} of {}",
    }
    shown = [outcome for outcome in phrases if counts[outcome] or outcome == "better"]
    return ", ".join(phrases[outcome].format(counts[outcome], len(comparisons)) for outcome in shown)


def _comparison(baseline: str, differences: Mapping[str, Mapping[str, float | None]]) -> BaselineComparison:
    sides: dict[str, list[str]] = {"better": [], "worse": [], "unclear": [], "missing": []}
    for name in DECISIVE:
        sides[_side(differences.get(name), METRICS[name])].append(name)
    better, worse = bool(sides["better"]), bool(sides["worse"])
    outcome: Outcome
    if not (better or worse):
        outcome = "no clear difference" if sides["unclear"] else "not compared"
    else:
        outcome = "mixed" if better and worse else "better" if better else "worse"
    return BaselineComparison(baseline, outcome, **{side: tuple(names) for side, names in sides.items()})


def _side(difference: Mapping[str, float | None] | None, metric: Metric) -> str:
    low, high = (None, None) if difference is None else (difference.get("low"), difference.get("high"))
    if low is None or high is None or low != low or high != high:
        return "missing"
    if low <= 0 <= high:
        return "unclear"
    return "better" if (low > 0) == (metric.better == "higher") else "worse"


def _labels(names: tuple[str, ...]) -> str:
    return ", ".join(METRICS[name].label for name in names)
