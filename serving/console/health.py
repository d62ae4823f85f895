"""Model health: the last result of `stayworth monitor`, the active model, the age of model and scores, and the next
step."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from models.evaluation.metric_labels import HEADLINE, MATURED_BATCH_METRICS, METRICS
from serving import settings
from serving.active_model import ActiveModel
from serving.console import pages
from serving.console.now import now
from serving.responses import Responses
from serving.store.score_store import Store

MONITOR = "monitor.json"
"""File that `stayworth monitor` writes into the output folder."""
TRAINING_METRICS = "metrics.json"
"""File that `stayworth train` writes: metrics of the model trained last, which need not be the one in service."""
DRIFT_ROWS = 12
"""Rows of the drift table: the scores, then the features that drifted most."""

router = APIRouter()


@router.get("/health")
def health(request: Request) -> HTMLResponse:
    """Render the verdict of monitoring, with its reasons."""
    responses, folder = settings.responses(), settings.output_folder()
    champion, batch = responses.model.current, responses.scores.current
    monitor, damaged = read_monitor(folder / MONITOR)
    today = now().date()
    gate, metrics = champion_metrics(champion, folder)
    return pages.render(
        request,
        "health.html.j2",
        champion=champion,
        monitor=monitor,
        damaged=damaged,
        is_of_champion=bool(monitor and champion and monitor["model"]["bundle"] == champion.scorer.version),
        columns=drifted_columns(monitor) if monitor else [],
        matured=monitor["matured"][-1] if monitor and monitor["matured"] else None,
        batch_age_days=(today - batch.info.as_of).days if batch else None,
        model_age_days=(today - champion.as_of).days if champion and champion.as_of else None,
        metrics=metrics,
        gate=gate,
        headline={name: METRICS[name] for name in HEADLINE},
        matured_metrics=MATURED_BATCH_METRICS,
        next_step=next_step(responses, monitor, today=today),
        currency=monitor["currency"] if monitor else batch.info.currency if batch else "",
    )


def next_step(responses: Responses, monitor: dict[str, Any] | None, *, today: date) -> str:
    """Say in a sentence what to do next."""
    champion, batch = responses.model.current, responses.scores.current
    if champion is None:
        return "Train a model: stayworth train."
    if batch is None:
        return "Score the customers: stayworth score --as-of DAY."
    if monitor is None:
        return "Monitor the model: run stayworth monitor, ideally once a day."
    if monitor["model"]["bundle"] != champion.scorer.version:
        return "Run stayworth monitor again: its last result is about another model than the one in service."
    if monitor["verdict"] == "retrain":
        return "Retrain: stayworth monitor --retrain lets the gate decide. The reasons are listed below."
    if batch.info.model_version != champion.scorer.version:
        return (
            "Score again, stayworth score --as-of DAY: the scores were made by another model than the one in service."
        )
    if _is_outdated(batch, today=today):
        days = batch.info.horizon_days
        return f"Score again, stayworth score --as-of DAY: the scores are older than their horizon of {days} days."
    if monitor["verdict"] == "watch":
        return (
            "Keep an eye on it: read the reasons below, and run stayworth monitor again when more orders have arrived."
        )
    return "Nothing: the model is as good as it was at the gate. Keep running stayworth monitor."


def _is_outdated(batch: Store, *, today: date) -> bool:
    return (today - batch.info.as_of).days > batch.info.horizon_days


def read_monitor(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """The last result of `stayworth monitor`, None before its first run; or the reason why it cannot be read."""
    try:
        content = json.loads(path.read_text("utf-8"))
        missing = sorted({"verdict", "reasons", "as_of", "model", "moved", "matured", "currency"} - content.keys())
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, AttributeError) as error:
        return None, f"{path}: cannot be read ({error}). Run stayworth monitor again."
    return (None, f"{path}: lacks {', '.join(missing)}. Run stayworth monitor again.") if missing else (content, None)


def drifted_columns(monitor: dict[str, Any]) -> list[dict[str, Any]]:
    """The drifted columns: the scores first, then as many features as there is room for."""
    columns = monitor["moved"]["columns"]
    scores = [column for column in columns if column["is_score"]]
    features = [column for column in columns if not column["is_score"]]
    return [*scores, *features][:DRIFT_ROWS]


def champion_metrics(champion: ActiveModel | None, folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The gate's decision and the headline metrics with their intervals, if the last training is the champion's;
    otherwise None, and the metrics without intervals.
    """
    if champion is None:
        return None, {}
    plain = {name: {"value": value, "low": None, "high": None} for name, value in champion.metrics.items()}
    try:
        content = json.loads((folder / TRAINING_METRICS).read_text("utf-8"))
        trained = content["models"]["stayworth"]
        is_same = bool(plain) and all(trained[name]["value"] == value for name, value in champion.metrics.items())
        return (content["gate"], {name: trained[name] for name in plain}) if is_same else (None, plain)
    except (OSError, ValueError, KeyError, TypeError):
        return None, plain
