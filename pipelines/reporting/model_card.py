"""Model card of the report: how the model was trained and evaluated, and where it is known to be wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from models import STAYWORTH
from models.evaluation.metric_labels import METRICS
from pipelines.training.baseline_comparison import MODELS
from pipelines.training.judgement import horizon_doubt
from retention.presentation.formatting import counted

LIMITS = (
    "A probability holds for customers like these in times like these: it knows nothing about later changes of "
    "prices, assortment or market.",
    "Reasons say what goes with leaving, not what causes it; only a campaign with a holdout shows what an offer "
    "changes.",
    "The plan values a customer who is kept at their whole CLV. Customers who were about to leave are often worth "
    "less, and some come back by themselves: read campaigns out before the budget grows.",
    "Of customers alike, one in ten is meant to bring more than the 80% interval says, and at most one in ten less; it "
    "is no guarantee for any one of them.",
)
"""Limits of every model here (Mitchell et al. 2019, Model cards for model reporting)."""


def model_card(metrics: Mapping[str, Any], days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """facts: (name, value) pairs; segments: calibration by segment; findings: the gate's; limits: sentences.

    metrics as in metrics.json, days as in backtest.json.
    """
    own = metrics["models"].get(STAYWORTH, {})
    return {
        "facts": [*_training_facts(metrics), *_evaluation_facts(metrics, own, days)],
        "segments": [{"segment": name, **calibration} for name, calibration in (metrics.get("segments") or {}).items()],
        "findings": metrics.get("gate", {}).get("findings", []),
        "limits": [*_own_limits(metrics, days), *LIMITS],
    }


def _training_facts(metrics: Mapping[str, Any]) -> list[tuple[str, str]]:
    trained = metrics.get("trained")
    baseline = metrics.get("alone")
    kind = (
        MODELS.get(baseline, baseline)
        if baseline
        else "gradient-boosted trees (XGBoost), blended on the log scales with a buy-till-you-die model of orders"
    )
    asked_days = metrics.get("judgement", metrics)["horizon_days"]
    facts = [
        ("What it is", str(kind)),
        ("What it predicts", f"churn (no order) and margin over {asked_days} days"),
    ]
    doubt = horizon_doubt(metrics)
    if doubt:
        facts.append(("Judged", doubt))
    if not trained:
        return facts
    cut_offs = trained["cut_offs"]
    return [
        *facts,
        ("Bundle", trained["version"]),
        (
            "Trained on",
            f"{trained['rows']:,} rows of {trained['features']} features at {counted(len(cut_offs), 'cut-off')}, "
            f"{min(cut_offs)} to {max(cut_offs)}; the outcomes of all were known before {trained['as_of']}",
        ),
    ]


def _evaluation_facts(
    metrics: Mapping[str, Any], own: Mapping[str, Any], days: Sequence[Mapping[str, Any]]
) -> list[tuple[str, str]]:
    baselines = [MODELS.get(name, name) for name in metrics["models"] if name != STAYWORTH]
    facts = [
        (
            "Evaluated on",
            f"{counted(metrics['customers'], 'customer')} as of {metrics['as_of']} and the "
            f"{metrics['horizon_days']} days after it, which no model had seen"
            + (f", and backtested at {counted(len(days), 'day')}" if days else ""),
        ),
        ("Compared with", ", ".join(baselines)),
    ]
    for name in ("roc_auc", "ece", "total_bias"):
        metric, estimate = METRICS[name], own.get(name) or {}
        if estimate.get("value") is not None:
            form = metric.form
            ends = "" if estimate.get("low") is None else f" ({estimate['low']:{form}} to {estimate['high']:{form}})"
            facts.append((str(metric), f"{estimate['value']:{form}}{ends}".replace("-", "−")))
    covered = metrics.get("coverage", {}).get(STAYWORTH, {}).get("overall", {}).get("value")
    return facts + (
        [("Covered by the 80% intervals", f"{covered:.0%} of the customers")] if covered is not None else []
    )


def _own_limits(metrics: Mapping[str, Any], days: Sequence[Mapping[str, Any]]) -> list[str]:
    """Limits that these data show."""
    limits = []
    if metrics.get("level"):
        limits.append(f"Its seasonal calibration is {metrics['level']}.")
    if not days:
        limits.append("It was evaluated on one day only; `stayworth evaluate` backtests it at several.")
    limits += [f"The gate warns: {warning}." for warning in metrics.get("gate", {}).get("warnings", [])]
    return limits
