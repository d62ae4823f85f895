"""What the pieces and buckets of a log tell, put together: the whole log before its features, and its files after.

See features/large_logs/partitions.py. What concerns the log as a whole (its columns and kinds of interaction, tables
without rows, columns mostly unreadable) is decided here before any feature is computed. What a single row shows
(another currency, the future, a missing zone, a customer twice) is refused by the piece or bucket that meets it, and
counted there.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError
from features.ingest.build_histories import no_order
from features.ingest.csv_checks import quoted
from features.ingest.duckdb_connection import connect
from features.ingest.log import Log
from features.ingest.reading import JudgedRows, Reading, no_rows, refuse_unreadable
from features.ingest.reconciliation import Reconciliation, Tally, reconcile
from features.ingest.usable_rows import refuse_too_many_kinds
from features.large_logs import partitions


@dataclass(frozen=True)
class StagedFeatures:
    """The files that the buckets became, and where every row and cent went."""

    features: list[str]
    parts: list[Path]
    """Parquet files of feature rows, each sorted by customer, then day."""
    account: Reconciliation
    set_aside: list[Path]
    """Parquet files of the rows that cannot be used."""
    first_day: date
    """The day of the first order."""
    end: date
    """The day after the last event of the orders."""

    def rows(self) -> Iterator[pa.Table]:
        """The feature rows in tables of bounded size."""
        for part in self.parts:
            with pq.ParquetFile(part) as file:
                yield from (pa.Table.from_batches([batch]) for batch in file.iter_batches())

    def quarantine(self) -> Iterator[pa.Table]:
        """What `account.quarantine` gives."""
        with connect() as db:
            files = ", ".join(quoted(file) for file in self.set_aside)
            reader = db.sql(f"select * from read_parquet([{files}]) order by file, row").to_arrow_reader()
            yield reader.schema.empty_table()
            yield from (pa.Table.from_batches([batch]) for batch in reader)


def merge_partitions(
    log: Log, about: Iterable[tuple[str, bytes]], *, scratch: Path
) -> tuple[Reading, dict[str, pa.Schema]]:
    """The log without its rows, and the columns of its tables; about: the messages to ABOUT of all its pieces.

    Raises InputError where `reading` would.
    """
    told = sorted(((json.loads(text), rows) for text, rows in about), key=lambda one: one[0]["piece"])
    raise_first_error(one for one, _ in told)
    whole = Reading(connect(), log, {}, scratch)
    schemas: dict[str, pa.Schema] = {}
    for table in log.tables:
        mine = [(one, rows) for one, rows in told if one["table"] == table]
        schemas[table] = _one_schema(
            [partitions.table_in_message(rows).schema for _, rows in mine], where=whole.where(table)
        )
        whole.db.register(f"raw_{table}", schemas[table].empty_table())
        whole.types[table] = partitions.types_of(whole.db, table)
        batches = [one for one, _ in mine if "rows" in one]
        if sum(one["rows"] for one in batches) == 0:
            raise no_rows(whole.where(table))
        first: dict[str, Any] = {}
        for reason, place in (item for one in batches for item in one["first"].items()):
            first[reason] = min(place, first.get(reason, place))
        refuse_unreadable(_sum_judged([one["judged"] for one in batches]), first.__getitem__)
        known: dict[str, int] = {}
        for kind, known_us in (item for one in batches for item in one["kinds"].items()):
            known[kind] = min(known_us, known.get(kind, known_us))
        refuse_too_many_kinds(known)
        whole.kinds.update(sorted(known.items()))
    return whole, schemas


def _one_schema(schemas: list[pa.Schema], *, where: str) -> pa.Schema:
    try:
        return pa.unify_schemas(schemas)
    except pa.ArrowException as error:
        raise InputError(
            f"the files differ: {error}", where=where, next="Give all files of a table the same types."
        ) from None


def merge_buckets(whole: Reading, features: list[str], done: list[dict[str, Any]], *, staging: Path) -> StagedFeatures:
    """The buckets put together; done: what `pieces.walked` says of each. Raises InputError if there is no order."""
    raise_first_error(done)
    done = sorted(done, key=lambda one: one["bucket"])
    for table in whole.types:
        whole.judged[table] = _sum_judged([one["judged"][table] for one in done])
        lines = sum(one["malformed"][table] for one in done)
        whole.db.execute(f"create view malformed_{table} as from range({lines})")
    extents = [one["extent"] for one in done if "extent" in one]
    if not extents:
        raise no_order(whole)
    first, end = zip(*extents, strict=True)
    return StagedFeatures(
        features=features,
        parts=[staging / one["rows"] for one in done if "rows" in one],
        account=reconcile(whole, Tally.total([Tally(*one["tally"]) for one in done])),
        set_aside=[staging / one["set_aside"] for one in done],
        first_day=date.fromisoformat(min(first)),
        end=date.fromisoformat(max(end)),
    )


def raise_first_error(told: Iterable[dict[str, Any]]) -> None:
    """Raise the first InputError that a piece or bucket met."""
    for what, where, next in (one["error"] for one in told if "error" in one):
        raise InputError(what, where=where, next=next)


def _sum_judged(parts: list[list[list[Any]]]) -> list[JudgedRows]:
    """What was judged in the parts of a table as if it were judged in one."""
    by_reason: dict[str | None, list[JudgedRows]] = {}
    for one in (JudgedRows(*row) for part in parts for row in part):
        by_reason.setdefault(one.reason, []).append(one)
    total = [
        JudgedRows(
            reason,
            rows=sum(one.rows for one in same),
            micros=sum(one.micros for one in same),
            cents=sum(one.cents for one in same),
            refunds=sum(one.refunds for one in same),
            refund_cents=sum(one.refund_cents for one in same),
            latest_us=max((one.latest_us for one in same if one.latest_us is not None), default=None),
        )
        for reason, same in by_reason.items()
    ]
    return sorted(total, key=lambda one: (-one.rows, one.reason or ""))
