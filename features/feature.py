"""What a feature is: a small pure function of the slice known before `as_of`, with its unit and meaning.

    @feature(unit="days", says="{} days since the last order")
    def recency_days(orders, as_of):
        return (as_of - orders.at[-1]) / DAY

The decorator only attaches the unit and the words; the function stays plain Python, so a test calls it as it is.
features/kernel.py compiles all of them into one pass. Times are microseconds, money is minor units (cents); a
feature of unit "money" is written out in currency units.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

import numpy as np


class Orders(NamedTuple):
    """One customer's orders as known before `as_of`, net of the refunds known before it; never empty.

    An order that was refunded in full is not in it. Refunds whose order was not found stand apart.
    """

    at: np.ndarray
    """When each order was placed: microseconds UTC, ascending."""
    amount_cents: np.ndarray
    """What each order brought, net of its refunds: minor units, int64."""
    margin_cents: np.ndarray
    """The margin in it: minor units, float64."""
    refund_at: np.ndarray
    """When each refund without an order happened: microseconds UTC."""
    refund_cents: np.ndarray
    """What it took back: minor units, int64, negative."""
    refund_margin_cents: np.ndarray
    """The margin it took back: minor units, float64."""


@dataclass(frozen=True)
class Feature:
    """One column of the feature table."""

    name: str
    unit: str
    says: str
    function: Callable[..., float]
    days: int | None = None
    """The window of a windowed feature, passed as the third argument."""
    absent: str = ""
    """What to say where the feature is undefined."""

    @property
    def meaning(self) -> str:
        """One line of meaning, without a value: "days since the last order"."""
        return self.says.replace("{}", "").replace("{days}", str(self.days)).strip()

    def sentence(self, value: float) -> str:
        """The feature's value in words: "62 days since the last order"."""
        if np.isnan(value):
            return self.absent
        number = f"{value:,.{2 if self.unit == 'money' else 0}f}"
        words = self.says.replace("{}", number).replace("{days}", str(self.days))
        return re.sub(r"^1 (\w+)s\b", r"1 \1", words)


def feature(*, unit: str, says: str, windows: tuple[int, ...] = (), absent: str = "") -> Callable[[Callable], Callable]:
    """Mark a function as a feature named after it, or as one per window: `orders_last` → `orders_last_30d`, …

    unit: days, orders or money. says: the meaning, with {} for the value and {days} for the window. absent: what an
    undefined value (NaN) means.
    """

    def mark(function: Callable) -> Callable:
        function.features = [  # type: ignore[attr-defined]
            Feature(f"{function.__name__}_{days}d" if days else function.__name__, unit, says, function, days, absent)
            for days in (windows or (None,))
        ]
        return function

    return mark


def features_of(family: ModuleType) -> list[Feature]:
    """The features a module defines, in the order of its text."""
    own = [item for item in vars(family).values() if getattr(item, "__module__", "") == family.__name__]
    return [one for item in own for one in getattr(item, "features", [])]
