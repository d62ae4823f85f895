"""What `models` prints."""

from typing import Any

from rich.markup import escape

from models.evaluation.metric_labels import METRICS
from pipelines.screens.tables import console, table_of


def show_versions(content: list[dict[str, Any]]) -> None:
    """A line per version, the newest first, then why the gate refused those it refused."""
    if not content:
        console.print("No version yet. Make one: stayworth train")
        return
    shown = {name: METRICS[name] for name in ("roc_auc", "log_loss", "total_bias")}
    table = table_of("version", "alias", "bundle", "as of", *(metric.label for metric in shown.values()), "gate")
    for one in content:
        figures = [
            f"{one['metrics'][name]:{metric.form}}" if name in one["metrics"] else "–" for name, metric in shown.items()
        ]
        table.add_row(
            one["version"], ", ".join(one["aliases"]), one["bundle"], str(one["as_of"]), *figures, str(one["gate"])
        )
    console.print(table)
    for one in content:
        for reason in one["gate_reasons"]:
            console.print(f"Version {one['version']} was refused: {escape(reason)}.")


def show_move(content: dict[str, Any]) -> None:
    """Who serves now, and who did."""
    if not content["changed"]:
        console.print(f"Version {content['champion']} is champion already; nothing changed.")
        return
    before = f"version {content['before']} is `previous`" if content["before"] else "nobody was before it"
    console.print(f"Version {content['champion']} (bundle {content['bundle']}) is champion, {before}.")
    console.print("Next: stayworth score --as-of DAY")
