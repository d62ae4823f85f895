"""The judgement of when customers order next, on lifetimes that have closed."""

from typing import Any, NamedTuple

import numpy as np

from features.arrays import Floats
from models.evaluation.evaluation_tables import finite_or_none
from models.evaluation.interval_places import TAIL


class NextOrderDays(NamedTuple):
    """Days until the next order, shape (rows,) each; NaN: less likely than that within the lifetime."""

    low: Floats
    """It comes earlier with a probability of 10 %."""
    median: Floats
    high: Floats
    """It comes later with a probability of 10 %."""
    nothing: Floats
    """The probability of no order within the lifetime."""


def judge(came: Floats, predicted: NextOrderDays, by_gap: Floats) -> dict[str, Any]:
    """Judge the days of customers of whom an order is expected, ready for JSON.

    came: days until the next order, NaN where none came within the lifetime. by_gap: the last order plus the mean gap,
    in days from today, 0 where it is overdue; NaN for customers who have ordered once. expected: the share of customers
    of whom an order is expected. coverage: the shares of them who ordered before, within and after their interval; who
    never ordered, and whose interval has no end, lies after it as far as a tenth is of the probability of that. errors:
    the mean and the median absolute error in days of both, on those who ordered and had a gap.
    """
    expected = ~np.isnan(predicted.median)
    low, high = predicted.low[expected], predicted.high[expected]
    after_all = np.divide(
        TAIL, predicted.nothing[expected], out=np.ones(len(low)), where=predicted.nothing[expected] > TAIL
    )
    day = np.where(np.isnan(came), np.inf, came)[expected]
    below = day < low
    above = np.where(np.isnan(high), np.where(np.isinf(day), after_all, 0.0), day > high)
    both = expected & ~np.isnan(came) & ~np.isnan(by_gap)
    places = {"below": below, "inside": 1 - below - above, "above": above}
    return {
        "expected": finite_or_none(float(expected.mean())),
        "coverage": {name: finite_or_none(float(part.mean())) if len(low) else None for name, part in places.items()},
        "compared": int(both.sum()),
        "errors": {
            name: {
                "mean": float(np.abs(days - came)[both].mean()) if both.any() else None,
                "median": float(np.median(np.abs(days - came)[both])) if both.any() else None,
            }
            for name, days in (("stayworth", predicted.median), ("last_plus_gap", by_gap))
        },
    }
