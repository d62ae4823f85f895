"""The screens of `check`, `train`, `evaluate` and `score` for a label table."""

from typing import Any

from rich.markup import escape

from models import CHAMPION, STAYWORTH
from models.evaluation.metric_labels import METRICS
from pipelines.labelled.judge_folds import BASELINES
from pipelines.screens.check import show_warnings
from pipelines.screens.comparison import metric_cell, metric_interval
from pipelines.screens.tables import console, percent, show_pairs, table_of
from pipelines.screens.train import show_decision

NAMES = {STAYWORTH: "Stayworth", CHAMPION: "The champion's recipe", **BASELINES}
CHURN, VALUE = ("roc_auc", "log_loss", "brier", "ece"), ("normalized_gini", "total_bias")


def show_label_check(content: dict[str, Any]) -> None:
    """Print the labels, the columns and the warnings."""
    classes = ", ".join(f"{escape(value)} {rows:,}" for value, rows in content["classes"].items())
    console.print(
        f"[bold]{escape(content['labelled'])}[/]: {content['customers']:,} customers with a label, one row each; "
        f"{escape(content['label'])} is {classes}; {escape(content['left_value'])} means left "
        f"({percent(content['churn_rate'])})."
    )
    table = table_of("column", "holds", "different", "missing")
    for column in content["columns"]:
        kind = "not used" if column["kind"] == "unused" else column["kind"]
        table.add_row(escape(column["column"]), kind, f"{column['distinct']:,}", percent(column["missing"]))
    console.print(table)
    show_warnings(content["warnings"])
    if not content["future_value"]:
        console.print("The table has no values: `stayworth plan` needs future_value in \\[columns.labelled].")
    console.print(
        "It has no time: no days to score as of, no lifetime values, no audit of leaks over time. Those need a log of "
        "orders."
    )
    console.print("Next: stayworth train")


def show_label_evaluation(metrics: dict[str, Any]) -> None:
    """Print the model beside the baselines, and the paired differences."""
    shown = CHURN + tuple(name for name in VALUE if metrics["models"][STAYWORTH][name]["value"] is not None)
    table = table_of("", *(METRICS[name].label for name in shown))
    table.columns[0].no_wrap = True
    times = f", drawn {metrics['repeats']} times" if metrics["repeats"] > 1 else ""
    table.title = f"{metrics['customers']:,} customers, judged by {metrics['folds']} folds of them{times}"
    for model, values in metrics["models"].items():
        is_ours = model == STAYWORTH
        cells = [metric_cell(values, name) if is_ours or name in CHURN else "–" for name in shown]
        table.add_row(NAMES[model], *cells, style="bold" if is_ours else "")
        if is_ours:
            table.add_row("  95 % interval", *(metric_interval(values, name) for name in shown), style="dim")
    console.print(table)
    for other, differences in metrics["differences"].items():
        ends = {name: differences[name] for name in ("roc_auc", "log_loss")}
        told = "; ".join(
            f"{METRICS[name].label} {entry['value']:+.4f} ({entry['low']:+.4f} to {entry['high']:+.4f})"
            for name, entry in ends.items()
            if None not in entry.values()
        )
        console.print(f"Against {NAMES[other]}, on the same customers: {told}.")


def show_label_training(content: dict[str, Any]) -> None:
    """Print the judgement, the gate's decision, and the registered version."""
    show_label_evaluation(content["metrics"])
    show_decision(content)
    if content["promoted"]:
        console.print("Next: stayworth score --input NEW.csv -o scores.csv")


def show_label_scores(content: dict[str, Any]) -> None:
    """Print the totals of a batch of scores, and where they are."""
    show_pairs({name: value for name, value in content.items() if name != "written"})
    next_step = (
        "Next: stayworth plan --budget M"
        if "gain" in content
        else "The higher churn_probability, the likelier they leave"
    )
    console.print(f"Written to {escape(', '.join(content['written']))}. {next_step}.")
