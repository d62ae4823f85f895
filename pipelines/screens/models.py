"""The screens of `models list`, `models promote` and `models rollback`."""

from typing import Any

from rich.markup import escape

from models.evaluation.metric_labels import METRICS
from pipelines.screens.tables import console, table_of


def show_versions(content: list[dict[str, Any]]) -> None:
    """Print a line per version, the newest first, then why the gate refused some of them."""
    if not content:
        console.print("No version is registered yet. Make one: stayworth train")
        return
    shown = {name: METRICS[name] for name in ("roc_auc", "log_loss", "total_bias")}
    table = table_of("version", "alias", "bundle", "as of", *(metric.label for metric in shown.values()), "gate")
    for version in content:
        metrics, about = version["metrics"], (version["bundle"], version["as_of"] or "–")
        values = [f"{metrics[name]:{metric.form}}" if name in metrics else "–" for name, metric in shown.items()]
        table.add_row(version["version"], ", ".join(version["aliases"]), *about, *values, str(version["gate"]))
    console.print(table)
    for version in content:
        for reason in version["gate_reasons"]:
            console.print(f"Version {version['version']} was refused: {escape(reason)}.")


def show_move(content: dict[str, Any]) -> None:
    """Print which version is champion now, and which was before it."""
    if not content["changed"]:
        console.print(f"Version {content['champion']} is the champion already; nothing changed.")
        return
    before = f"version {content['before']} is `previous`" if content["before"] else "there was none before it"
    console.print(f"Version {content['champion']} (bundle {content['bundle']}) is the champion now; {before}.")
    console.print("Next: stayworth score --as-of DAY")
