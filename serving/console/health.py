"""Model health: what `stayworth monitor` said last, who serves, how old model and scores are, and what to do next."""

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
from serving.store.store import Store

MONITOR = "monitor.json"
"""Of `stayworth monitor`, in the output folder."""
TRAINING_METRICS = "metrics.json"
"""Of `stayworth train`: of the model that was made last, which need not be the one that serves."""
DRIFT_ROWS = 12
"""Columns of the table of what moved: the scores, then the features that moved farthest."""

router = APIRouter()


@router.get("/health")
def health(request: Request) -> HTMLResponse:
    """The verdict, and what it rests on."""
    answers, folder = settings.responses(), settings.output_folder()
    champion, batch = answers.model.current, answers.scores.current
    told, damaged = read_monitor(folder / MONITOR)
    today = now().date()
    gate, metrics = champion_metrics(champion, folder)
    return pages.render(
        request,
        "health.html.j2",
        champion=champion,
        monitor=told,
        damaged=damaged,
        is_of_champion=bool(told and champion and told["model"]["bundle"] == champion.scorer.version),
        columns=drifted_columns(told) if told else [],
        matured=told["matured"][-1] if told and told["matured"] else None,
        batch_age_days=(today - batch.info.as_of).days if batch else None,
        model_age_days=(today - champion.as_of).days if champion else None,
        metrics=metrics,
        gate=gate,
        figures={name: METRICS[name] for name in HEADLINE},
        matured_figures=MATURED_BATCH_METRICS,
        next_step=next_step(answers, told, today=today),
        currency=told["currency"] if told else batch.info.currency if batch else "",
    )


def next_step(answers: Responses, told: dict[str, Any] | None, *, today: date) -> str:
    """What to do next, in a sentence."""
    champion, batch = answers.model.current, answers.scores.current
    if champion is None:
        return "Train a model: stayworth train."
    if batch is None:
        return "Score the customers: stayworth score --as-of DAY."
    if told is None:
        return "Let the model be watched: run stayworth monitor, once a day best."
    if told["model"]["bundle"] != champion.scorer.version:
        return "Run stayworth monitor again: what it said is of another model than the one that serves."
    if told["verdict"] == "retrain":
        return "Retrain: stayworth monitor --retrain lets the gate decide; what to look at first stands below."
    if batch.info.model_version != champion.scorer.version:
        return (
            "Score again, stayworth score --as-of DAY: the scores were made by another model than the one that serves."
        )
    if _is_outdated(batch, today=today):
        days = batch.info.horizon_days
        return f"Score again, stayworth score --as-of DAY: the scores are older than their horizon of {days} days."
    if told["verdict"] == "watch":
        return (
            "Keep an eye on it: look at the reasons below, and run stayworth monitor again when more orders have come."
        )
    return "Nothing: the model is as good as it was at the gate. Let stayworth monitor run on."


def _is_outdated(batch: Store, *, today: date) -> bool:
    return (today - batch.info.as_of).days > batch.info.horizon_days


def read_monitor(path: Path) -> tuple[dict[str, Any] | None, str | None]:
    """What monitor left, None before its first run; or why it cannot be read."""
    try:
        content = json.loads(path.read_text("utf-8"))
        missing = sorted({"verdict", "reasons", "as_of", "model", "moved", "matured", "currency"} - content.keys())
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError, AttributeError) as error:
        return None, f"{path}: cannot be read ({error}). Run stayworth monitor again."
    return (None, f"{path}: without {', '.join(missing)}. Run stayworth monitor again.") if missing else (content, None)


def drifted_columns(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns that moved, the scores first, then the features as far as there is room."""
    columns = told["moved"]["columns"]
    ordered = [*(one for one in columns if one["is_score"]), *(one for one in columns if not one["is_score"])]
    return ordered[:DRIFT_ROWS]


def champion_metrics(champion: ActiveModel | None, folder: Path) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """What the gate said, and the headline metrics with their intervals, where the last training is that of the
    champion; else None, and the metrics without.
    """
    if champion is None:
        return None, {}
    plain = {name: {"value": value, "low": None, "high": None} for name, value in champion.metrics.items()}
    try:
        content = json.loads((folder / TRAINING_METRICS).read_text("utf-8"))
        found = content["models"]["stayworth"]
        is_his = bool(plain) and all(found[name]["value"] == value for name, value in champion.metrics.items())
        return (content["gate"], {name: found[name] for name in plain}) if is_his else (None, plain)
    except (OSError, ValueError, KeyError, TypeError):
        return None, plain
