"""Merge the messages of a log's partitions and buckets: the whole log before its features, and its files after.

See features/large_logs/partitions.py. Checks of the log as a whole (its columns and kinds of interaction, tables
without rows, columns mostly unreadable) are made here before any feature is computed. Faults of single rows (another
currency, the future, a missing zone, a customer twice) are refused and counted in the partition or bucket.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
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
from features.ingest.open_log import JudgedRows, Reading
from features.ingest.reading import no_rows, refuse_unreadable
from features.ingest.reconciliation import Reconciliation, Tally, reconcile
from features.ingest.table_checks import FUTURE, refuse_future
from features.ingest.usable_rows import refuse_too_many_kinds
from features.large_logs import partitions


@dataclass(frozen=True)
class StagedFeatures:
    """The files written for the buckets, and the reconciliation of every row and cent."""

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
        """The rows that `reconciliation.quarantine` gives."""
        with connect() as db:
            files = ", ".join(quoted(file) for file in self.set_aside)
            reader = db.sql(f"select * from read_parquet([{files}]) order by file, row").to_arrow_reader()
            yield reader.schema.empty_table()
            yield from (pa.Table.from_batches([batch]) for batch in reader)


def merge_partitions(
    log: Log, about: Iterable[tuple[str, bytes]], *, scratch: Path
) -> tuple[Reading, dict[str, pa.Schema]]:
    """The log without its rows, and the columns of its tables; about: the messages to ABOUT of all its partitions.

    Raises InputError where `reading` would.
    """
    messages = sorted(((json.loads(text), rows) for text, rows in about), key=lambda message: message[0]["piece"])
    raise_first_error(message for message, _ in messages)
    whole = Reading(connect(), log, {}, scratch)
    whole.attribute_kinds.update(partitions.attribute_kinds_of(log))
    schemas: dict[str, pa.Schema] = {}
    for table in log.tables:
        of_table = [(message, rows) for message, rows in messages if message["table"] == table]
        schemas[table] = _one_schema(
            [partitions.table_in_message(rows).schema for _, rows in of_table], where=whole.where(table)
        )
        whole.db.register(f"raw_{table}", schemas[table].empty_table())
        whole.types[table] = partitions.types_of(whole.db, table)
        batches = [message for message, _ in of_table if "rows" in message]
        if sum(batch["rows"] for batch in batches) == 0:
            raise no_rows(whole.where(table))
        first: dict[str, Any] = {}
        for reason, place in (item for batch in batches for item in batch["first"].items()):
            first[reason] = min(place, first.get(reason, place))
        judged = sum_judged([batch["judged"] for batch in batches])
        refuse_unreadable(judged, first.__getitem__)
        if table in FUTURE:
            refuse_future(judged, table, first.__getitem__)
        known: dict[str, int] = {}
        for kind, known_us in (item for batch in batches for item in batch["kinds"].items()):
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
    """Merge the buckets; done: the results of `partitions.write_bucket`. Raises InputError if there is no order."""
    raise_first_error(done)
    done = sorted(done, key=lambda bucket: bucket["bucket"])
    for table in whole.types:
        whole.judged[table] = sum_judged([bucket["judged"][table] for bucket in done])
        lines = sum(bucket["malformed"][table] for bucket in done)
        whole.db.execute(f"create view malformed_{table} as from range({lines})")
    extents = [bucket["extent"] for bucket in done if "extent" in bucket]
    if not extents:
        raise no_order(whole)
    first, end = zip(*extents, strict=True)
    return StagedFeatures(
        features=features,
        parts=[staging / bucket["rows"] for bucket in done if "rows" in bucket],
        account=reconcile(whole.counted(), Tally.total([Tally(*bucket["tally"]) for bucket in done])),
        set_aside=[staging / bucket["set_aside"] for bucket in done],
        first_day=date.fromisoformat(min(first)),
        end=date.fromisoformat(max(end)),
    )


def raise_first_error(messages: Iterable[dict[str, Any]]) -> None:
    """Raise the first InputError of the partitions or buckets."""
    for what, where, next in (message["error"] for message in messages if "error" in message):
        raise InputError(what, where=where, next=next)


def sum_judged(parts: Sequence[Sequence[Sequence[Any]]]) -> list[JudgedRows]:
    """Add up the judged rows of the parts of a table."""
    by_reason: dict[str | None, list[JudgedRows]] = {}
    for group in (JudgedRows(*row) for part in parts for row in part):
        by_reason.setdefault(group.reason, []).append(group)
    total = [
        JudgedRows(
            reason,
            rows=sum(group.rows for group in same),
            micros=sum(group.micros for group in same),
            cents=sum(group.cents for group in same),
            refunds=sum(group.refunds for group in same),
            refund_cents=sum(group.refund_cents for group in same),
            latest_us=max((group.latest_us for group in same if group.latest_us is not None), default=None),
        )
        for reason, same in by_reason.items()
    ]
    return sorted(total, key=lambda group: (-group.rows, group.reason or ""))
