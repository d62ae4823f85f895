"""What lifetime totals missed on past days whose years have closed, as `evaluate --lifetime` left it."""

from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from models import STAYWORTH
from pipelines import run_folder


class LifetimeMisses(NamedTuple):
    """Misses of totals, and how much each tells beside the others."""

    misses: list[float]
    """told ÷ came − 1, a day each."""
    independent: float = 1.0
    """0 … 1: years that overlap are nearly one."""


def judged_lifetimes(folder: Path) -> list[dict[str, Any]]:
    """Read the judged days of a run folder, oldest first; none where lifetimes were not judged."""
    path = folder / run_folder.LIFETIME_BACKTEST
    return run_folder.read_json(path, next="Judge again: stayworth evaluate --lifetime.") if path.exists() else []


def lifetime_misses(judged: list[dict[str, Any]]) -> LifetimeMisses:
    """The misses of judged days."""
    found = {day["as_of"]: day["models"][STAYWORTH]["total_bias"]["value"] for day in judged}
    known = {date.fromisoformat(day): miss for day, miss in found.items() if miss is not None}
    if not known:
        return LifetimeMisses([])
    apart = (max(known) - min(known)).days / judged[0]["lifetime_days"]
    return LifetimeMisses(list(known.values()), min((1 + apart) / len(known), 1.0))
