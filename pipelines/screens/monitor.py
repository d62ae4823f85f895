"""What `monitor` prints."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape

from models.evaluation.metric_labels import MATURED_BATCH_METRICS
from pipelines.monitoring.alarm import PSI_RETRAIN
from pipelines.screens.tables import console, table_of

COLUMNS = 8
"""Columns of the table of what moved: scores and the features that moved farthest."""
STYLE = {"retrain": "bold red", "watch": "bold yellow", "fine": "bold green"}


def show_monitor(content: dict[str, Any]) -> None:
    """The verdict with its reasons, what moved, and the latest matured batch."""
    model, verdict = content["model"], content["verdict"]
    console.print(
        f"[{STYLE[verdict]}]{verdict}[/]: version {model['version']}, made as of {model['made_as_of']}, watched as of "
        f"{content['as_of']}"
    )
    for one in content["reasons"]:
        console.print(f"  - [{STYLE[one['verdict']]}]{one['verdict']}[/] {escape(one['found'])}. {escape(one['next'])}")
    _show_moved(content["moved"])
    if content["matured"]:
        _show_matured(content["matured"][-1], len(content["matured"]), content["currency"])
    else:
        console.print(f"No scores of this model have matured: the first do on {content['first_matures']}.")
    if retrained := content.get("retrained"):
        alias = "alias champion" if retrained["promoted"] else "[bold red]not promoted[/], the old champion serves on"
        console.print(f"Retrained: version {retrained['registered']}, bundle {retrained['bundle']}, {alias}.")
    console.print(f"Written to {escape(content['written'])}.")


def _show_moved(moved: Mapping[str, Any]) -> None:
    if moved.get("note"):
        console.print(f"What moved: {escape(moved['note'])}.")
    if not moved["columns"]:
        return
    table = table_of("", "PSI", "usual up to", "PSI of those who have it", "usual up to", "distance")
    table.title = (
        f"What moved farthest in {moved['days']} days, {moved['customers']:,} customers; a PSI of {PSI_RETRAIN} is much"
    )
    scores = [one for one in moved["columns"] if one["is_score"]]
    for one in [*scores, *(one for one in moved["columns"] if not one["is_score"])][:COLUMNS]:
        psis = [psi and psi["value"] for psi in (one["all"], one["rest"])]
        figures = (psis[0], one["quiet_all"], psis[1], one["quiet_rest"], one["distance"])
        table.add_row(escape(one["column"]), *("–" if value is None else f"{value:.2f}" for value in figures))
    console.print(table)


def _show_matured(batch: Mapping[str, Any], batches: int, currency: str) -> None:
    table = table_of("", "", "95 % interval")
    kept = "as they were given out" if batch["kept"] else "scored again, since no batch was kept"
    table.title = (
        f"The scores of {batch['as_of']}, {batch['customers']:,} customers, until {batch['until']} ({kept}; "
        f"{batches} matured)"
    )
    for name, metric in MATURED_BATCH_METRICS.items():
        if name in batch["figures"]:
            table.add_row(metric.judged, *_cells(batch["figures"][name], metric.form))
    console.print(table)
    table = table_of(f"tenth by value, {currency}", "said", "came", "95 % interval")
    for place, one in enumerate(batch["deciles"], start=1):
        said = "–" if one["said"] is None else f"{one['said']:,.2f}"
        table.add_row(str(place), said, *_cells(one, ",.2f"))
    console.print(table)
    treated, held_out = batch["own_campaigns"]["treated"], batch["own_campaigns"]["held_out"]
    if treated["customers"]:
        stand = (
            f"{held_out['customers']:,} held out stand for them" if held_out["customers"] else "nobody stands for them"
        )
        console.print(
            f"Left out, since a campaign of ours contacted them: {treated['customers']:,} customers, "
            f"{treated['said_to_leave']:,.0f} were to leave and {treated['left']:,.0f} did; {stand}."
        )


def _cells(figure: Mapping[str, float | None], form: str) -> tuple[str, str]:
    value, low, high = figure["value"], figure["low"], figure["high"]
    return (
        "–" if value is None else f"{value:{form}}",
        "–" if low is None or high is None else f"{low:{form}} to {high:{form}}",
    )
