"""The screen of `monitor`."""

from collections.abc import Mapping
from math import expm1
from typing import Any

from rich.markup import escape

from models.evaluation.metric_labels import MATURED_BATCH_METRICS
from pipelines.monitoring.alarm import PSI_RETRAIN
from pipelines.screens.tables import console, table_of

MAX_DRIFT_ROWS = 8
"""Rows of the table of drift: scores, and the features that drifted farthest."""
STYLE = {"retrain": "bold red", "watch": "bold yellow", "fine": "bold green"}


def show_monitor(content: dict[str, Any]) -> None:
    """Print the verdict with its reasons, the drift, and the latest matured batch."""
    model, verdict = content["model"], content["verdict"]
    console.print(
        f"[{STYLE[verdict]}]{verdict}[/]: version {model['version']}, made as of {model['made_as_of']}, "
        f"monitored as of {content['as_of']}"
    )
    for reason in content["reasons"]:
        style = STYLE[reason["verdict"]]
        console.print(f"  - [{style}]{reason['verdict']}[/] {escape(reason['found'])}. {escape(reason['next'])}")
    _show_drift(content["moved"])
    _show_lifetimes(content)
    if content["matured"]:
        _show_matured(content["matured"][-1], len(content["matured"]), content["currency"])
    else:
        console.print(f"No scores of this model have matured yet: the first will on {content['first_matures']}.")
    if retrained := content.get("retrained"):
        alias = "alias champion" if retrained["promoted"] else "[bold red]not promoted[/], the champion stays"
        console.print(f"Retrained: version {retrained['registered']}, bundle {retrained['bundle']}, {alias}.")
    console.print(f"Written to {escape(content['written'])}.")


def _show_drift(drift: Mapping[str, Any]) -> None:
    if drift.get("note"):
        console.print(f"Drift: {escape(drift['note'])}.")
    if not drift["columns"]:
        return
    table = table_of("", "PSI", "usual up to", "PSI where known", "usual up to", "distance")
    table.title = (
        f"Largest drift in {drift['days']} days, {drift['customers']:,} customers; a PSI of {PSI_RETRAIN} is large"
    )
    scores = [column for column in drift["columns"] if column["is_score"]]
    for column in [*scores, *(column for column in drift["columns"] if not column["is_score"])][:MAX_DRIFT_ROWS]:
        psis = [psi and psi["value"] for psi in (column["all"], column["rest"])]
        values = (psis[0], column["quiet_all"], psis[1], column["quiet_rest"], column["distance"])
        table.add_row(escape(column["column"]), *("–" if value is None else f"{value:.2f}" for value in values))
    console.print(table)


def _show_lifetimes(content: Mapping[str, Any]) -> None:
    """Print how far the lifetime values of known customers moved, and how those of a year ago came out."""
    currency, moved, judged = content["currency"], content["moved"].get("lifetime"), content["lifetimes"]
    if moved:
        usual = moved["move"] - moved["beyond_usual"]
        console.print(
            f"Lifetime values of the {moved['customers']:,} customers known then, apart from the season: "
            f"{expm1(moved['move']):+.0%}; usual in as many days {expm1(usual):+.0%}."
        )
    if not judged:
        console.print(
            f"No lifetime values can be judged yet: their first year passes on {content['lifetimes_mature']}."
        )
    elif judged and judged["total_bias"]["value"] is not None:
        model = "" if judged["by_champion"] else f" by an earlier model ({judged['model_version']})"
        bias, ends = _cells(judged["total_bias"], "+.1%")
        console.print(
            f"The lifetime values of {judged['as_of']}{model} predicted {judged['said']:,.0f} {currency} for the "
            f"{judged['days']:,} days that followed; {judged['came']:,.0f} came: {bias} ({ends})."
        )


def _show_matured(batch: Mapping[str, Any], batches: int, currency: str) -> None:
    table = table_of("", "", "95 % interval")
    source = "as they were given" if batch["kept"] else "scored again, since no batch was kept"
    table.title = (
        f"The scores of {batch['as_of']}, {batch['customers']:,} customers, until {batch['until']} ({source}; "
        f"{batches} matured)"
    )
    for name, metric in MATURED_BATCH_METRICS.items():
        if name in batch["figures"]:
            table.add_row(metric.judged, *_cells(batch["figures"][name], metric.form))
    console.print(table)
    table = table_of(f"tenth by value, {currency}", "predicted", "realised", "95 % interval")
    for number, decile in enumerate(batch["deciles"], start=1):
        predicted = "–" if decile["said"] is None else f"{decile['said']:,.2f}"
        table.add_row(str(number), predicted, *_cells(decile, ",.2f"))
    console.print(table)
    treated, held_out = batch["own_campaigns"]["treated"], batch["own_campaigns"]["held_out"]
    if treated["customers"]:
        represented = (
            f"{held_out['customers']:,} held out represent them"
            if held_out["customers"]
            else "no customer held out represents them"
        )
        console.print(
            f"Left out, since a campaign of ours contacted them: {treated['customers']:,} customers, of whom "
            f"{treated['said_to_leave']:,.0f} were predicted to leave and {treated['left']:,.0f} did; {represented}."
        )


def _cells(estimate: Mapping[str, float | None], form: str) -> tuple[str, str]:
    """An estimate and its interval, each with a dash where there is none."""
    value, low, high = estimate["value"], estimate["low"], estimate["high"]
    return (
        "–" if value is None else f"{value:{form}}",
        "–" if low is None or high is None else f"{low:{form}} to {high:{form}}",
    )
