"""Reconciliation of a log: every row and every cent accounted for."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

import duckdb
import pyarrow as pa

from features.ingest.open_log import Judged, JudgedRows, Reading
from features.ingest.schema import minor_units


class Tally(NamedTuple):
    """Counts of usable rows in the histories."""

    netted: int
    """Refunds netted against their order."""
    netted_cents: int
    interactions: int
    """Interactions of customers with an order."""
    customers: int = 0
    """Rows of the table `customers` for customers with an order."""
    buyers: int = 0
    """Customers with an order."""

    @classmethod
    def total(cls, parts: list["Tally"]) -> "Tally":
        """The tally of all parts of a log."""
        return cls(*map(sum, zip(*parts, strict=True)))


@dataclass(frozen=True)
class ReconciliationLine:
    """One line of the reconciliation: an outcome, its rows and its money (currency units)."""

    what: str
    rows: int
    amount: Decimal


@dataclass(frozen=True)
class Reconciliation:
    """The lines of each table: the source first; the lines after it add up to it, to the cent."""

    orders: list[ReconciliationLine]
    interactions: list[ReconciliationLine]
    """Empty where the log has none."""
    customers: list[ReconciliationLine] = field(default_factory=list)
    """Empty where the log has none."""
    described: int = 0
    """Customers with an order who have a row in the table `customers`."""


def reconcile(log: Judged, tally: Tally) -> Reconciliation:
    """Reconcile a log that was read; see `Reading.counted`."""
    return Reconciliation(
        _orders(log, tally),
        _of_buyers(log, "interactions", "accepted", tally.interactions),
        _of_buyers(log, "customers", "with an order", tally.customers),
        tally.customers,
    )


def reconcile_side_table(log: Judged, table: str) -> list[ReconciliationLine]:
    """Reconcile a side table; the money of treatments is the cost of contacts, not rounded."""
    usable, units = _usable(log, table), minor_units(log.currency)
    kept = Decimal(int(usable.cents)) / units if table == "costs" else _units(usable.micros)
    return [
        _source(log, table),
        ReconciliationLine("accepted", usable.rows, kept),
        *_quarantined(log, table),
        *([ReconciliationLine("rounding to minor units", 0, _units(usable.micros) - kept)] if table == "costs" else []),
    ]


def _orders(log: Judged, tally: Tally) -> list[ReconciliationLine]:
    units = minor_units(log.currency)
    usable = _usable(log, "orders")

    def money(cents: int) -> Decimal:
        return Decimal(int(cents)) / units

    return [
        _source(log, "orders"),
        ReconciliationLine(
            "order lines accepted", usable.rows - usable.refunds, money(usable.cents - usable.refund_cents)
        ),
        ReconciliationLine("refunds netted to their order", tally.netted, money(tally.netted_cents)),
        ReconciliationLine(
            "refunds whose order was not found",
            usable.refunds - tally.netted,
            money(usable.refund_cents - tally.netted_cents),
        ),
        *_quarantined(log, "orders"),
        ReconciliationLine("rounding to minor units", 0, _units(usable.micros) - money(usable.cents)),
    ]


def _of_buyers(log: Judged, table: str, what: str, rows: int) -> list[ReconciliationLine]:
    """The lines of a table of which only the rows of customers with an order are used; rows: their number."""
    if table not in log.tables:
        return []
    return [
        _source(log, table),
        ReconciliationLine(what, rows, Decimal(0)),
        ReconciliationLine("of somebody without an order", _usable(log, table).rows - rows, Decimal(0)),
        *_quarantined(log, table),
    ]


def _usable(log: Judged, table: str) -> JudgedRows:
    return next((group for group in log.tables[table] if group.reason is None), JudgedRows(None, 0, 0, 0, 0, 0, None))


def _source(log: Judged, table: str) -> ReconciliationLine:
    judged = log.tables[table]
    rows = sum(group.rows for group in judged) + log.malformed[table]
    return ReconciliationLine("source", rows, _units(sum(group.micros for group in judged)))


def _quarantined(log: Judged, table: str) -> list[ReconciliationLine]:
    entries = [
        ReconciliationLine(f"quarantined: {group.reason}", group.rows, _units(group.micros))
        for group in log.tables[table]
        if group.reason is not None
    ]
    malformed = log.malformed[table]
    return [
        *entries,
        *([ReconciliationLine("quarantined: malformed line", malformed, Decimal(0))] if malformed else []),
    ]


def _units(micros: int) -> Decimal:
    return Decimal(int(micros)) / 1_000_000


PLACES = ("orders", "interactions", "customers")
"""The tables of a log, in the order of their rows in the quarantine where file and row are the same."""


def quarantine(
    opened: Reading, tables: Collection[str] | None = None, *, with_place: bool = False
) -> Iterator[pa.Table]:
    """The rows that cannot be used: file, row, reason, customer_id, ordered_at and amount as written.

    A log with interactions adds at, kind and value, a log that says who left adds left_at. The rows come in tables of
    bounded size, the first of them empty. tables: only theirs. with_place: add `place`, the table's in `PLACES`, or
    that and their number for malformed lines.
    """

    def bad(table: str) -> str:
        """The condition of such rows; a table known to have none is not read again."""
        return "reason is not null" if any(group.reason for group in opened.judged[table]) else "false"

    wanted = [table for table in opened.judged if tables is None or table in tables]
    written = {
        "orders": "written_at as ordered_at, written_amount as amount",
        "interactions": 'written_at as "at", written_kind as kind, written_value as value',
        "customers": "written_left_at as left_at" if opened.contractual else "",
    }
    selects = [
        f"select file, row, reason, written_id as customer_id, {written[table]}{', ' * bool(written[table])}"
        f"{PLACES.index(table)} as place from rows_{table} where {bad(table)}"
        for table in PLACES
        if table in wanted
    ]
    selects += [
        f"select file, row, reason, {len(PLACES) + PLACES.index(table)} as place from malformed_{table}"
        for table in wanted
    ]
    columns = "*" if with_place else "* exclude (place)"
    rows = f"select {columns} from ({' union all by name '.join(selects)}) order by file, row, place, reason"
    yield from tables_of(opened.db.sql(rows))


def tables_of(rows: duckdb.DuckDBPyRelation) -> Iterator[pa.Table]:
    """The rows of a query in tables of bounded size, the first of them empty."""
    reader = rows.to_arrow_reader()
    yield reader.schema.empty_table()
    for batch in reader:
        yield pa.Table.from_batches([batch])
