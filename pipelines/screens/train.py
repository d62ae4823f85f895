"""The screen of `train`."""

from typing import Any

from rich.markup import escape

from pipelines.screens.comparison import comparison
from pipelines.screens.tables import console
from pipelines.training.baseline_comparison import MODELS
from pipelines.training.judgement import horizon_doubt


def show_training(content: dict[str, Any]) -> None:
    """Print the training set, the evaluation, the gate's decision, and the registered version."""
    metrics = content["metrics"]
    console.print(
        f"Trained on {content['rows']:,} rows of {content['cut_offs']} cut-offs; left out {content['censored_rows']:,} "
        f"rows whose {metrics['horizon_days']}-day window had not closed."
    )
    for note in content["attributes"]:
        console.print(f"Attributes: {escape(note.rstrip('.'))}.")
    doubt = horizon_doubt(metrics)
    if doubt:
        console.print(f"[yellow]{escape(doubt[:1].upper() + doubt[1:])}.[/]")
    console.print(comparison(metrics))
    console.print(f"Seasonal calibration: {metrics['level']}. Customers: {metrics['learning_curve']['in_words']}.")
    if metrics["alone"]:
        console.print(f"{MODELS[metrics['alone']]} did clearly better than the trees, and serves instead.")
    if content["drawn"] < content["customers"]:
        console.print(
            f"The log is larger than memory: the model was trained on {content['drawn']:,} of "
            f"{content['customers']:,} customers, drawn by a hash."
        )
    if content["streamed_rows"]:
        console.print(f"The trees were grown on {content['streamed_rows']:,} rows from disk.")
    for days, origin in content["horizons"].items():
        console.print(f"It also predicts {days} days ahead: {origin}.")
    console.print(f"Lifetime values: {metrics['lifetime']['derivation']}.")
    for doubt in metrics["lifetime"]["doubts"]:
        console.print(f"[yellow]In doubt:[/] {escape(doubt)}.")
    show_decision(content)
    if content["promoted"]:
        console.print("Next: stayworth score --as-of DAY")


def show_decision(content: dict[str, Any]) -> None:
    """Print the gate's decision, and the registered version."""
    gate = content["metrics"]["gate"]
    console.print(
        f"The gate compared it with the champion: {gate['compared']}." if gate["champion"] else "No champion yet."
    )
    for warning in gate["warnings"]:
        console.print(f"[yellow]Warning:[/] {escape(warning)}.")
    alias = "alias champion" if content["promoted"] else "[bold red]not promoted[/]"
    console.print(f"Registered as stayworth version {content['registered']}, bundle {content['version']}, {alias}.")
