"""Labels: the orders and margin that followed each row, counted by the same slices as the features.

A label at `as_of` is the value that a feature of the window `[as_of, as_of + horizon)` would have on the day the
window closes, so it is known on that day and not a day earlier. Where the log says who left, leaving is such an event.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.clock import DAY, microseconds
from features.families.catalogue import feature_templates
from features.histories.columns import Histories
from features.kernel.code_generation import compile_pass
from features.snapshots.snapshot import snapshot_chunks

LABELS = ("as_of", "churned", "bought", "future_orders", "future_value")
"""The columns of the training rows beside the features."""


def orders_and_margin(
    histories: Histories, rows: pa.Table, *, from_days: int, to_days: int
) -> tuple[np.ndarray, np.ndarray]:
    """Orders (int64) and margin (float64, currency units) of each row in `[as_of + from_days, as_of + to_days)`.

    rows: a table with customer_id and as_of, as `snapshot` returns it. Orders refunded in full before the period
    ends do not count; refunds without an order count on their day, so a margin can be negative.
    """
    index, as_of = _customers_and_days(histories, rows)
    orders, margin = np.empty(len(index), np.int64), np.empty(len(index))
    walk_period = compile_pass(feature_templates()).walk_period
    walk_period(histories.columns, index, as_of + from_days * DAY, as_of + to_days * DAY, orders, margin)
    return orders, margin / histories.minor_units


def days_to_next_order(histories: Histories, rows: pa.Table, *, as_of: date, most_days: float) -> np.ndarray:
    """Days from `as_of` to the next order of each row's customer, float64; NaN where none comes in so many days.

    rows: a table with customer_id, all of this day. Orders that were refunded later count.
    """
    columns, begin = histories.columns, microseconds(as_of)
    later = np.flatnonzero((columns.at >= begin) & (columns.at < begin + most_days * DAY))
    customers, first = np.unique(np.searchsorted(columns.starts, later, side="right") - 1, return_index=True)
    days = np.full(histories.customers, np.nan)
    days[customers] = (columns.at[later[first]] - begin) / DAY
    return days[pc.index_in(rows["customer_id"], histories.customer_ids).to_numpy()]


def has_left(histories: Histories, rows: pa.Table, *, horizon_days: int) -> np.ndarray:
    """True for rows whose customer left in `[as_of, as_of + horizon)`; raises ValueError if the log does not say so."""
    if histories.left_us is None:
        raise ValueError("the log does not say who left")
    index, as_of = _customers_and_days(histories, rows)
    left_us = histories.left_us[index]
    return (left_us >= as_of) & (left_us < as_of + horizon_days * DAY)


def _customers_and_days(histories: Histories, rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row's customer, and its day in microseconds."""
    index = pc.index_in(rows["customer_id"], histories.customer_ids).to_numpy().astype(np.int64)
    return index, rows["as_of"].cast(pa.int32()).to_numpy().astype(np.int64) * DAY


def with_labels(histories: Histories, rows: pa.Table, *, horizon_days: int) -> pa.Table:
    """Add the labels of each row over the next `horizon_days`.

    churned (bool: `left_at` in the window where the log has it, else no order in it), bought (bool: an order in it),
    future_orders, future_value (margin).
    Raises ValueError if a row's window is not in the data.
    """
    last = pc.max(rows["as_of"]).as_py()
    if last is not None and last + timedelta(days=horizon_days) > histories.end:
        raise ValueError(f"the window of {last} ends after the data, which end before {histories.end}")
    orders, value = orders_and_margin(histories, rows, from_days=0, to_days=horizon_days)
    labels = {
        "churned": has_left(histories, rows, horizon_days=horizon_days) if histories.contractual else orders == 0,
        "bought": orders > 0,
        "future_orders": orders,
        "future_value": value,
    }
    for name, values in labels.items():
        rows = rows.append_column(name, pa.array(values))
    return rows


def labelled_rows(
    histories: Histories,
    *,
    whole: tuple[date, date],
    as_of: list[date],
    features: Sequence[str],
    horizon_days: int,
    share: float,
    seed: int,
) -> Iterator[pa.Table]:
    """Features and `LABELS` of some of a log's customers, in tables of bounded size; measures as float32.

    whole: `first_day` and `end` of the whole log, which bound the windows. share: the share of the rows drawn at
    random; 1 or more: all rows. The same customers, days and seed give the same rows.
    """
    histories = replace(histories, whole=whole)
    rng = np.random.default_rng([seed, zlib.crc32(histories.customer_ids[0].as_py().encode())])
    first = 0
    for table in snapshot_chunks(histories, as_of=as_of, features=features):
        ids = table["customer_id"].chunk(0).dictionary
        customers = histories.span(first, first + len(ids))
        first += len(ids)
        rows = table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))
        rows = with_labels(customers, rows, horizon_days=horizon_days).select([*features, *LABELS])
        types = [pa.float32() if pa.types.is_float64(field.type) else field.type for field in rows.schema]
        rows = rows.cast(pa.schema(list(zip(rows.column_names, types, strict=True))))
        yield rows if share >= 1 else rows.filter(pa.array(rng.random(len(rows)) < share))
