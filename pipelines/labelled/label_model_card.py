"""The model card of a label table, as Markdown: what it is, how it was judged, and where it is known to be wrong."""

from collections.abc import Mapping
from typing import Any

from models import STAYWORTH
from models.evaluation.metric_labels import METRICS
from pipelines.labelled.judge_folds import BASELINES
from retention.presentation.formatting import counted

LIMITS = (
    "The table has no time: the model knows neither when a customer will leave nor what they are worth over the years. "
    "Its probability is that of the label, over whatever period the label was taken.",
    "It cannot tell a column that was filled in after a customer had left, unless that column alone gives the label "
    "away.",
    "Reasons say what goes with leaving, not what causes it; only a campaign with a holdout shows what an offer "
    "changes.",
    "A gain takes a customer who is kept to bring what stayers with the same columns brought.",
)
SHOWN = ("roc_auc", "pr_auc", "log_loss", "brier", "ece", "top_decile_lift", "normalized_gini", "total_bias")


def label_model_card(metrics: Mapping[str, Any]) -> str:
    """The card (Mitchell et al. 2019, Model cards for model reporting). metrics: as in metrics.json."""
    trained, own = metrics["trained"], metrics["models"][STAYWORTH]
    lines = [
        f"# Model card: {STAYWORTH}, bundle {trained['version']}",
        "",
        "Gradient-boosted trees (XGBoost) and a logistic regression, blended and calibrated on customers they had not "
        "seen.",
        "",
        f"- Label: `{trained['label']}`, {trained['left']} means left; {trained['churn_rate']:.1%} of "
        f"{trained['rows']:,} customers did.",
        f"- Learned from {trained['features']} columns.",
        f"- Judged by {metrics['folds']} folds of customers, drawn {counted(metrics['repeats'], 'time')}; tuning, "
        "blending and calibration happened inside the other folds.",
        "",
        "| metric | Stayworth (95 % interval) | " + " | ".join(BASELINES.values()) + " |",
        "|---|---|" + "---|" * len(BASELINES),
    ]
    for name in SHOWN:
        metric, entry = METRICS[name], own[name]
        if entry["value"] is not None:
            ends = "" if entry["low"] is None else f" ({entry['low']:{metric.form}} to {entry['high']:{metric.form}})"
            others = [metrics["models"][baseline][name]["value"] for baseline in BASELINES]
            cells = ["–" if value is None else f"{value:{metric.form}}" for value in others]
            lines.append(f"| {metric.judged} | {entry['value']:{metric.form}}{ends} | {' | '.join(cells)} |")
    lines += ["", "## The gate", ""]
    findings = metrics["gate"]["findings"]
    lines += [f"- {entry['code']} {entry['title']}: {entry['outcome']}, {entry['reason']}" for entry in findings]
    return "\n".join([*lines, "", "## Limits", "", *(f"- {limit}" for limit in LIMITS), ""])
