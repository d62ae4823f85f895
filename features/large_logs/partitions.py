"""Partitions of a log for many machines: partitions of files → rows by bucket → the features of each bucket.

A bucket holds all rows of its customers (by a hash of the id), so it is a small log of its own. Rows travel as Arrow
tables under our column names, with the file and row they stand in: they are read, cleaned and computed by the
same code as everywhere else. Nothing here depends on what moves the rows; features/large_logs/spark.py has Spark do it.
"""

import json
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError
from features.histories.attributes import AttributeKind
from features.histories.columns import Histories
from features.ingest import sources
from features.ingest.build_histories import histories_of
from features.ingest.column_sql import text_of
from features.ingest.csv_checks import quoted
from features.ingest.duckdb_connection import connect
from features.ingest.input_files import file_format
from features.ingest.log import Log
from features.ingest.notation.styles import Styles
from features.ingest.open_log import Reading
from features.ingest.reading import REMEDIES, first_row_with, open_table
from features.ingest.reconciliation import quarantine
from features.ingest.table_checks import FUTURE
from features.ingest.table_source import Files

PARTITION_ROWS = 1_000_000
"""Rows of a Parquet file that are read at once, in whole row groups; a CSV is one partition."""
BATCH_ROWS = 250_000
"""Rows that are split into buckets at a time."""
ABOUT = -1
"""The bucket of messages about a partition instead of its rows."""
MESSAGE_SCHEMA = pa.schema([("bucket", pa.int32()), ("name", pa.string()), ("rows", pa.binary())])
"""A message: rows (Arrow) of the relation `name` for a bucket; to ABOUT, JSON with the columns of the table."""
MALFORMED_SCHEMA = pa.schema([("file", pa.string()), ("row", pa.int64()), ("reason", pa.string())])
"""The relation `malformed_<table>` of features/ingest/sources.py."""

RowsOfHistories = Callable[[Histories], Iterator[pa.Table]]
"""A function from histories to tables, such as feature rows."""


class Partition(NamedTuple):
    """Some rows of a file."""

    number: int
    table: str
    file: str
    first: int
    last: int


def partitions_of(log: Log) -> list[Partition]:
    """The partitions of a log of files; raises InputError for another source."""
    partitions: list[Partition] = []
    for table, source in log.tables.items():
        if not isinstance(source, Files):
            raise InputError(
                "a log for Spark is read from files only",
                where=source.label(table),
                next="Copy or export the table to a folder that all workers see, or leave out --engine spark.",
            )
        for file in source.paths():
            ends = _ends(file) if file_format(file) == "parquet" else [2**62]
            for before, end in pairwise([0, *ends]):
                partitions.append(Partition(len(partitions), table, str(file), before + 1, end))
    return partitions


