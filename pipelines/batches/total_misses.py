"""What totals of all customers missed on past days, and how far their intervals reach for it.

Lifetimes were judged by `evaluate --lifetime`, the horizon by `train` on its test day and by `evaluate`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from math import log
from pathlib import Path
from typing import Any, NamedTuple

from models import STAYWORTH
from pipelines import run_folder
from retention.economics.customer_equity import common_miss

TYPICAL_HORIZON_MISS = 0.15
"""Standard deviation of ln(told ÷ came) of a horizon's margin where none was judged: measured on 40 days of four logs
(docs/explanation/formulas-of-plans.md)."""


class TotalMisses(NamedTuple):
    """Misses of totals, and how much each tells beside the others."""

    misses: list[float]
    """told ÷ came − 1, a day each."""
    independent: float = 1.0
    """0 … 1: windows that overlap are nearly one."""


def judged_lifetimes(folder: Path) -> list[dict[str, Any]]:
    """Read the judged days of a run folder, oldest first; none where lifetimes were not judged."""
    path = folder / run_folder.LIFETIME_BACKTEST
    return run_folder.read_json_if_there(path, next="Judge again: stayworth evaluate --lifetime.") or []


def judged_horizons(folder: Path) -> list[dict[str, Any]]:
    """Read the test days of `evaluate`, oldest first; none where it has not run."""
    return run_folder.read_json_if_there(folder / run_folder.BACKTEST, next="Evaluate again: stayworth evaluate.") or []


def lifetime_misses(judged: Sequence[Mapping[str, Any]]) -> TotalMisses:
    """The misses of days on which lifetimes were judged."""
    return _misses(judged, days=judged[0]["lifetime_days"]) if judged else TotalMisses([])


def horizon_reach(folder: Path, *, horizon_days: int) -> float:
    """How far the 80 % interval of the margin of all customers over a horizon reaches to either side, on the log scale.

    The test days of `train` and `evaluate` in a run folder count if they judged this horizon; where the log was too
    short for that, it reaches at least as far as `train` found.
    """
    metrics = run_folder.read_json_if_there(folder / run_folder.METRICS, next="Train again: stayworth train.") or {}
    days = [day for day in (*judged_horizons(folder), metrics) if day.get("horizon_days") == horizon_days]
    reach = common_miss(*_misses(days, days=horizon_days), typical_miss=TYPICAL_HORIZON_MISS)
    judgement = metrics.get("judgement", {})
    total = judgement.get("expected_total", {})
    if judgement.get("horizon_days") == horizon_days and total.get("low", 0) > 0:
        reach = max(reach, log(total["high"] / total["value"]))
    return reach


def _misses(judged: Sequence[Mapping[str, Any]], *, days: int) -> TotalMisses:
    """The misses of judged days, one for each; days: of the windows, so that those that overlap count for less."""
    found = {day["as_of"]: day["models"][STAYWORTH]["total_bias"]["value"] for day in judged}
    known = {date.fromisoformat(day): miss for day, miss in found.items() if miss is not None}
    if not known:
        return TotalMisses([])
    apart = (max(known) - min(known)).days / days
    return TotalMisses(list(known.values()), min((1 + apart) / len(known), 1.0))
