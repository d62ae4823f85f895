"""Histories: every customer's orders, refunds, lines and interactions, cleaned and sorted, as columns.

A change of an order after it was first known (a refund, a line recorded late) is an adjustment: it counts from
the moment it was known, so that a slice as of any day shows what was known that day and nothing later.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from features.clock import day_of
from features.histories.attributes import AttributeKind

NEVER = np.iinfo(np.int64).max
"""The leaving time of a customer who has not left."""


class Columns(NamedTuple):
    """The sorted columns. Times are int64 microseconds UTC, money is minor units (cents).

    Orders of customer i stand in rows `starts[i]:starts[i + 1]` by time; adjustments, lines and interactions likewise
    by their own starts. A column that the log does not have is empty.
    """

    starts: np.ndarray
    at: np.ndarray
    """The time of each order."""
    known_at: np.ndarray
    """The time it became known: `at`, or `recorded_at` where that is later."""
    amount_cents: np.ndarray
    """Its amount when first known; int64, at least 0."""
    margin_cents: np.ndarray
    """The margin in it; float64."""
    discount_cents: np.ndarray
    pieces: np.ndarray
    channel: np.ndarray
    """Code of its channel, -1 where it has none; int32."""

    adjustment_starts: np.ndarray
    adjusted_order: np.ndarray
    """The row of the order it changes, or -1 for a refund whose order was not found."""
    adjusted_at: np.ndarray
    adjustment_known_at: np.ndarray
    adjustment_cents: np.ndarray
    """The amount it adds; int64, negative for a refund."""
    adjustment_margin_cents: np.ndarray

    line_starts: np.ndarray
    line_order: np.ndarray
    """The line's order, counted from the customer's first; int64, ascending."""
    line_at: np.ndarray
    line_known_at: np.ndarray
    line_product: np.ndarray
    """Products numbered as the customer first bought them, -1 for none; int64."""
    line_category: np.ndarray
    line_discount_cents: np.ndarray
    line_pieces: np.ndarray
    """Millionths; int64."""

    interaction_starts: np.ndarray
    interaction_at: np.ndarray
    interaction_known_at: np.ndarray
    interaction_kind: np.ndarray
    """Code of its kind; int32."""
    interaction_value: np.ndarray
    """NaN where it has none."""

    prompt: np.ndarray
    """True where all of a customer's rows were known at once and nothing changed later: the slices are plain views."""

    def span(self, first: int, last: int) -> "Columns":
        """The columns of the customers `first:last`; nothing is copied."""
        starts = ("starts", "adjustment_starts", "line_starts", "interaction_starts")
        bounds = {name: getattr(self, name)[first : last + 1] for name in starts}
        return self._replace(prompt=self.prompt[first:last], **bounds)


@dataclass(frozen=True)
class Histories:
    """A log, ready for the compiled pass."""

    customer_ids: pa.Array
    """Text, distinct, ascending by bytes; customer i of `columns`."""
    columns: Columns
    minor_units: int
    """Minor units in one currency unit: 100 for most, 1 for JPY."""
    present: frozenset[str] = frozenset()
    """The columns of the log, and `interactions` if it has them: features that need others are left out."""
    channels: tuple[str, ...] = ()
    """Names of the codes of `columns.channel`, ascending."""
    kinds: dict[str, int] = field(default_factory=dict)
    """Names of the codes of `columns.interaction_kind`, ascending, and when each was first known (microseconds)."""
    before_us: int | None = None
    """Rows from then on were left out of the log when it was read."""
    attributes: dict[str, pa.Array] = field(default_factory=dict)
    """The columns of the table `customers` that are learned from, by name: one value per customer, moments in
    microseconds."""
    attribute_kinds: dict[str, AttributeKind] = field(default_factory=dict)
    """What each declared column of `customers` holds, the unused ones too."""
    unseen_names: dict[str, Counter[str]] = field(default_factory=dict)
    """By attribute, names that the model has not learned, which count as missing, and their customers."""
    left_us: np.ndarray | None = None
    """The time each customer left (microseconds; `NEVER` if they have not), if the log says so; no feature reads it."""
    whole: tuple[date, date] | None = None
    """`first_day` and `end` of the whole log, where these are only some of its customers."""

    @property
    def customers(self) -> int:
        return len(self.customer_ids)

    @property
    def unseen(self) -> dict[str, int]:
        """By attribute, the customers whose name in it the model has not learned."""
        return {name: sum(counts.values()) for name, counts in self.unseen_names.items()}

    @property
    def contractual(self) -> bool:
        """True if the log says who left when: churn is then leaving, not silence."""
        return self.left_us is not None

    def gone(self, customer: np.ndarray, *, as_of: np.ndarray, known_at: np.ndarray) -> np.ndarray:
        """True for customers (by number) who had left before `as_of`, as known before `known_at` (microseconds).

        Those who are gone have no row, neither of features nor for training. Leaving is known from the moment it
        happens.
        """
        if self.left_us is None:
            return np.zeros(len(customer), bool)
        return self.left_us[customer] < np.minimum(as_of, known_at)

    def span(self, first: int, last: int) -> "Histories":
        """Only the customers `first:last`, of the same whole log; nothing is copied."""
        return replace(
            self,
            customer_ids=self.customer_ids[first:last],
            columns=self.columns.span(first, last),
            attributes={name: values[first:last] for name, values in self.attributes.items()},
            left_us=None if self.left_us is None else self.left_us[first:last],
            whole=(self.first_day, self.end),
        )

    @property
    def first_day(self) -> date:
        """The day of the first order."""
        return self.whole[0] if self.whole else day_of(int(self.columns.at.min()))

    @property
    def end(self) -> date:
        """The day after the last event of the orders: labels mature up to it."""
        if self.whole:
            return self.whole[1]
        last = max(self.columns.at.max(), self.columns.adjusted_at.max(initial=0))
        return day_of(int(last)) + timedelta(days=1)
