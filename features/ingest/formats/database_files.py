"""Files that are databases: SQLite by Python's own driver, DuckDB by attaching it; a table or query follows `#`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from features.errors import InputError, nearest

BATCH_ROWS = 50_000
QUERY = ("select", "with", "values", "from")


@contextmanager
def open_sqlite(file: Path, rows: str | None, table: str, *, label: str) -> Iterator[pa.RecordBatchReader]:
    """The rows of a SQLite file as text, in batches: of the table or query `rows`, else of our table's name."""
    connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    try:
        names = [
            name for (name,) in connection.execute("select name from sqlite_master where type in ('table', 'view')")
        ]
        cursor = connection.execute(_query(rows, names, table, label=label))
        columns = [column[0] for column in cursor.description]
        schema = pa.schema([(name, pa.string()) for name in columns])
        yield pa.RecordBatchReader.from_batches(schema, _batches(cursor, schema))
    except sqlite3.Error as error:
        raise InputError(f"cannot be read: {error}", where=label, next="Check what follows # in its name.") from None
    finally:
        connection.close()


def _batches(cursor: sqlite3.Cursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    while rows := cursor.fetchmany(BATCH_ROWS):
        columns = [pa.array([_text(cell) for cell in column], pa.string()) for column in zip(*rows, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _text(cell: object) -> str | None:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="replace")
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return f"{cell:.1f}"
    return None if cell is None else str(cell)


@contextmanager
def open_duckdb(
    db: duckdb.DuckDBPyConnection, file: Path, rows: str | None, table: str, *, label: str
) -> Iterator[str]:
    """SQL that reads a DuckDB file, which is attached meanwhile: the table or query `rows`, or the table like ours."""
    place = "'" + str(file).replace("'", "''") + "'"
    try:
        db.execute(f"attach {place} as shop (read_only)")
    except duckdb.Error as error:
        what = str(error).splitlines()[0]
        raise InputError(f"cannot be opened: {what}", where=label, next="Close the program that writes it.") from None
    try:
        names = [
            name for (name,) in db.sql("select table_name from duckdb_tables() where database_name = 'shop'").fetchall()
        ]
        names += [
            name
            for (name,) in db.sql(
                "select view_name from duckdb_views() where database_name = 'shop' and not internal"
            ).fetchall()
        ]
        query = _query(rows, names, table, label=label)
        db.execute("use shop")
        yield f"({query})"
    finally:
        db.execute("use memory")
        db.execute("detach shop")


def _is_query(rows: str) -> bool:
    return rows.strip().lower().startswith(tuple(f"{word} " for word in QUERY))


def _query(rows: str | None, names: list[str], table: str, *, label: str) -> str:
    """The query for what follows `#`: a query itself, a table, or nothing, which means the table called like ours."""
    if rows and _is_query(rows):
        return rows.strip().rstrip(";")
    wanted = rows.strip().strip('"') if rows else table
    by_name = {name.lower(): name for name in names}
    if rows is None and table not in by_name and len(names) == 1:
        wanted = names[0]
    if wanted.lower() not in by_name:
        hint = nearest(wanted, names) or ", ".join(names) or "this database has no tables"
        raise InputError(
            f"has no table '{wanted}'", where=label, next=f"Name one behind its path, as in shop.db#orders: {hint}."
        )
    return 'select * from "' + by_name[wanted.lower()].replace('"', '""') + '"'
