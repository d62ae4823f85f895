"""The table of a model beside its baselines on one test window: printed by `train`, `evaluate` and `demo`."""

from typing import Any

from rich.table import Table

from models import STAYWORTH
from models.evaluation.metric_labels import METRICS
from pipelines.screens.tables import table_of
from pipelines.training.baseline_comparison import MODELS

SHOWN = ("roc_auc", "log_loss", "ece", "normalized_gini", "total_bias")
"""The metrics of the short table; `metrics.json` has all, models/evaluation/metric_labels.py says what they mean."""


def comparison(metrics: dict[str, Any]) -> Table:
    """Our model and its baselines on one test window, with 95 % intervals under ours."""
    table = table_of("", *(METRICS[name].label for name in SHOWN))
    table.columns[0].no_wrap = True
    days, customers = metrics["horizon_days"], metrics["customers"]
    table.title = f"Test day {metrics['as_of']}, judged on the {days} days after it, {customers:,} customers"
    for model, values in metrics["models"].items():
        is_ours = model == STAYWORTH
        table.add_row(
            MODELS.get(model, model), *(metric_cell(values, name) for name in SHOWN), style="bold" if is_ours else ""
        )
        if is_ours:
            table.add_row("  95 % interval", *(metric_interval(values, name) for name in SHOWN), style="dim")
    return table


def metric_cell(values: dict[str, Any], name: str) -> str:
    value = values[name]["value"]
    return "–" if value is None else f"{value:{METRICS[name].form}}"


def metric_interval(values: dict[str, Any], name: str) -> str:
    low, high, form = values[name]["low"], values[name]["high"], METRICS[name].form
    return "–" if low is None else f"{low:{form}}…{high:{form}}"
