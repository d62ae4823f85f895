"""What lifetime totals missed on past days whose years have closed, as `evaluate --lifetime` left it."""

from datetime import date
from pathlib import Path
from typing import NamedTuple

from models import STAYWORTH
from pipelines import run_folder


class LifetimeMisses(NamedTuple):
    """Misses of totals, and how much each tells beside the others."""

    misses: list[float]
    """told ÷ came − 1, a day each."""
    independent: float = 1.0
    """0 … 1: years that overlap are nearly one."""


def lifetime_misses(folder: Path) -> LifetimeMisses:
    """Read those of a run folder; none where lifetimes were not judged."""
    path = folder / run_folder.LIFETIME_BACKTEST
    judged = run_folder.read_json(path, next="Judge again: stayworth evaluate --lifetime.") if path.exists() else []
    found = {day["as_of"]: day["models"][STAYWORTH]["total_bias"]["value"] for day in judged}
    known = {date.fromisoformat(day): miss for day, miss in found.items() if miss is not None}
    if not known:
        return LifetimeMisses([])
    apart = (max(known) - min(known)).days / judged[0]["lifetime_days"]
    return LifetimeMisses(list(known.values()), min((1 + apart) / len(known), 1.0))
