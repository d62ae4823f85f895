"""Pairing of events: the time since another event of the same customer."""

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers

DAY_SECONDS = 86_400


def days_since(rows: pd.DataFrame, events: pd.DataFrame) -> Floats:
    """Days from the customer's last event at or before each row (both frames with customer and at); infinite where
    there was none.

    Times are taken to the second. The events are sorted and each row is looked up: n log n for any number of customers.
    """
    if rows.empty or events.empty:
        return np.full(len(rows), np.inf)
    at, event_at = _seconds(rows), _seconds(events)
    first = min(at.min(), event_at.min())
    span = max(at.max(), event_at.max()) - first + 1
    row_keys = rows["customer"].to_numpy(np.int64) * span + at - first
    event_keys = np.sort(events["customer"].to_numpy(np.int64) * span + event_at - first)
    place = np.searchsorted(event_keys, row_keys, side="right") - 1
    before = event_keys[np.maximum(place, 0)]
    same = (place >= 0) & (before // span == row_keys // span)
    return np.where(same, (row_keys - before) / DAY_SECONDS, np.inf)


def _seconds(frame: pd.DataFrame) -> Integers:
    return frame["at"].to_numpy().astype("datetime64[s]").astype(np.int64)
