"""What saving the customers of a past list would have added, bracketed by what came, beside what was predicted.

Who of the silent was alive, and what they would have brought if they had been kept, is seen in nobody. What comparable
customers of the same list brought is, over the days that have closed (worth_days, the horizon included):

    K           mean margin of those who ordered exactly once within the horizon
    L           margin of the silent after it: it came all the same
    high        K × silent − L             every silent customer was alive
    low         K × proven alive − L       only those were who gave a sign of life later in the log

The predicted gain of the list, over the same days, is inside, below or above. K stands for all, so that both ends are
too high where those who ordered once were worth more than the silent would have been, as they mostly are.

Intervals are of 95 % of draws of customers, who are drawn with all their days (models/evaluation/bootstrap.py).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.evaluation.bootstrap import percentile_interval, resample_counts

CONFIDENCE = 0.95
RESAMPLES = 500
FEWEST_STAYERS = 20
"""Customers of a list who ordered exactly once: the mean of fewer says nothing."""
INSIDE, BELOW, ABOVE = "inside", "below", "above"


def gain_bracket(listed: pd.DataFrame, *, seed: int) -> dict[str, Any]:
    """The bracket, the predicted gain and its place, and the parts predicted and come; JSON, money in currency units.

    listed: a row per customer and day, each day with `FEWEST_STAYERS`: as_of, customer_id; gain, predicted; silent,
    once (exactly one order), proven (silent, with a sign of life later) and returned (silent, and ordered within
    worth_days), bools; came, margin within worth_days; kept and later, the predicted means of those who order once and
    of the silent; and return_probability of the silent. K is each day's own, so days add up.
    """
    days, day = np.unique(listed["as_of"].to_numpy(), return_inverse=True)
    customers, customer = np.unique(listed["customer_id"].astype("str").to_numpy(), return_inverse=True)
    point = _sums(listed, day, np.ones((1, len(listed))), days=len(days))
    stacks = [
        _sums(listed, day, counts[:, customer], days=len(days))
        for counts in resample_counts(len(customers), resamples=RESAMPLES, seed=seed)
    ]
    drawn = {name: np.concatenate([sums[name] for sums in stacks]) for name in point}
    values = {name: float(column[0]) for name, column in point.items()}
    promise = float(listed["gain"].sum())
    return {
        "listed": len(listed),
        **{name: int(listed[name].sum()) for name in ("silent", "proven", "returned", "once")},
        "gain": promise,
        "place": place(promise, low=values["low"], high=values["high"]),
        **{end: {"value": values[end], **_interval(drawn[end])} for end in ("low", "high")},
        "parts": {
            part: {"predicted": values[f"{part}_predicted"], "came": values[part], **_interval(drawn[part])}
            for part in ("kept", "later", "returned")
        },
    }


def place(promise: float, *, low: float, high: float) -> str:
    """Where a promise lies.

    >>> place(5, low=1, high=9)
    'inside'
    """
    return BELOW if promise < low else ABOVE if promise > high else INSIDE


def _sums(listed: pd.DataFrame, day: np.ndarray, weights: Floats, *, days: int) -> dict[str, Floats]:
    """Ends and parts, by name, (draws,) each; weights: of each row, (draws, rows)."""

    def of_days(column: Floats) -> Floats:
        sums = np.zeros((len(weights), days))
        for number in range(days):
            sums[:, number] = weights[:, day == number] @ column[day == number]
        return sums

    silent, once, proven, returned = (listed[name].to_numpy(float) for name in ("silent", "once", "proven", "returned"))
    came = listed["came"].to_numpy(float)
    stayers, brought, gone, after = (of_days(column) for column in (once, once * came, silent, silent * came))
    kept = _ratio(brought, stayers)
    total, silent_total = stayers.sum(axis=1), gone.sum(axis=1)
    return {
        "low": (kept * of_days(silent * proven) - after).sum(axis=1),
        "high": (kept * gone - after).sum(axis=1),
        "kept": _ratio(brought.sum(axis=1), total),
        "kept_predicted": _ratio(of_days(once * listed["kept"].to_numpy(float)).sum(axis=1), total),
        "later": _ratio(after.sum(axis=1), silent_total),
        "later_predicted": _ratio(of_days(silent * listed["later"].to_numpy(float)).sum(axis=1), silent_total),
        "returned": _ratio(of_days(silent * returned).sum(axis=1), silent_total),
        "returned_predicted": _ratio(
            of_days(silent * listed["return_probability"].to_numpy(float)).sum(axis=1), silent_total
        ),
    }


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _interval(draws: Floats) -> Mapping[str, float]:
    low, high = percentile_interval(draws, confidence=CONFIDENCE)
    return {"interval_low": low, "interval_high": high}
