"""Build one customer's history without those of the others.

The rows are read, cleaned and netted by the same code as the whole log; finding a customer among many files or
millions of customers costs one search for an id. Parquet is searched in place; of CSV the store has a copy to search
where it has the log, else it is read to the end, as a database is.
"""

import tempfile
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from features.errors import InputError
from features.histories.columns import Histories
from features.history_store.entry import Entry
from features.history_store.stored_customer import rows_of
from features.ingest import sources
from features.ingest.build_histories import histories_of
from features.ingest.column_sql import text_of
from features.ingest.duckdb_connection import connect
from features.ingest.log import Log
from features.large_logs.partitions import open_part

CustomerRows = dict[str, pa.Table]
"""Table → a customer's rows as written, under our column names, and the file and row they stand in."""
ALL_TIME = (np.iinfo(np.int64).min, np.iinfo(np.int64).max)


def read_customer_rows(log: Log, customer_id: str, stored: Entry | None = None) -> CustomerRows:
    """The rows of a log that carry this id. stored: the log in the store; the table `customers` is not there."""
    rows: CustomerRows = {}
    if stored:
        with suppress(InputError):  # another command has just removed the entry
            rows = rows_of(stored, log, [customer_id])
    with tempfile.TemporaryDirectory(prefix="stayworth-") as folder, connect() as db:
        db.execute(f"set temp_directory = '{folder}'")
        for table in log.tables.keys() - rows.keys():
            source = log.source(table)
            with sources.readable(source.label(table)):
                types = sources.read_table(db, table, log, is_thorough=True).types
                customer = text_of("customer_id", types["customer_id"])
                query = f"select * from raw_{table} where {customer} = ? order by file, row"
                rows[table] = db.sql(query, params=[customer_id]).to_arrow_table()
    return rows


def customer_history(
    log: Log, rows: CustomerRows, *, now_us: int | None, before_us: int | None = None
) -> Histories | None:
    """The history in a customer's rows; None where none of them is an order. now_us, before_us: see `reading`."""
    relations = {f"raw_{table}": written for table, written in rows.items()}
    with open_part(log, relations, now_us=now_us, before_us=before_us) as part:
        histories, _ = histories_of(part, "usable_orders", "usable_interactions")
    return histories if histories.customers else None


@dataclass(frozen=True)
class EventCounts:
    """Counts of the events of a history."""

    orders: int
    spend: float
    """The amount of the orders, and of late lines of older orders, in currency units."""
    refunds: int
    refunded: float
    """Currency units, not negative."""
    interactions: dict[str, int]
    """By kind; kinds without any are left out."""


def count_events(
    histories: Histories, *, at: tuple[int, int] = ALL_TIME, known_at: tuple[int, int] = ALL_TIME
) -> EventCounts:
    """Count the events that happened within `at` and became known within `known_at`: half-open, in microseconds."""
    columns = histories.columns

    def within(happened: np.ndarray, known: np.ndarray) -> np.ndarray:
        return (at[0] <= happened) & (happened < at[1]) & (known_at[0] <= known) & (known < known_at[1])

    orders = within(columns.at, columns.known_at)
    changed = within(columns.adjusted_at, columns.adjustment_known_at)
    cents = columns.adjustment_cents[changed]
    kinds = columns.interaction_kind[within(columns.interaction_at, columns.interaction_known_at)]
    counts = np.bincount(kinds, minlength=len(histories.kinds)).tolist()
    return EventCounts(
        orders=int(orders.sum()),
        spend=float(columns.amount_cents[orders].sum() + cents[cents > 0].sum()) / histories.minor_units,
        refunds=int((cents < 0).sum()),
        refunded=float(-cents[cents < 0].sum()) / histories.minor_units,
        interactions={kind: count for kind, count in zip(histories.kinds, counts, strict=True) if count},
    )
