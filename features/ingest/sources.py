"""Tables brought into DuckDB as they are, from files, a frame or a database, under our column names.

Every source becomes a relation `raw_<table>`: our columns as written, and `file` and `row` (1 = first row of data)
to say where a row stands. Parquet is read in place, as often as a query asks; the rest is copied once.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from features.errors import InputError
from features.ingest import csv_checks, postgresql
from features.ingest.csv_checks import identifier, quoted
from features.ingest.input_files import file_format, scan_of
from features.ingest.schema import match_columns
from features.ingest.table_source import Database, Frame, TableSource


class Table(NamedTuple):
    """The table that sources are copied into."""

    db: duckdb.DuckDBPyConnection
    name: str
    mapping: Mapping[str, str]
    """Our column names to theirs."""
    extra: tuple[str, ...]
    """Columns wanted beyond the schema's, under their own names."""
    types: dict[str, str]
    """The DuckDB type of each of our columns found so far."""


def read_table(
    db: duckdb.DuckDBPyConnection,
    table: str,
    source: TableSource,
    mapping: Mapping[str, str],
    extra: tuple[str, ...] = (),
) -> dict[str, str]:
    """Make the relation `raw_<table>` from a source; returns the DuckDB type of each of our columns in it.

    extra: columns wanted beyond the schema's, under their own names. Malformed lines of a CSV go to the table
    `malformed_<table>` (file, row, reason). Raises InputError for what cannot be read.
    """
    db.execute(f"create temp table malformed_{table} (file text, row bigint, reason text)")
    into = Table(db, table, mapping, extra, {})
    where = source.label(table)
    if isinstance(source, Frame):
        rows = source.rows if isinstance(source.rows, pa.Table) else arrow_of(source.rows, where=where)
        db.register(f"frame_{table}", rows.append_column("row", pa.array(np.arange(1, rows.num_rows + 1))))
        columns = _columns(into, f"frame_{table}", where)
        db.execute(f"create temp view raw_{table} as select {columns}, {quoted(where)} as file, row from frame_{table}")
    elif isinstance(source, Database):
        with postgresql.read_batches(source.url) as reader:
            db.register("reader", reader)
            _copy(into, "reader", where)
    else:
        files = source.paths()
        if all(file_format(file) == "parquet" for file in files):
            _view_parquet(into, files)
        else:
            for file in files:
                _copy_file(into, file)
    return into.types


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn DuckDB's errors about a table that cannot be read into InputError."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        what = str(error).splitlines()[0]
        raise InputError(f"needs more memory: {what}", where=where, next="Give more with --memory.") from None
    except duckdb.Error as error:
        what = str(error).splitlines()[0]
        raise InputError(
            f"cannot be read: {what}", where=where, next="Is it complete, and CSV or Parquet? Export it again."
        ) from None


def arrow_of(frame: pd.DataFrame, *, where: str) -> pa.Table:
    """Convert a frame to Arrow, which types whole columns, while DuckDB would look at only some rows."""
    columns = {}
    for name, column in frame.items():
        try:
            if isinstance(column.dtype, pd.DatetimeTZDtype):
                utc = pa.array(column.dt.tz_convert(None).to_numpy()).cast(pa.timestamp("us"), safe=False)
                columns[str(name)] = utc.cast(pa.timestamp("us", "UTC"))
            else:
                columns[str(name)] = pa.array(column, from_pandas=True)
        except pa.ArrowException as error:
            raise InputError(f"column {name} mixes types: {error}", where=where, next="Give it one type.") from None
    return pa.table(columns)


def _view_parquet(into: Table, files: list[Path]) -> None:
    """View Parquet files in place: files with the same columns are read as one."""
    alike: dict[str, list[Path]] = {}
    for file in files:
        with readable(str(file)):
            alike.setdefault(_columns(into, scan_of(file), str(file)), []).append(file)
    selects = [
        f"select {columns}, filename as file, file_row_number + 1 as row "
        f"from read_parquet([{', '.join(map(quoted, group))}], union_by_name=true)"
        for columns, group in alike.items()
    ]
    into.db.execute(f"create temp view raw_{into.name} as {' union all by name '.join(selects)}")


def _copy_file(into: Table, file: Path) -> None:
    """Append a file; a CSV only if nothing is wrong with it as a whole."""
    try:
        with readable(str(file)):
            if file_format(file) == "parquet":
                _copy(into, scan_of(file), str(file))
                return
            csv_checks.refuse_utf16(file)
            csv_checks.refuse_twins(into.db, file)
            _copy(into, csv_checks.scan(file, rejects="store_rejects=true"), str(file))
            csv_checks.collect_malformed(into.db, into.name, file)
            csv_checks.refuse_if_cut(into.db, file)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(file)) from None


def _copy(into: Table, scan: str, where: str) -> None:
    """Append the rows of `scan` to the table `raw_<table>`."""
    before = set(into.types)
    columns = _columns(into, scan, where)
    select = f"select {columns}, {quoted(where)} as file, row_number() over () as row from {scan}"
    if not before:
        into.db.execute(f"create temp table raw_{into.name} as {select}")
        return
    for ours in into.types.keys() - before:
        into.db.execute(f"alter table raw_{into.name} add column {ours} {into.types[ours]}")
    into.db.execute(f"insert into raw_{into.name} by name {select}")


def _columns(into: Table, scan: str, where: str) -> str:
    """SQL: the columns under our names; also notes their types, and refuses a table that we cannot use."""
    described = {row[0]: row[1] for row in into.db.sql(f"describe select * from {scan}").fetchall()}
    if not all(name.isprintable() for name in described):
        raise InputError("is not a table: its first line is not text", where=where, next="Give CSV or Parquet.")
    if len(described) == 1 and any(mark in next(iter(described)) for mark in ",;\t|"):
        raise InputError(
            "cannot be split into columns: a quote is left open, as where a file breaks off",
            where=where,
            next="Export it again.",
        )
    present = match_columns(into.name, list(described), into.mapping, extra=into.extra, where=where)
    changed = [
        ours for ours, name in present.items() if into.types.setdefault(ours, described[name]) != described[name]
    ]
    if changed:
        raise InputError(
            f"column {changed[0]} is {described[present[changed[0]]]}, "
            f"but {into.types[changed[0]]} in the files before",
            where=where,
            next="Give all files of a table the same types.",
        )
    return ", ".join(f"{identifier(name)} as {identifier(ours)}" for ours, name in present.items())
