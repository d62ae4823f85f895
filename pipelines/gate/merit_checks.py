"""The gate's checks of how well the candidate predicts: against the champion, the simple models, and its own word."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models import CHAMPION, STAYWORTH
from models.evaluation.estimate import Z95
from models.evaluation.metric_labels import METRICS
from pipelines.gate.check_result import CheckResult, check_result
from pipelines.gate.evidence import Evidence
from pipelines.training.baseline_comparison import MODELS

DECISIVE = ("log_loss", "value_deviance")
"""Of the probability, and of the money: both are best for who predicts the expectation; no whale decides them."""

NEEDED = ("roc_auc", "log_loss", "brier", "ece", "value_deviance", "rmse", "spearman", "normalized_gini", "total_bias")
"""What every evaluation must hold, as a number; others are undefined on some data."""

WORST_ECE = 0.03
"""Calibration error that chance does not explain."""

WORST_BIAS = 0.15
"""Share by which the predicted total may miss the realised, where its interval does not say that it may be less."""


def complete(evidence: Evidence) -> CheckResult:
    """Every needed metric of the candidate and of at least one opponent, and the differences of the decisive ones."""
    models = evidence.metrics["models"]
    opponents = [name for name in models if name not in (STAYWORTH, CHAMPION)]
    missing = [f"{name} of {STAYWORTH}" for name in NEEDED if _value(models.get(STAYWORTH, {}), name) is None]
    missing += [
        f"{name} against {other}"
        for other in [name for name in models if name != STAYWORTH]
        for name in DECISIVE
        if _value(evidence.metrics["differences"].get(other, {}), name, "low") is None
    ]
    if not opponents:
        missing.append("every simple model")
    if evidence.champion_stands and CHAMPION not in models:
        missing.append("the champion")
    if missing:
        return CheckResult("fail", f"{len(missing)} missing or undefined: {', '.join(missing[:5])}")
    return CheckResult("pass", f"{len(NEEDED)} metrics, {len(opponents)} simple models")


def champion(evidence: Evidence) -> CheckResult:
    """Worse is a paired difference whose whole interval lies on the wrong side, in log loss or in value error."""
    rival = evidence.rival
    if rival is None:
        return CheckResult("pass", "there is no champion yet")
    if rival.scorer is None:
        return CheckResult("warn", f"version {rival.number} was {rival.how}")
    if CHAMPION not in evidence.metrics["differences"]:
        return CheckResult("fail", f"version {rival.number} can be compared and was not")
    worse = _worse(evidence.metrics, CHAMPION)
    if worse:
        return CheckResult("fail", f"worse than version {rival.number} ({rival.how}) in {'; '.join(worse)}")
    shown = ", ".join(_difference(evidence.metrics, CHAMPION, name) for name in DECISIVE)
    return CheckResult("pass", f"against version {rival.number} ({rival.how}): {shown}")


def baselines(evidence: Evidence) -> CheckResult:
    """As against the champion; excused where the champion is no better."""
    others = [name for name in evidence.metrics["differences"] if name != CHAMPION]
    worse = {name: found for name in others if (found := _worse(evidence.metrics, name))}
    if not worse:
        return CheckResult(
            "pass", f"not clearly worse than any of {len(others)} in {' or '.join(map(_label, DECISIVE))}"
        )
    said = "; ".join(f"{MODELS.get(name, name)}: {', '.join(found)}" for name, found in worse.items())
    return _excused(evidence, f"worse than {said}", DECISIVE)


def calibration(evidence: Evidence) -> CheckResult:
    """The calibration error beyond what chance gives a perfect model of as many customers."""
    found = _value(evidence.metrics["models"].get(STAYWORTH, {}), "ece")
    bins = evidence.metrics.get("calibration", {}).get(STAYWORTH)
    if found is None or not bins:
        return CheckResult("not examined", "there is no calibration error")
    limit = WORST_ECE + by_chance(bins)
    said = f"ECE {found:.3f}; at most {limit:.3f}: {WORST_ECE} and {limit - WORST_ECE:.3f} by chance"
    return CheckResult("pass", said) if found <= limit else _excused(evidence, said, ("ece",))


def total_bias(evidence: Evidence) -> CheckResult:
    """The predicted total against the realised; wrong only if its whole interval is."""
    bias = evidence.metrics["models"].get(STAYWORTH, {}).get("total_bias") or {}
    value, low, high = (bias.get(name) for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return CheckResult("not examined", "there is no total bias")
    said = f"the predicted total misses by {value:+.1%} ({low:+.1%} to {high:+.1%}); at most ±{WORST_BIAS:.0%}"
    return (
        CheckResult("pass", said)
        if low <= WORST_BIAS and high >= -WORST_BIAS
        else _excused(evidence, said, ("total_bias",))
    )


def by_chance(bins: list[Mapping[str, Any]]) -> float:
    """The ECE that a perfectly calibrated model stays below 39 times of 40, from the bins of its calibration.

    A bin of n customers with churn p misses by |N(0, p(1 − p)/n)|: mean √(2/π) s, deviation √(1 − 2/π) s.
    """
    share = np.array([one["predicted"] for one in bins], dtype=float)
    customers = np.array([max(one["customers"], 1) for one in bins], dtype=float)
    weight = customers / customers.sum()
    spread = np.sqrt(share * (1 - share) / customers)
    mean, deviation = np.sqrt(2 / np.pi), np.sqrt(1 - 2 / np.pi)
    return float(mean * (weight * spread).sum() + Z95 * deviation * np.sqrt(((weight * spread) ** 2).sum()))


def _excused(evidence: Evidence, said: str, metrics: tuple[str, ...]) -> CheckResult:
    """Fail, or a warning where the champion that would stay is no better in any of these metrics."""
    models = evidence.metrics["models"]
    if CHAMPION in models:
        pairs = [(_value(models[STAYWORTH], name), _value(models[CHAMPION], name)) for name in metrics]
        if all(ours is not None and theirs is not None and abs(theirs) >= abs(ours) for ours, theirs in pairs):
            return CheckResult("warn", f"{said}; the champion is no better")
    return check_result(False, said)


def _worse(metrics: Mapping[str, Any], other: str) -> list[str]:
    """The decisive metrics in which our model is clearly worse than another."""
    found = metrics["differences"].get(other, {})
    return [_difference(metrics, other, name) for name in DECISIVE if (_value(found, name, "low") or 0) > 0]


def _difference(metrics: Mapping[str, Any], other: str, name: str) -> str:
    value, low, high = (_value(metrics["differences"][other], name, part) for part in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return f"{_label(name)} undefined"
    return f"{_label(name)} {value:+.4g} ({low:+.4g} to {high:+.4g}), wrong above 0"


def _label(name: str) -> str:
    return METRICS[name].label


def _value(entries: Mapping[str, Any], name: str, part: str = "value") -> float | None:
    """A figure of the evaluation; None if it is absent, undefined or no number."""
    value = (entries.get(name) or {}).get(part)
    return value if isinstance(value, int | float) and np.isfinite(value) else None
