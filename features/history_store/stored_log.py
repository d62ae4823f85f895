"""A log whose histories are in the store: mapped, with their account and quarantine."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.histories.columns import Columns, Histories
from features.history_store.build_rows import IDS, QUARANTINE, netted, read_arrow
from features.history_store.column_files import MappedColumns
from features.history_store.customer_rows import read_customers
from features.history_store.entry import Entry
from features.ingest.build_histories import CustomerColumns
from features.ingest.duckdb_connection import connect
from features.ingest.log import Log
from features.ingest.mistakes.customer_attributes import described_in_words
from features.ingest.open_log import Judged, JudgedRows
from features.ingest.reconciliation import Reconciliation, Tally, reconcile, tables_of
from features.ingest.schema import minor_units

CUSTOMERS_AT_ONCE = 100_000
"""Customers in a part, whose pages are let go before the next."""


@dataclass(frozen=True)
class StoredLog:
    """The histories of a log, mapped from the store, and what became of its rows."""

    histories: Histories
    account: Reconciliation
    """The reconciliation of every row and cent."""
    unread: list[str]
    """Cells of attributes that count as missing, in sentences."""
    warnings: list[str]
    """What became of the attributes, those cells included, in sentences."""
    found: Any
    """What an inspection found, as JSON; None without one."""
    how: str
    """opened, added to or made; or why it could not be kept."""
    quarantined: tuple[pq.ParquetFile, ...]
    """Open files of the rows that cannot be used, which stay readable if another run replaces the entry."""
    mapped: MappedColumns

    @property
    def described(self) -> list[str]:
        """How many customers the table of attributes has, in a sentence; empty where no attribute is used."""
        return described_in_words(self.histories.attributes, self.histories.customers, self.account.described)

    def quarantine(self) -> Iterator[pa.Table]:
        """The rows that cannot be used, in tables of bounded size, the first of them empty; see `quarantine`."""
        with connect() as db:
            for number, file in enumerate(self.quarantined):
                batches = pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches())
                db.register(f"quarantine_{number}", batches)
            all_rows = " union all by name ".join(
                f"from quarantine_{number}" for number in range(len(self.quarantined))
            )
            rows = f"select * exclude (place) from ({all_rows}) order by file, row, place, reason"
            yield from tables_of(db.sql(rows))

    def parts(self) -> Iterator[Histories]:
        """The histories, so many customers at a time that memory holds them."""
        customers = self.histories.customers
        for first, last in pairwise([*range(0, customers, CUSTOMERS_AT_ONCE), customers]):
            yield self.histories.span(first, last)
            self.mapped.release()


def ids_of(rows: Entry) -> pa.Array:
    """The ids of the customers of an entry."""
    return read_arrow(rows.file(IDS))["customer_id"].combine_chunks()


def histories_in(rows: Entry, columns: Columns, *, currency: str) -> Histories:
    """The histories of an entry, without what the table `customers` says; columns: its own, mapped."""
    about = rows.about
    return Histories(
        customer_ids=ids_of(rows),
        columns=columns,
        minor_units=minor_units(currency),
        present=frozenset(about["present"]),
        channels=tuple(about["channels"]),
        kinds=about["kinds"],
        before_us=about["before_us"],
        whole=(date.fromisoformat(about["first_day"]), date.fromisoformat(about["end"])),
    )


def stored_log(
    log: Log,
    rows: Entry,
    customers: Entry | None,
    found: Entry | None,
    *,
    how: str,
) -> StoredLog:
    """The log that is in these entries."""
    mapped = MappedColumns(rows.folder, rows.about["columns"])
    columns = mapped.columns
    said = read_customers(customers) if customers else CustomerColumns(0, {}, {}, {}, None)
    histories = said.of(histories_in(rows, columns, currency=log.currency))
    both = [rows, *([customers] if customers else [])]
    judged = Judged(
        {
            table: [JudgedRows(*group) for group in groups]
            for entry in both
            for table, groups in entry.about["judged"].items()
        },
        {table: lines for entry in both for table, lines in entry.about["malformed"].items()},
        log.currency,
    )
    tally = Tally(*netted(columns), len(columns.interaction_at), said.customers, histories.customers)
    return StoredLog(
        histories,
        reconcile(judged, tally),
        customers.about["unread"] if customers else [],
        customers.about["warnings"] if customers else [],
        found.about["found"] if found else None,
        how,
        tuple(pq.ParquetFile(entry.file(QUARANTINE)) for entry in both),
        mapped,
    )
