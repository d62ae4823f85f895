"""How long before or after a row something else happened to the same customer."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAY_SECONDS = 86_400


def days_since(rows: pd.DataFrame, events: pd.DataFrame) -> NDArray[np.float64]:
    """Days from the customer's last event at or before each row (both frames with customer and at); infinite where
    there was none.

    Times are taken to the second. The events are sorted and each row is looked up: n log n for any number of customers.
    """
    return _apart(rows, events, later=False)


def days_until(rows: pd.DataFrame, events: pd.DataFrame) -> NDArray[np.float64]:
    """Days to the customer's next event after each row; infinite where none came."""
    return _apart(rows, events, later=True)


def _apart(rows: pd.DataFrame, events: pd.DataFrame, *, later: bool) -> NDArray[np.float64]:
    """Each row's distance to the event beside it in the order by customer, then time."""
    if rows.empty or events.empty:
        return np.full(len(rows), np.inf)
    at, event_at = _seconds(rows), _seconds(events)
    first = min(at.min(), event_at.min())
    span = max(at.max(), event_at.max()) - first + 1
    here = rows["customer"].to_numpy(np.int64) * span + at - first
    there = np.sort(events["customer"].to_numpy(np.int64) * span + event_at - first)
    place = np.searchsorted(there, here, side="right") - (0 if later else 1)
    beside = there[np.clip(place, 0, len(there) - 1)]
    same = (place >= 0) & (place < len(there)) & (beside // span == here // span)
    return np.where(same, np.abs(here - beside) / DAY_SECONDS, np.inf)


def _seconds(frame: pd.DataFrame) -> NDArray[np.int64]:
    return frame["at"].to_numpy().astype("datetime64[s]").astype(np.int64)