def _ends(file: Path) -> list[int]:
    """The last row of each partition of a Parquet file."""
    with sources.readable(str(file)), connect() as db:
        groups = db.sql(f"select distinct row_group_id, row_group_num_rows from parquet_metadata({quoted(file)})")
        totals = np.cumsum([rows for _, rows in sorted(groups.fetchall())]).tolist()
    inner = [end for end, next in pairwise(totals) if end // PARTITION_ROWS < next // PARTITION_ROWS]
    return [*inner, *(totals[-1:] or [0])]


def split_partition(
    log: Log, partition: Partition, *, buckets: int, now_us: int | None, before_us: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Read a partition; yield messages with its rows for the buckets of their customers, and about its contents.

    now_us, before_us: see `reading`.
    """
    try:
        with _database() as (db, _), sources.readable(partition.file):
            yield from _messages_of_partition(db, log, partition, buckets=buckets, now_us=now_us, before_us=before_us)
    except InputError as error:
        failure = {"piece": partition.number, "error": [error.what, error.where, error.next]}
        yield _message(ABOUT, json.dumps(failure), pa.schema([]).empty_table())


def _messages_of_partition(
    db: duckdb.DuckDBPyConnection,
    log: Log,
    partition: Partition,
    *,
    buckets: int,
    now_us: int | None,
    before_us: int | None,
) -> Iterator[pa.RecordBatch]:
    table = partition.table
    types = sources.read_table(db, table, log, source=Files(partition.file)).types
    customer = text_of("customer_id", types["customer_id"])
    reader = db.sql(f"""
        select *, (hash(coalesce({customer}, row::text)) % {buckets})::int as bucket from raw_{table}
        where row between {partition.first} and {partition.last}""").to_arrow_reader(BATCH_ROWS)
    columns = [name for name in reader.schema.names if name != "bucket"]
    about = {"piece": partition.number, "table": table}
    yield _message(ABOUT, json.dumps(about), reader.schema.empty_table().select(columns))
    for batch in reader:
        rows = pa.Table.from_batches([batch.select(columns)])
        with open_part(log, {f"raw_{table}": rows}, now_us=now_us, before_us=before_us) as part:
            judged = part.judged.get(table, [])
            reasons = [group.reason for group in judged if group.reason in {*REMEDIES, *FUTURE.values()}]
            first = {reason: first_row_with(part, table, reason) for reason in reasons}
            contents = {"rows": len(rows), "judged": judged, "first": first, "kinds": part.kinds}
        yield _message(ABOUT, json.dumps(about | contents), rows[:0])
        bucket = batch["bucket"].to_numpy()
        rows = rows.take(np.argsort(bucket, kind="stable"))
        ends = np.cumsum(np.bincount(bucket, minlength=buckets)).tolist()
        for number, (begin, end) in enumerate(pairwise([0, *ends])):
            if begin < end:
                yield _message(number, f"raw_{table}", rows[begin:end])
    malformed = db.sql(f"from malformed_{table}").to_arrow_table()
    if len(malformed):
        yield _message(0, f"malformed_{table}", malformed)


def _message(bucket: int, name: str, rows: pa.Table) -> pa.RecordBatch:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows)
    return pa.record_batch([[bucket], [name], [sink.getvalue().to_pybytes()]], schema=MESSAGE_SCHEMA)


def table_in_message(rows: bytes) -> pa.Table:
    """The rows of a message."""
    return pa.ipc.open_stream(rows).read_all()


@contextmanager
def open_part(
    log: Log, relations: dict[str, pa.Table], *, now_us: int | None, before_us: int | None, threads: int | None = 1
) -> Iterator[Reading]:
    """Open a part of a log, given its `raw_<table>` and `malformed_<table>` by name.

    threads: None for as many as the machine has cores, where no other part is opened beside it.
    """
    with _database(threads) as (db, folder):
        for name, rows in relations.items():
            db.register(name, rows)
        types = {table: types_of(db, table) for table in log.tables if f"raw_{table}" in relations}
        part = Reading(db, log, types, folder, before_us)
        part.attribute_kinds.update(attribute_kinds_of(log))
        for table in types:
            with sources.readable(part.where(table)):
                open_table(part, table, now_us=now_us, is_part=True)
        db.execute("set preserve_insertion_order = false")
        yield part


def attribute_kinds_of(log: Log) -> dict[str, AttributeKind]:
    """What the attributes hold, in a log that says it or whose styles were found out."""
    styles = log.styles.get("customers", Styles())
    return {**log.attribute_kinds, **{name: style.kind for name, style in styles.attributes.items()}}


def types_of(db: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """The DuckDB type of each of our columns in `raw_<table>`."""
    described = db.sql(f"describe select * exclude (file, row) from raw_{table}").fetchall()
    return {row[0]: row[1] for row in described}


@contextmanager
def _database(threads: int | None = 1) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A DuckDB, on one thread where its neighbours use the others, and a folder that vanishes with it."""
    with tempfile.TemporaryDirectory(prefix="stayworth-") as folder, connect(threads=threads) as db:
        db.execute(f"set temp_directory = {quoted(folder)}")
        yield db, Path(folder)


def write_bucket(
    log: Log,
    messages: list[dict[str, Any]],
    *,
    schemas: dict[str, pa.Schema],
    kinds: dict[str, int],
    rows: RowsOfHistories,
    staging: Path,
    now_us: int | None,
    before_us: int | None = None,
) -> dict[str, Any]:
    """Write the rows of a bucket's customers and its quarantine to `staging`; returns its counts and files, for JSON.

    messages: all those for the bucket. schemas, kinds: the columns of each table, and the kinds of interaction, of the
    whole log.
    """
    bucket = messages[0]["bucket"]
    parts = {f"raw_{table}": [schema.empty_table()] for table, schema in schemas.items()}
    parts |= {f"malformed_{table}": [MALFORMED_SCHEMA.empty_table()] for table in schemas}
    for message in messages:
        parts[message["name"]].append(table_in_message(message["rows"]))
    relations = {name: pa.concat_tables(tables, promote_options="default") for name, tables in parts.items()}
    with open_part(log, relations, now_us=now_us, before_us=before_us) as part:
        if "interactions" in schemas:
            part.db.execute("update kinds set code = list_position(?, name) - 1", [list(kinds)])
            part.kinds.clear()
            part.kinds.update(kinds)
        histories, tally = histories_of(part, "usable_orders", "usable_interactions")
        done: dict[str, Any] = {"bucket": bucket, "judged": part.judged, "tally": tally}
        done["malformed"] = {table: part.malformed(table) for table in part.judged}
        done["set_aside"] = _write(staging / f"set-aside-{bucket:06d}.parquet", quarantine(part))
        if histories.customers:
            done["rows"] = _write(staging / f"features-{bucket:06d}.parquet", rows(histories))
            done["extent"] = [histories.first_day.isoformat(), histories.end.isoformat()]
    return done


def _write(path: Path, tables: Iterator[pa.Table]) -> str:
    """Write tables to a file that appears only when complete, so that a task may run twice; returns its name."""
    first = next(tables)
    draft = path.with_suffix(f".{secrets.token_hex(4)}.draft")
    with pq.ParquetWriter(draft, first.schema, compression="lz4", store_schema=False) as file:
        file.write_table(first)
        for table in tables:
            file.write_table(table)
    draft.replace(path)
    return path.name
