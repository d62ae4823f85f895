"""Histories: every customer's orders and refunds, cleaned and sorted, as columns.

What changed an order after it was first known (a refund, a line recorded late) is an adjustment: it counts from
the moment it was known, so that a slice as of any day shows what was known that day and nothing later.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from features.clock import day_of


class Columns(NamedTuple):
    """The sorted columns. Times are int64 microseconds UTC, money is minor units (cents).

    Orders of customer i stand in rows `starts[i]:starts[i + 1]` by time, their adjustments likewise.
    """

    starts: np.ndarray
    at: np.ndarray
    """When each order was placed."""
    known_at: np.ndarray
    """When it became known: `at`, or `recorded_at` where that is later."""
    amount_cents: np.ndarray
    """What it brought when first known; int64, at least 0."""
    margin_cents: np.ndarray
    """The margin in it; float64."""

    adjustment_starts: np.ndarray
    adjusted_order: np.ndarray
    """The row of the order it changes, or -1 for a refund whose order was not found."""
    adjusted_at: np.ndarray
    adjustment_known_at: np.ndarray
    adjustment_cents: np.ndarray
    """What it adds; int64, negative for a refund."""
    adjustment_margin_cents: np.ndarray


@dataclass(frozen=True)
class Histories:
    """The log of orders, ready for the compiled pass."""

    customer_ids: pa.Array
    """Text, distinct, ascending by bytes; customer i of `columns`."""
    columns: Columns
    minor_units: int
    """Minor units in one currency unit: 100 for most, 1 for JPY."""

    @property
    def customers(self) -> int:
        return len(self.customer_ids)

    @property
    def first_day(self) -> date:
        """The day of the first order."""
        return day_of(int(self.columns.at.min()))

    @property
    def end(self) -> date:
        """The day after the last event: labels mature up to it."""
        last = max(self.columns.at.max(), self.columns.adjusted_at.max(initial=0))
        return day_of(int(last)) + timedelta(days=1)
