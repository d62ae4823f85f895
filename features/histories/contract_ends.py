"""Counts of the customers who left by `left_at`, and of orders that contradict it. Nothing is refused."""

from dataclasses import dataclass
from datetime import date

from features.clock import DAY, day_of, microseconds
from features.histories.columns import NEVER, Histories


@dataclass(frozen=True)
class LeavingCounts:
    """Customers with an order, counted by their `left_at`."""

    left: int
    """Customers who left before the end of the orders."""
    leave_later: int
    """Customers who leave after it: no label reads that, and until then they count as customers."""
    last_left: date | None
    """The last day on which a customer left; if long before the end, the table may be older than the orders."""
    ordered_after: int
    """Customers who ordered more than a day after they left (a date may stand for the whole day)."""
    left_before_first_order: int
    """Those of them who left before their first order: they have no row on any day."""


def count_leaving(histories: Histories) -> LeavingCounts:
    """Count leavers; raises ValueError for a log that does not say who left.

    A customer who comes back after leaving is gone all the same: `left_at` holds one time, and it is believed.
    """
    if histories.left_us is None:
        raise ValueError("the log does not say who left")
    left_us, columns = histories.left_us, histories.columns
    has_left = left_us < microseconds(histories.end)
    first, last = columns.at[columns.starts[:-1]], columns.at[columns.starts[1:] - 1]
    return LeavingCounts(
        left=int(has_left.sum()),
        leave_later=int((~has_left & (left_us < NEVER)).sum()),
        last_left=day_of(int(left_us[has_left].max())) if has_left.any() else None,
        ordered_after=int((last - DAY > left_us).sum()),
        left_before_first_order=int((first - DAY > left_us).sum()),
    )
