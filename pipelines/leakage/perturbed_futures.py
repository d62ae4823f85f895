"""Copies of a log with another future: as of a day, an honest feature cannot tell them apart.

A row belongs to the future if it happened or was recorded at or after the day; so does the `left_at` of a customer who
had not left before it. The copies are Parquet files of the accepted rows under our column names; everything else stays
as it was written, type by type.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from features.clock import microseconds
from features.ingest.column_sql import text_of
from features.ingest.csv_checks import identifier, quoted
from features.ingest.log import Log
from features.ingest.open_log import Reading
from features.ingest.usable_rows import MAX_KINDS

TABLES = ("orders", "interactions")
"""The tables whose rows have a time."""
TIMES = ("ordered_at", "at", "recorded_at")
NUMBERS = ("amount", "quantity", "unit_price", "cost", "discount", "value")
KEPT = ("currency",)
"""Columns that are never poisoned, since a second currency would be refused."""


def split_future(opened: Reading, *, as_of: date) -> None:
    """Make the tables `split_<table>` of accepted rows as written, with is_later and dice, an arbitrary number.

    The column `source` is left out: rows that are in two exports were quarantined before.
    """
    for table in _tables(opened):
        columns = ", ".join(f"raw.{identifier(name)}" for name in _columns(opened, table))
        opened.db.execute(f"""
            create temp table split_{table} as
            select {columns}, known_us >= {microseconds(as_of)} as is_later, hash(file, row) as dice
            from raw_{table} as raw join (select file, row, known_us, reason from rows_{table}) using (file, row)
            where reason is null""")
    if opened.contractual:
        columns = ", ".join(f"raw.{identifier(name)}" for name in opened.types["customers"])
        opened.db.execute(f"""
            create temp table split_customers as
            select {columns}, coalesce(left_us >= {microseconds(as_of)}, true) as is_later, hash(file, row) as dice
            from raw_customers as raw join (select file, row, left_us, reason from rows_customers) using (file, row)
            where reason is null""")


def remove_future(opened: Reading, folder: Path) -> Log:
    """The log without its future; after `split_future`."""
    return _copied(
        opened,
        folder / "removed",
        {table: _earlier(opened, table) for table in _tables(opened)} | _customers(opened, "null"),
    )


def poison_future(opened: Reading, folder: Path) -> Log:
    """The log with every row of its future changed, and rows added to it; after `split_future`.

    Times, ids, products, kinds, … move from one later row to another, a fifth of the ids become new ones, numbers are
    multiplied by −10 … 10, a quarter of the rows are repeated. Earlier orders are repeated at a later time, half of
    them as a refund of the whole amount. Three quarters of the customers who had not left leave when others do. The
    same log is poisoned in the same way.
    """
    return _copied(
        opened,
        folder / "poisoned",
        {table: _poison(opened, table) for table in _tables(opened)}
        | _customers(opened, "if(dice % 4 = 0, null, other)"),
    )


def _tables(opened: Reading) -> list[str]:
    return [table for table in TABLES if table in opened.types]


def _columns(opened: Reading, table: str) -> list[str]:
    return [name for name in opened.types[table] if name != "source"]


def _copied(opened: Reading, folder: Path, selects: Mapping[str, str]) -> Log:
    """The log whose tables are the results of these queries; interactions without rows are left out."""
    folder.mkdir()
    paths: dict[str, str | None] = {}
    for table, select in selects.items():
        paths[table] = str(folder / f"{table}.parquet")
        opened.db.execute(f"copy ({select}) to {quoted(paths[table])} (format parquet)")
    if "interactions" in paths and not opened.rows(f"select 1 from {quoted(paths['interactions'])} limit 1"):
        paths["interactions"] = None
    mapping = {} if "customers" in paths else {"customers": opened.log.mapping.get("customers", {})}
    for table in _tables(opened):
        if "recorded_at" in opened.types[table]:
            mapping[table] = {"recorded_at": "recorded_at"}
    read = {} if "customers" in paths else {"customers": opened.log.options("customers")}
    return replace(opened.log, mapping=mapping, read=read, time_format=None, **paths)  # type: ignore[arg-type]


def _earlier(opened: Reading, table: str) -> str:
    columns = ", ".join(map(identifier, _columns(opened, table)))
    return f"select {columns} from split_{table} where not is_later"


def _customers(opened: Reading, left_at: str) -> dict[str, str]:
    """SQL: the customers of a log with `left_at`, which is changed for those who had not left before the day.

    left_at: SQL; `other` in it is the time at which another customer left later.
    """
    if not opened.contractual:
        return {}
    changed = {"left_at": f"if(is_later, {left_at}, left_at) as left_at"}
    columns = ", ".join(changed.get(name, identifier(name)) for name in opened.types["customers"])
    return {
        "customers": f"""
        with leaving as (
            select left_at as other, row_number() over (order by dice) - 1 as place
            from split_customers where is_later and left_at is not null
        )
        select {columns} from split_customers
        left join leaving on place = dice % (select greatest(count(*), 1) from leaving)"""
    }


def _poison(opened: Reading, table: str) -> str:
    """SQL: the earlier rows, the later ones changed, a quarter of these again, and repeated earlier rows.

    Later rows are put in an arbitrary order; a changed value is taken from a row further back in it, each column from
    another row, but the times of a row together, so that they stay in the future.
    """
    names = _columns(opened, table)
    changed = ", ".join(
        f"{_changed(opened, table, name, back)} as {identifier(name)}" for back, name in enumerate(names, 2)
    )
    echoed = ", ".join(f"{_echoed(opened, table, name)} as {identifier(name)}" for name in names)
    columns = ", ".join(map(identifier, names))
    return f"""
        with later as (
            select *, row_number() over (order by dice) as place from split_{table} where is_later
        ), earlier as (
            select *, row_number() over (order by dice) as place from (
                from split_{table} where not is_later order by dice limit (select count(*) from later))
        ), changed as (
            select place, {changed} from later window line as (order by place)
        )
        {_earlier(opened, table)}
        union all select {columns} from changed
        union all select {columns} from changed where place % 4 = 0
        union all select {echoed} from earlier join later using (place)"""


def _changed(opened: Reading, table: str, name: str, back: int) -> str:
    """SQL: a column of a later row, poisoned; an id from `back` rows before."""
    column, kind = identifier(name), opened.types[table][name]
    if name in KEPT:
        return column
    if name in TIMES:
        return f"lag({column}, 1, {column}) over line"
    if name in NUMBERS:
        return _times(column, f"(hash(place, {back}) % 2001 / 100.0 - 10)", kind)
    new = f"{text_of(column, kind)} || '000'"
    if name == "kind":
        new = "'kind of the future'" if len(opened.kinds) < MAX_KINDS else "null"
    other = f"lag({column}, {back}, {column}) over line"
    return f"coalesce(if(hash(place, {back}) % 5 = 0, try_cast({new} as {kind}), null), {other})"


def _echoed(opened: Reading, table: str, name: str) -> str:
    """SQL: a column of an earlier row that is repeated at a later row's time."""
    if name in TIMES:
        return f"later.{identifier(name)}"
    if name in ("amount", "quantity", "value"):
        return _times(f"earlier.{identifier(name)}", "if(place % 2 = 0, -1, 3)", opened.types[table][name])
    return f"earlier.{identifier(name)}"


def _times(column: str, factor: str, kind: str) -> str:
    """SQL: a number times a factor, to two decimals, in its own type; unchanged where that type cannot hold it."""
    product = f"try_cast(round(try_cast({column} as double) * {factor}, 2) as decimal(18, 2))"
    return f"coalesce(try_cast({product} as {kind}), {column})"
