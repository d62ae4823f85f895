"""Tables brought into DuckDB as they are, from files, a frame or a database, under our column names.

Every source becomes a relation `loaded_<table>`: our columns as written, and `file` and `row` (1 = first row of data)
to say where a row stands. Parquet is read in place, as often as a query asks; the rest is copied once. The relation
`raw_<table>` has the cells in one plain form (features/ingest/notation/canonical.py).
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from features.errors import InputError
from features.ingest import csv_checks, postgresql
from features.ingest.csv_checks import identifier, quoted
from features.ingest.duckdb_connection import connect
from features.ingest.formats.delimited import WESTERN, CsvFile, in_western
from features.ingest.formats.frame import arrow_of
from features.ingest.formats.open_file import open_file
from features.ingest.input_files import KINDS, file_format
from features.ingest.log import Log
from features.ingest.mistakes.unused_names import PREFIX, is_worth_a_look
from features.ingest.notation.amounts import KEPT
from features.ingest.notation.canonical import settle, table_styles
from features.ingest.notation.loaded_table import Loaded
from features.ingest.notation.styles import Styles
from features.ingest.notation.time_sql import day_and_time_sql
from features.ingest.object_store import copies_of, object_url
from features.ingest.read_options import ReadOptions
from features.ingest.schema import TIMES, match_columns
from features.ingest.table_source import Database, Frame, Objects, TableSource

TIME_OF_DAY = "time_of_day"
"""The name under which a column of times of day is looked for."""


class Table(NamedTuple):
    """The table that sources are copied into."""

    db: duckdb.DuckDBPyConnection
    name: str
    log: Log
    types: dict[str, str]
    """The DuckDB type of each of our columns found so far."""
    notes: dict[str, str]
    """How its files are read, where that is not self-evident."""
    keeps_unused: bool = False
    """True if columns that change what counts are kept though nothing is made of them, as `unused: NAME`."""

    @property
    def options(self) -> ReadOptions:
        """How the table is read, as far as the user says it."""
        return self.log.options(self.name)


class Opened(NamedTuple):
    """A table whose cells are in one plain form, `raw_<table>`."""

    types: dict[str, str]
    """The DuckDB type of each of its columns."""
    loaded: Loaded
    """The table as it was before."""
    is_thorough: bool
    """True if all cells were looked at to find how they are written."""
    styles: Styles
    """How its columns are written."""


def read_table(
    db: duckdb.DuckDBPyConnection,
    table: str,
    log: Log,
    *,
    source: TableSource | None = None,
    is_thorough: bool = False,
    keeps_unused: bool = False,
) -> Opened:
    """Make the relation `raw_<table>` of a table of a log.

    source: only this part of it. is_thorough: look at all cells to find how they are written. keeps_unused: keep
    columns that change what counts, though nothing is made of them. Malformed lines of a CSV go to the table
    `malformed_<table>` (file, row, reason). Raises InputError for what cannot be read.
    """
    loaded = load_table(db, table, log, source=source, keeps_unused=keeps_unused)
    settled = settle(loaded, log, is_thorough=is_thorough)
    return Opened(settled.types, loaded, settled.is_thorough, settled.styles)


def with_styles(log: Log) -> Log:
    """The log with the styles of all its tables found out, so that parts of it are read as the whole is."""
    styles = {}
    with tempfile.TemporaryDirectory(prefix="stayworth-") as folder, connect() as db:
        db.execute(f"set temp_directory = '{folder}'")
        for table, source in log.tables.items():
            with readable(source.label(table)):
                loaded = load_table(db, table, log)
                styles[table] = table_styles(loaded, log, is_thorough=True)
    return replace(log, styles=styles)


def load_table(
    db: duckdb.DuckDBPyConnection,
    table: str,
    log: Log,
    *,
    source: TableSource | None = None,
    keeps_unused: bool = False,
) -> Loaded:
    """Make the relation `loaded_<table>` and the table `malformed_<table>`; see `read_table`."""
    db.execute(f"create temp table malformed_{table} (file text, row bigint, reason text)")
    source = source or log.source(table)
    into = Table(db, table, log, {}, {}, keeps_unused)
    where, is_view = source.label(table), False
    if isinstance(source, Frame):
        rows = source.rows if isinstance(source.rows, pa.Table) else arrow_of(source.rows, where=where)
        db.register(f"frame_{table}", rows.append_column("row", pa.array(np.arange(1, rows.num_rows + 1))))
        columns, is_view = _columns(into, f"frame_{table}", where), True
        select = f"select {columns}, {quoted(where)} as file, row from frame_{table}"
        db.execute(f"create temp view loaded_{table} as {select}")
    elif isinstance(source, Database):
        with postgresql.read_batches(source.url) as reader:
            db.register("reader", reader)
            _copy(into, "reader", where)
    else:
        files = source.paths()
        is_view = all(file_format(file) == "parquet" for file in files)
        if is_view:
            _view_parquet(into, files, source)
        else:
            for file in files:
                _copy_file(into, file, source.rows)
    return Loaded(db, table, into.types, where, is_view, into.notes, {})


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
            f"cannot be read: {what}", where=where, next=f"Is it complete, and {KINDS}? Export it again."
        ) from None


def _view_parquet(into: Table, files: list[Path], source: TableSource) -> None:
    """View Parquet files in place: files with the same columns are read as one."""
    alike: dict[str, list[Path]] = {}
    for file in files:
        with readable(object_url(file)):
            alike.setdefault(_columns(into, f"read_parquet({quoted(file)})", object_url(file)), []).append(file)
    name = "filename"
    if isinstance(source, Objects):
        name = f"replace(filename, {', '.join(map(quoted, copies_of(source.url)))})"
    selects = [
        f"select {columns}, {name} as file, file_row_number + 1 as row "
        f"from read_parquet([{', '.join(map(quoted, group))}], union_by_name=true)"
        for columns, group in alike.items()
    ]
    into.db.execute(f"create temp view loaded_{into.name} as {' union all by name '.join(selects)}")


def _copy_file(into: Table, file: Path, rows: str | None) -> None:
    """Append the tables in a file; a delimited one only if nothing is wrong with it as a whole."""
    label = object_url(file)
    try:
        with (
            readable(label),
            tempfile.TemporaryDirectory(prefix="stayworth-") as folder,
            open_file(
                into.db, file, into.options, scratch=Path(folder), table=into.name, rows=rows, label=label
            ) as tables,
        ):
            for opened in tables:
                if opened.csv:
                    into.notes.update(opened.notes)
                    _copy_csv(into, opened.csv, scratch=Path(folder))
                else:
                    into.notes.update(opened.notes)
                    _copy(into, opened.scan, opened.label)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=label) from None


def _copy_csv(into: Table, file: CsvFile, *, scratch: Path) -> None:
    """Append a delimited file; one that turns out not to be UTF-8 is read again, as spreadsheets on Windows write."""
    csv_checks.refuse_twins(into.db, file)
    before = dict(into.types)
    _copy(into, file.scan(rejects="store_rejects=true"), file.label)
    if not csv_checks.collect_malformed(into.db, into.name, file):
        into.db.execute(f"delete from loaded_{into.name} where file = {quoted(file.label)}")
        if not before:
            into.db.execute(f"drop table loaded_{into.name}")
            into.types.clear()
        into.notes["encoding"] = WESTERN
        file = in_western(file, scratch=scratch)
        _copy(into, file.scan(rejects="store_rejects=true"), file.label)
        csv_checks.collect_malformed(into.db, into.name, file)
    csv_checks.refuse_if_cut(into.db, file)


def _copy(into: Table, scan: str, where: str) -> None:
    """Append the rows of `scan` to the table `raw_<table>`."""
    before = set(into.types)
    columns = _columns(into, scan, where)
    select = f"select {columns}, {quoted(where)} as file, row_number() over () as row from {scan}"
    if not before:
        into.db.execute(f"create temp table loaded_{into.name} as {select}")
        return
    for ours in into.types.keys() - before:
        into.db.execute(f"alter table loaded_{into.name} add column {identifier(ours)} {into.types[ours]}")
    into.db.execute(f"insert into loaded_{into.name} by name {select}")


def _columns(into: Table, scan: str, where: str) -> str:
    """SQL: the columns under our names; also notes their types, and refuses a table that we cannot use."""
    described = {row[0]: row[1] for row in into.db.sql(f"describe select * from {scan}").fetchall()}
    if not all(name.isprintable() for name in described):
        raise InputError("is not a table: its first line is not text", where=where, next=f"Give {KINDS}.")
    if len(described) == 1 and any(mark in next(iter(described)) for mark in ",;\t|"):
        raise InputError(
            "cannot be split into columns: a quote is left open, as where a file breaks off",
            where=where,
            next="Export it again.",
        )
    of_day = into.options.time_of_day
    present = match_columns(
        into.name,
        list(described),
        into.log.mapping.get(into.name, {}),
        extra=into.log.extra(into.name),
        more=into.options.more_columns | ({TIME_OF_DAY: of_day} if of_day else {}),
        is_typed=isinstance(into.log.source(into.name), Frame),
        where=where,
    )
    joined = present.pop(TIME_OF_DAY, None)
    moment = TIMES[into.name]
    if joined and moment in present:
        described[present[moment]] = "VARCHAR"
    if into.keeps_unused:
        present |= {PREFIX + name: name for name in described if name not in present.values() and is_worth_a_look(name)}
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
    selected = [f"{identifier(name)} as {identifier(ours)}" for ours, name in present.items()]
    if joined and moment in present:
        place = list(present).index(moment)
        both = day_and_time_sql(identifier(present[moment]), identifier(joined))
        selected[place] = f"{both} as {identifier(moment)}"
    if into.options.where:
        into.types[KEPT] = "BOOLEAN"
        selected.append(f"({_condition(into, scan, described, where)}) as {KEPT}")
    return ", ".join(selected)


def _condition(into: Table, scan: str, described: dict[str, str], where: str) -> str:
    """The user's `where`, once it is known to be a condition on the table's columns."""
    condition = into.options.where or "true"
    try:
        kind = into.db.sql(f"select ({condition}) as kept from {scan} limit 0").types[0]
    except duckdb.Error as error:
        raise InputError(
            f"[read.{into.name}] where is no condition on its columns: {str(error).splitlines()[0]}",
            where=where,
            next=f"The columns are {', '.join(map(identifier, described))}; text stands in single quotes.",
        ) from None
    if str(kind) != "BOOLEAN":
        raise InputError(
            f"[read.{into.name}] where is {kind}, not true or false",
            where=where,
            next="Compare a column with a value: \"Status\" = 'paid'.",
        )
    return condition
