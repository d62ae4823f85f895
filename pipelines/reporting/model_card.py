"""The model card of the report: what the model was made of, how it was judged, and where it is known to be wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import STAYWORTH
from models.evaluation.metric_labels import METRICS
from pipelines.training.baseline_comparison import MODELS

LIMITS = (
    "A probability is of customers like these in times like those: it knows nothing of a change of prices, "
    "assortment or market since.",
    "Reasons say what goes with leaving, not what causes it; what an offer changes, only a campaign with a holdout "
    "shows.",
    "The plan takes a customer who is kept to be worth his whole CLV. Who was about to leave is often worth less, and "
    "some come back by themselves: read campaigns out before the budget grows.",
    "An 80% interval of one customer's value is meant to hold for eight of ten customers, not to be certain of each.",
)
"""What is true of every model here (Mitchell et al. 2019, Model cards for model reporting)."""


def model_card(metrics: Mapping[str, Any], days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """facts: (name, value) pairs; segments: calibration by segment; findings: the gate's; limits: sentences.

    metrics as in metrics.json, days as in backtest.json.
    """
    own = metrics["models"].get(STAYWORTH, {})
    return {
        "facts": [*_made_of(metrics), *_judged(metrics, own, days)],
        "segments": [{"segment": name, **told} for name, told in (metrics.get("segments") or {}).items()],
        "findings": metrics.get("gate", {}).get("findings", []),
        "limits": [*_own_limits(metrics, days), *LIMITS],
    }


def _made_of(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    made = metrics.get("trained")
    simple = metrics.get("alone")
    kind = (
        MODELS.get(simple, simple)
        if simple
        else "gradient-boosted trees (XGBoost), blended on the log scales with a model of buying until a customer stops"
    )
    facts = [
        ("What it is", str(kind)),
        ("What it foretells", f"no order, and margin, in {metrics['horizon_days']} days"),
    ]
    if not made:
        return facts
    cut_offs = made["cut_offs"]
    return [
        *facts,
        ("Bundle", made["version"]),
        (
            "Learnt from",
            f"{made['rows']:,} rows of {made['features']} features at {len(cut_offs)} days, {min(cut_offs)} to "
            f"{max(cut_offs)}; what followed each had happened before {made['as_of']}",
        ),
    ]


def _judged(
    metrics: Mapping[str, Any], own: Mapping[str, Any], days: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    opponents = [MODELS.get(name, name) for name in metrics["models"] if name != STAYWORTH]
    facts = [
        (
            "Judged on",
            f"{metrics['customers']:,} customers as of {metrics['as_of']}, which no model had seen"
            + (f", and again at {len(days)} days" if days else ""),
        ),
        ("Against", ", ".join(opponents)),
    ]
    for name in ("roc_auc", "ece", "total_bias"):
        metric, found = METRICS[name], own.get(name) or {}
        if found.get("value") is not None:
            form = metric.form
            ends = "" if found.get("low") is None else f" ({found['low']:{form}} to {found['high']:{form}})"
            facts.append((str(metric), f"{found['value']:{form}}{ends}".replace("-", "−")))
    covered = metrics.get("coverage", {}).get(STAYWORTH, {}).get("overall", {}).get("value")
    return facts + ([("80% intervals held", f"{covered:.0%} of the customers")] if covered is not None else [])


def _own_limits(metrics: Mapping[str, Any], days: Sequence[Mapping[str, Any]]) -> list[str]:
    """What these data show."""
    found = []
    if metrics.get("level"):
        found.append(f"The level of the day is {metrics['level']}.")
    if not days:
        found.append("It was judged on one day only: `stayworth evaluate` judges it on several.")
    found += [f"The gate warns: {one}." for one in metrics.get("gate", {}).get("warnings", [])]
    return found
