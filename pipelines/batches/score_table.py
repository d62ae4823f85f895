"""Scores into a table of a PostgreSQL database, `postgresql://USER@HOST/BASE#TABLE`, all at once.

Rows go to a temporary table first, which the server drops by itself whatever becomes of us; then, in the same
transaction, the table's old rows are deleted and the new ones inserted. Nothing is renamed, dropped or truncated, so
grants, views, indexes and columns of the user's own stay, and readers never wait: they see all old rows until the
commit and all new ones after it, those in the midst of a repeatable-read transaction the old ones to its end. What it
costs: the old rows take room until vacuum has come by. Another writer of the table waits for us.
"""

import secrets
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from features.errors import InputError
from features.ingest.postgresql import change_table, redacted
from models.prediction import DATES, NUMBERS
from pipelines.batches.staged_scores import SCHEMA

TYPES = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int32(): "integer",
    pa.float64(): "double precision",
}
NAMES = ", ".join(SCHEMA.names)
DEFINED = ", ".join(f"{field.name} {TYPES[field.type]}" for field in SCHEMA)


def refuse_unwritable(url: str) -> None:
    """Raise InputError now if the table could not be replaced after long work; nothing is changed."""
    with change_table(url) as (cursor, table):
        cursor.execute("savepoint untouched")
        staging = _staging(cursor)
        _make(cursor, table, url)
        cursor.execute(f"delete from {table} where false")
        cursor.execute(f"insert into {table} ({NAMES}) select {NAMES} from {staging}")
        cursor.execute("rollback to untouched")


def replace_table(url: str, tables: Iterable[pa.Table]) -> int:
    """Make these the rows of the table, which is created where it is not there; returns how many.

    A column of the table's own keeps its type if text, date, integer or double precision can be assigned to it; those
    that scores do not have get their default. Numbers and days that an earlier version did not write are added. Raises
    InputError, having changed nothing.
    """
    with change_table(url) as (cursor, table):
        staging = _staging(cursor)
        rows = sum(cursor.adbc_ingest(staging, batch, mode="append", temporary=True) for batch in tables)
        _make(cursor, table, url)
        cursor.execute(f"lock table {table} in share row exclusive mode")
        cursor.execute(f"delete from {table}")
        cursor.execute(f"insert into {table} ({NAMES}) select {NAMES} from {staging}")
    return rows


def _staging(cursor: Any) -> str:
    """The name of a new temporary table for scores."""
    name = f"stayworth_staging_{secrets.token_hex(4)}"
    cursor.execute(f"create temporary table {name} ({DEFINED}) on commit drop")
    return name


def _make(cursor: Any, table: str, url: str) -> None:
    """Create the table if it is not there; raises InputError if it is one of something else."""
    spelt = table.replace("'", "''")
    cursor.execute(f"select attname from pg_attribute where attrelid = to_regclass('{spelt}') and attnum > 0")
    there = {name for (name,) in cursor.fetchall()}
    if not there:
        cursor.execute(f"create table {table} ({DEFINED})")
        return
    missing = [name for name in SCHEMA.names if name not in there]
    if missing and set(missing) <= {*NUMBERS, *DATES} and "clv" in there:
        for name in missing:  # of an earlier version, whose scores had fewer columns
            cursor.execute(f"alter table {table} add column {name} {TYPES[SCHEMA.field(name).type]}")
    elif missing:
        raise InputError(
            f"is a table without {missing[0]}, and {len(missing)} of the {len(SCHEMA)} columns of scores are not there",
            where=redacted(url),
            next="Name another table after #; one that is not there is made.",
        )
