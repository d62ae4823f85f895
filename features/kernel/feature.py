"""A feature: a small pure function of the slice known before `as_of`, with its unit and meaning.

    @feature(unit="days", says="{} days since the last order")
    def recency_days(orders, as_of):
        return (as_of - orders.at[-1]) / DAY

The decorator only attaches the unit and the words; the function stays plain Python, so a test calls it as it is.
features/kernel/slices.py lists the arguments it may take; features/kernel/code_generation.py compiles all features into
one pass. A feature of unit "money" is minor units (cents) here and currency units in the table.
"""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np

COMMON_ARGUMENTS = ("orders", "refunds", "items", "interactions", "events", "as_of", "days")
"""The arguments that a feature may take; any other is a kind of interaction."""

SMALL = 0.1
"""Values nearer to 0 are written with two significant digits."""
WHOLE_UNITS = ("days", "orders", "events", "products", "categories", "month")
"""Units written without decimals."""


@dataclass(frozen=True)
class Feature:
    """One column of the feature table."""

    name: str
    unit: str
    """days, orders, money, share, …; "channel" is a code that the table writes as its text."""
    says: str
    function: Callable[..., float]
    days: int | None = None
    """The window of a windowed feature."""
    absent: str = ""
    """The words for an undefined value."""
    needs: tuple[str, ...] = ()
    """Columns of the log that it cannot do without."""
    kind: str | None = None
    """The kind of interaction whose `events` it is given."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments of the function, in its order."""
        return tuple(inspect.signature(self.function).parameters)

    @property
    def is_per_kind(self) -> bool:
        """True if it becomes one feature for every kind of interaction."""
        return "events" in self.arguments

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of interaction it takes by name."""
        return tuple(name for name in self.arguments if name not in COMMON_ARGUMENTS)

    @property
    def requires(self) -> frozenset[str]:
        """The columns of the log, and `interactions`, that it cannot do without."""
        uses_events = self.kinds or not {"interactions", "events"}.isdisjoint(self.arguments)
        return frozenset(self.needs) | ({"interactions"} if uses_events else set())

    @property
    def meaning(self) -> str:
        """One line of meaning, without a value: "days since the last order"."""
        return self._words("").rstrip(": ").strip()

    def sentence(self, value: float) -> str:
        """Say a value in words: "62 days since the last order"."""
        if np.isnan(value):
            return self.absent.replace("{kind}", self._kind)
        words = re.sub(r"^1 ((?:'[^']*' )?\w+)ies\b", r"1 \1y", self._words(self.number(value)))
        return re.sub(r"^1 ((?:'[^']*' )?\w+)s\b", r"1 \1", words)

    def number(self, value: float) -> str:
        """Format a value for people: "62" days, "1.50" pieces; small values with two significant digits, "0.0018"."""
        if self.unit in WHOLE_UNITS:
            return f"{value:z,.0f}"
        if 0 < abs(value) < SMALL:
            return np.format_float_positional(value, precision=2, fractional=False, trim="-")
        return f"{value:,.2f}"

    def _words(self, number: str) -> str:
        words = self.says.replace("{}", number).replace("{days}", str(self.days))
        return words.replace("{kind}", self._kind)

    @property
    def _kind(self) -> str:
        return (self.kind or "").replace("_", " ")


def feature(
    *, unit: str, says: str, windows: tuple[int, ...] = (), absent: str = "", needs: tuple[str, ...] = ()
) -> Callable[[Callable], Callable]:
    """Mark a function as a feature named after it, or as one per window: `orders_last` → `orders_last_30d`, …

    says: the meaning, with {} for the value, {days} for the window and {kind} for the kind of interaction. absent:
    the meaning of an undefined value (NaN). needs: columns of the log that the feature cannot do without.
    """

    def mark(function: Callable) -> Callable:
        function.features = [  # type: ignore[attr-defined]
            Feature(
                f"{function.__name__}_{days}d" if days else function.__name__,
                unit,
                says,
                function,
                days,
                absent,
                needs,
            )
            for days in (windows or (None,))
        ]
        return function

    return mark


def features_of(family: ModuleType) -> list[Feature]:
    """The features that a module defines, in the order of its text."""
    own = [item for item in vars(family).values() if getattr(item, "__module__", "") == family.__name__]
    return [own_feature for item in own for own_feature in getattr(item, "features", [])]
