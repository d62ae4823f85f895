"""Open a log: every table becomes a view of judged rows; a table that cannot be used raises an error."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import InputError
from features.ingest import cleaning, deduplication, side_table_cleaning, sources, usable_rows
from features.ingest.duckdb_connection import connect
from features.ingest.log import Log
from features.ingest.mistakes.joins import refuse_unmatched
from features.ingest.notation.canonical import settle
from features.ingest.notation.loaded_table import Loaded
from features.ingest.open_log import JudgedRows, Reading
from features.ingest.schema import SIDE_TABLES, TIMES
from features.ingest.table_checks import refuse_currencies, refuse_future, refuse_types, refuse_unzoned

JUDGES = {
    "orders": cleaning.judge_orders,
    "interactions": cleaning.judge_interactions,
    "customers": cleaning.judge_customers,
    "treatments": side_table_cleaning.judge_treatments,
    "costs": side_table_cleaning.judge_costs,
}
"""The function that makes the view `rows_<table>`."""

REMEDIES = {
    f"{TIMES[table]} is not a time": ("written_at", "Set time.format in the config, e.g. '%d/%m/%Y %H:%M'.")
    for table in ("orders", "interactions")
} | {
    "amount is not a number": (
        "written_amount",
        "Is [columns] amount the right column? Else say how it is written: decimal and thousands in [read.orders].",
    ),
    side_table_cleaning.NEITHER: ("written_treated", "Write true or false, 1 or 0, yes or no."),
}
"""Reasons that condemn a table if over half of its rows have them: the column to show, and the remedy."""


ODD = ("is not a time", "is not a number", "before 1900")
"""The ends of reasons for which a table is looked at once more: its cells may be written in another way."""


@contextmanager
def reading(
    log: Log,
    *,
    now_us: int | None,
    memory_bytes: int | None = None,
    before_us: int | None = None,
    side_table: str | None = None,
    keeps_unused: bool = False,
) -> Iterator[Reading]:
    """Open a log. now_us: rows after it are in the future (None: not checked). memory_bytes: DuckDB's own limit.

    before_us: leave out rows from then on, but keep earlier ones that became known later. side_table: open this one
    side table instead of the tables of the histories. keeps_unused: keep columns that change what counts, though
    nothing is made of them.

    Raises InputError, having written nothing, for a table that cannot be read or used.
    """
    with tempfile.TemporaryDirectory(prefix="stayworth-") as folder, connect() as db:
        db.execute(f"set temp_directory = '{folder}'")
        if memory_bytes:
            db.execute(f"set memory_limit = '{memory_bytes // 1_000_000}MB'")
        opened = Reading(db, log, {}, Path(folder), before_us)
        for table in [side_table] if side_table else log.tables:
            with sources.readable(opened.where(table)):
                read = sources.read_table(db, table, log, keeps_unused=keeps_unused)
                opened.types[table], opened.notes[table] = read.types, read.loaded.notes
                opened.styles[table] = read.styles
                opened.attribute_kinds.update(read.loaded.attributes)
                open_table(opened, table, now_us=now_us, loaded=None if read.is_thorough else read.loaded)
        if not side_table:
            refuse_unmatched(opened)
        # Rows are sorted by us: DuckDB need not keep their order.
        db.execute("set preserve_insertion_order = false")
        with sources.readable(opened.where(side_table or "orders")):
            yield opened


def open_table(
    opened: Reading, table: str, *, now_us: int | None, is_part: bool = False, loaded: Loaded | None = None
) -> None:
    """Judge the rows of `raw_<table>` and make its views; raises InputError where it cannot be used.

    is_part: the rows are only some of the table's, so that checks of the whole (no rows, mostly unreadable) are left
    out. A side table may have no rows: nothing was booked yet. loaded: the table as it was loaded, where only its
    first cells were looked at to find how they are written: if others turn out odd, all are looked at.
    """
    db, where = opened.db, opened.where(table)
    if not is_part and table not in SIDE_TABLES and not opened.rows(f"select 1 from raw_{table} limit 1"):
        raise no_rows(where)
    refuse_types(opened, table, where=where)
    if table == "orders":
        refuse_currencies(opened, where=where)
    JUDGES[table](db, opened.types[table], opened.log, now_us)
    judged = _judged_rows(opened, table)
    if loaded and any(group.reason and group.reason.endswith(ODD) for group in judged):
        db.execute(f"drop view rows_{table}")
        settled = settle(loaded, opened.log, is_thorough=True)
        opened.types[table], opened.styles[table] = settled.types, settled.styles
        return open_table(opened, table, now_us=now_us, is_part=is_part)
    types = opened.types[table]
    if table != "customers" and ("source" in types or len(opened.log.source(table).paths()) > 1):
        deduplication.mark_repeated_rows(db, table, has_source="source" in types)
        judged = _judged_rows(opened, table)
    refuse_unzoned(opened, table, where=where)
    opened.judged[table] = judged
    if not is_part:
        refuse_unreadable(judged, lambda reason: first_row_with(opened, table, reason))
    if table == "customers":  # a customer may be known to leave in the future
        usable_rows.view_customers(
            db, types, opened.log, attributes=opened.attributes, before_us=opened.before_us, where=where
        )
        return None
    if not is_part:
        refuse_future(judged, table, lambda reason: first_row_with(opened, table, reason))
    if table == "orders":
        opened.channels.extend(usable_rows.view_orders(db, types, before_us=opened.before_us))
    elif table == "interactions":
        opened.kinds.update(usable_rows.view_interactions(db, types, before_us=opened.before_us))
    return None


def _judged_rows(opened: Reading, table: str) -> list[JudgedRows]:
    """The rows of a table by reason."""
    time = "left_us as at_us" if table == "customers" else "at_us"
    money = "micros, cents" if table in ("orders", *SIDE_TABLES) else "0 as micros, 0 as cents"
    return [
        JudgedRows(*row)
        for row in opened.rows(f"""
            select reason, count(*), coalesce(sum(micros), 0), coalesce(sum(cents), 0), count(*) filter (cents < 0),
                   coalesce(sum(cents) filter (cents < 0), 0), max(at_us)
            from (select reason, {time}, {money} from rows_{table}) group by reason order by 2 desc, 1""")
    ]


def first_row_with(opened: Reading, table: str, reason: str) -> tuple[int, str, str]:
    """The first row with a reason of `REMEDIES` or `FUTURE`: its number, its file and the text of its cell."""
    cell = REMEDIES[reason][0] if reason in REMEDIES else "written_at"
    return opened.rows(
        f"select min(row), min_by(file, row), min_by({cell}, row) from rows_{table} where reason = '{reason}'"
    )[0]


def no_rows(where: str) -> InputError:
    """The error for a table without rows."""
    return InputError("has no rows", where=where, next="Check the export.")


def refuse_unreadable(judged: list[JudgedRows], first: Callable[[str], tuple[int, str, str]]) -> None:
    """Raise InputError where over half of a table has one of the reasons in `REMEDIES`; first: see `first_row_with`."""
    total = sum(group.rows for group in judged)
    for group in judged:
        if group.reason in REMEDIES and group.rows * 2 > total:
            row, file, example = first(group.reason)
            raise InputError(
                f"{group.reason} in {group.rows:,} of {total:,} rows, first '{example}'",
                where=f"{file}, row {row}",
                next=REMEDIES[group.reason][1],
            )
