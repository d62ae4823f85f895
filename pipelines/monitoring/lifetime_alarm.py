"""Limits of monitoring for lifetime values: their first year beside what came, and the calm of their total.

Totals of lifetime values miss by an error that all customers share, the interval that `score` tells with them. So a
matured total is off only if its whole interval over customers lies beyond the 95 % interval of that error; and the
total of known customers has moved only if it is beyond the 80 % interval, and beyond what is usual.
"""

from collections.abc import Mapping
from math import expm1, log1p
from typing import Any

from pipelines.batches.total_misses import TotalMisses
from pipelines.monitoring.alarm import USUAL_FACTOR, Reason
from pipelines.monitoring.lifetime_calm import LifetimeMove
from retention.economics.customer_equity import common_miss

WATCH, RETRAIN = 0.8, 0.95
"""Confidence of the intervals of the shared error beyond which the total of known customers has moved."""


def matured_lifetime_reasons(judged: Mapping[str, Any], misses: TotalMisses) -> list[Reason]:
    """Reasons that follow from lifetime values whose first year has passed. misses: those that the log has judged.

    Another model's values say how such values are made here, not what the champion is worth: a reason to look.
    """
    bias = judged["total_bias"]
    if bias["low"] is None or bias["high"] is None or judged["nobody_stands_for"]:
        return []
    most = common_miss(*misses, typical_miss=judged["typical_miss"], confidence=RETRAIN)
    low, high = (log1p(max(bias[end], -1 + 1e-9)) for end in ("low", "high"))
    if low <= most and high >= -most:
        return []
    ends = f"{bias['value']:+.1%} ({bias['low']:+.1%} to {bias['high']:+.1%})"
    found = (
        f"lifetime values are off: those of {judged['as_of']} predicted {judged['said']:,.0f} for the "
        f"{judged['days']:,} days that followed, and {judged['came']:,.0f} came: {ends}, where {expm1(-most):+.0%} to "
        f"{expm1(most):+.0%} is within their interval"
    )
    if judged["by_champion"]:
        return [Reason("lifetime", "retrain", found, "Retrain; stayworth evaluate --lifetime judges several days.")]
    next_step = "An earlier model predicted them; judge how they are made now: stayworth evaluate --lifetime."
    return [Reason("lifetime", "watch", found, next_step)]


def lifetime_move_reasons(
    move: LifetimeMove | None, misses: TotalMisses, *, typical_miss: float, apart_days: int
) -> list[Reason]:
    """Reasons that follow from the move of the total of known customers since the model was made."""
    if move is None:
        return []
    spread = USUAL_FACTOR * move.usual_spread
    limits = {
        level: max(common_miss(*misses, typical_miss=typical_miss, confidence=level), spread)
        for level in (WATCH, RETRAIN)
    }
    if abs(move.beyond_usual) <= limits[WATCH]:
        return []
    usual = move.move - move.beyond_usual
    ends = f"{expm1(usual - limits[WATCH]):+.0%} to {expm1(usual + limits[WATCH]):+.0%}"
    found = (
        f"without a new model, and apart from the season, lifetime values of the {move.customers:,} customers known "
        f"when the model was made moved by {expm1(move.move):+.0%} in {apart_days} day{'s' * (apart_days != 1)}; usual "
        f"is {expm1(usual):+.0%}, and {ends} is within their interval"
    )
    next_step = "Check whether the data still come as they did; if the customers have really changed, retrain."
    verdict = "retrain" if abs(move.beyond_usual) > limits[RETRAIN] else "watch"
    return [Reason("lifetime", verdict, found, next_step)]  # type: ignore[arg-type]
