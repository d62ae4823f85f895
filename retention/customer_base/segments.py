"""Value quadrants: what customers bring now against what they will bring."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.arrays import Floats
from features.errors import InputError

CURRENT_VALUE_FEATURE = "spend_last_365d"
"""The feature that is a customer's current value in all segments."""
SEGMENTS = VIP, GROW, MAINTAIN, LET_GO = "VIP", "grow", "maintain", "let go"
"""The best first."""
#: name by [current value is high][future value is high]
QUADRANTS = np.array([[LET_GO, GROW], [MAINTAIN, VIP]])


def value_quadrants(
    current_value: ArrayLike, future_value: ArrayLike, *, current_cut: float, future_cut: float
) -> NDArray[np.str_]:
    """Each customer's quadrant; values and cuts in currency units, high = strictly above the cut.

                         future low    future high
        current high     maintain      VIP
        current low      let go        grow

    With the averages of `cuts` most customers are low, since values are skewed: the quadrants are a view,
    not four equal parts. Where all are worth the same, nobody is above the average and everyone is
    "let go".

    >>> value_quadrants([50, 1, 50, 1], [9, 9, 0, 0], current_cut=10, future_cut=5).tolist()
    ['VIP', 'grow', 'maintain', 'let go']
    """
    now, then = _finite(current_value, "current value"), _finite(future_value, "future value")
    return QUADRANTS[(now > current_cut).astype(int), (then > future_cut).astype(int)]


def average_cuts(current_value: ArrayLike, future_value: ArrayLike) -> tuple[float, float]:
    """The customer base's average current and future value, in currency units: where `quadrant` cuts.

    >>> average_cuts([0, 10], [2, 4])
    (5.0, 3.0)
    """
    now, then = _finite(current_value, "current value"), _finite(future_value, "future value")
    if now.size == 0:
        raise InputError("no customers, so no average to cut at", where="value quadrants")
    return float(now.mean()), float(then.mean())


def _finite(value: ArrayLike, name: str) -> Floats:
    array = np.asarray(value, dtype=float)
    if missing := int((~np.isfinite(array)).sum()):
        raise InputError(
            f"the {name} of {missing:,} of {array.size:,} customers is missing or infinite",
            where="value quadrants",
            next="Score these customers first: a customer without a value has no quadrant.",
        )
    return array
