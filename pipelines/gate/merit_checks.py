"""The gate's checks of how well the candidate predicts: against the champion, the simple models, and the outcomes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models import CHAMPION, STAYWORTH
from models.evaluation.estimate import Z95
from models.evaluation.metric_labels import METRICS
from pipelines.gate.check_result import CheckResult, check_result
from pipelines.gate.evidence import CandidateEvidence, Evidence
from pipelines.training.baseline_comparison import MODELS
from pipelines.training.lifetime_choice import NAMES

DECISIVE = ("log_loss", "value_deviance")
"""One metric of the probability, one of the money: both are best for the true expectation, and neither is decided by a
few large customers."""

NEEDED = ("roc_auc", "log_loss", "brier", "ece", "value_deviance", "rmse", "spearman", "normalized_gini", "total_bias")
"""Metrics that every evaluation must contain as numbers; others are undefined on some data."""

WORST_ECE = 0.03
"""The most calibration error beyond that of chance."""

WORST_BIAS = 0.15
"""Share by which the predicted total may miss the realised one, unless its interval contains a smaller share."""


def complete(evidence: Evidence) -> CheckResult:
    """Require every needed metric of the candidate and the decisive differences to at least one baseline."""
    models = evidence.metrics["models"]
    simple = [name for name in models if name not in (STAYWORTH, CHAMPION)]
    missing = [f"{name} of {STAYWORTH}" for name in NEEDED if _value(models.get(STAYWORTH, {}), name) is None]
    missing += [
        f"{name} against {other}"
        for other in [name for name in models if name != STAYWORTH]
        for name in DECISIVE
        if _value(evidence.metrics["differences"].get(other, {}), name, "low") is None
    ]
    if not simple:
        missing.append("every simple model")
    if evidence.has_comparable_champion and CHAMPION not in models:
        missing.append("the champion")
    if missing and not evidence.metrics.get("judgement", {"is_judged": True})["is_judged"]:
        return CheckResult("warn", f"the horizon was not judged; {len(missing)} undefined: {', '.join(missing[:5])}")
    if missing:
        return CheckResult("fail", f"{len(missing)} missing or undefined: {', '.join(missing[:5])}")
    return CheckResult("pass", f"{len(NEEDED)} metrics, {len(simple)} simple models")


def champion(evidence: CandidateEvidence) -> CheckResult:
    """Fail if it is clearly worse, a paired interval wholly on the wrong side, in log loss or in value error."""
    served = evidence.champion
    if served is None:
        return CheckResult("pass", "there is no champion yet")
    if served.scorer is None:
        return CheckResult("warn", f"version {served.number} was {served.basis}")
    if CHAMPION not in evidence.metrics["differences"]:
        return CheckResult("fail", f"version {served.number} could be compared and was not")
    worse = _worse(evidence.metrics, CHAMPION)
    if worse:
        return CheckResult("fail", f"worse than version {served.number} ({served.basis}) in {'; '.join(worse)}")
    shown = ", ".join(_difference(evidence.metrics, CHAMPION, name) for name in DECISIVE)
    return CheckResult("pass", f"against version {served.number} ({served.basis}): {shown}")


def baselines(evidence: CandidateEvidence) -> CheckResult:
    """Fail if it is clearly worse than a simple model; warn where the champion is no better either."""
    others = [name for name in evidence.metrics["differences"] if name != CHAMPION]
    worse = {name: differences for name in others if (differences := _worse(evidence.metrics, name))}
    if not worse:
        return CheckResult(
            "pass", f"not clearly worse than any of {len(others)} in {' or '.join(map(_label, DECISIVE))}"
        )
    listed = "; ".join(f"{MODELS.get(name, name)}: {', '.join(differences)}" for name, differences in worse.items())
    return _fail_or_warn(evidence, f"worse than {listed}", DECISIVE)


def calibration(evidence: CandidateEvidence) -> CheckResult:
    """Limit the calibration error beyond that which chance gives a perfect model of as many customers."""
    ece = _value(evidence.metrics["models"].get(STAYWORTH, {}), "ece")
    bins = evidence.metrics.get("calibration", {}).get(STAYWORTH)
    if ece is None or not bins:
        return CheckResult("not examined", "there is no calibration error")
    limit = WORST_ECE + by_chance(bins)
    reason = f"ECE {ece:.3f}; the limit is {limit:.3f}: {WORST_ECE} and {limit - WORST_ECE:.3f} by chance"
    return CheckResult("pass", reason) if ece <= limit else _fail_or_warn(evidence, reason, ("ece",))


def total_bias(evidence: Evidence) -> CheckResult:
    """Compare the predicted total with the realised one; it fails only if its whole interval does."""
    bias = evidence.metrics["models"].get(STAYWORTH, {}).get("total_bias") or {}
    value, low, high = (bias.get(name) for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return CheckResult("not examined", "there is no total bias")
    reason = f"the predicted total is off by {value:+.1%} ({low:+.1%} to {high:+.1%}); the limit is ±{WORST_BIAS:.0%}"
    return (
        CheckResult("pass", reason)
        if low <= WORST_BIAS and high >= -WORST_BIAS
        else _fail_or_warn(evidence, reason, ("total_bias",))
    )


def lifetimes(evidence: Evidence) -> CheckResult:
    """Fail if lifetime values are clearly worse than the champion's, or a simple model's that cannot serve instead.

    Where counting models have taken the place of values that were worse than simple models, a warning says so.
    """
    judged = evidence.lifetimes
    if "note" in judged.content:
        return CheckResult("not examined", judged.content["note"])
    days = f"over the {judged.content['days']:,} days after {judged.content['as_of']}"
    shown = [
        f"{name} {difference['value']:+.4g} ({difference['low']:+.4g} to {difference['high']:+.4g})"
        for key, difference in judged.content["differences"].items()
        if (name := NAMES[key]) and None not in difference.values()
    ]
    reason = (
        f"{days}, {_label('value_deviance')} of values learned from the log against {', '.join(shown)}, above 0 is "
        f"worse; {judged.content['champion']}"
    )
    if not judged.worse_than:
        return CheckResult("pass", reason)
    if CHAMPION not in judged.worse_than and judged.reason_to_count:
        return CheckResult("warn", f"counting models give lifetime values: {reason}")
    return CheckResult("fail", reason)


def by_chance(bins: list[Mapping[str, Any]]) -> float:
    """The ECE that a perfectly calibrated model stays below 39 times in 40, from the bins of its calibration.

    A bin of n customers with churn p misses by |N(0, p(1 − p)/n)|: mean √(2/π) s, deviation √(1 − 2/π) s.
    """
    share = np.array([bin_["predicted"] for bin_ in bins], dtype=float)
    customers = np.array([max(bin_["customers"], 1) for bin_ in bins], dtype=float)
    weight = customers / customers.sum()
    spread = np.sqrt(share * (1 - share) / customers)
    mean, deviation = np.sqrt(2 / np.pi), np.sqrt(1 - 2 / np.pi)
    return float(mean * (weight * spread).sum() + Z95 * deviation * np.sqrt(((weight * spread) ** 2).sum()))


def _fail_or_warn(evidence: CandidateEvidence, reason: str, metrics: tuple[str, ...]) -> CheckResult:
    """A fail, or a warning where the champion that would stay is no better in any of these metrics."""
    models = evidence.metrics["models"]
    if CHAMPION in models:
        pairs = [(_value(models[STAYWORTH], name), _value(models[CHAMPION], name)) for name in metrics]
        if all(ours is not None and theirs is not None and abs(theirs) >= abs(ours) for ours, theirs in pairs):
            return CheckResult("warn", f"{reason}; the champion is no better")
    return check_result(False, reason)


def _worse(metrics: Mapping[str, Any], other: str) -> list[str]:
    """The decisive metrics in which our model is clearly worse than another, with their differences."""
    differences = metrics["differences"].get(other, {})
    return [_difference(metrics, other, name) for name in DECISIVE if (_value(differences, name, "low") or 0) > 0]


def _difference(metrics: Mapping[str, Any], other: str, name: str) -> str:
    value, low, high = (_value(metrics["differences"][other], name, part) for part in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return f"{_label(name)} undefined"
    return f"{_label(name)} {value:+.4g} ({low:+.4g} to {high:+.4g}), above 0 is worse"


def _label(name: str) -> str:
    return METRICS[name].label


def _value(entries: Mapping[str, Any], name: str, part: str = "value") -> float | None:
    """A number of the evaluation; None if it is absent, undefined or no number."""
    value = (entries.get(name) or {}).get(part)
    return value if isinstance(value, int | float) and np.isfinite(value) else None
