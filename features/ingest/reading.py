"""Open a log: every table becomes a view of judged rows; a table that cannot be used raises an error."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from features.errors import InputError
from features.ingest import cleaning, deduplication, side_table_cleaning, sources, usable_rows
from features.ingest.csv_checks import identifier
from features.ingest.duckdb_connection import connect
from features.ingest.log import Log
from features.ingest.schema import SIDE_TABLES

TIMES = {"orders": "ordered_at", "interactions": "at", "customers": "left_at", "treatments": "at", "costs": "at"}
"""The column of time of each table."""

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
    "amount is not a number": ("written_amount", "Write plain numbers with a point: 1234.50."),
    "value is not a number": ("written_value", "Write plain numbers with a point: 7.5."),
    side_table_cleaning.NEITHER: ("written_treated", "Write true or false, 1 or 0, yes or no."),
    "cost is negative": ("written_cost", "Write costs as positive numbers: 0.50."),
}
"""Reasons that condemn a table if over half of its rows have them: the column to show, and the remedy."""


class JudgedRows(NamedTuple):
    """The rows of a table with one reason (None: usable), and their money."""

    reason: str | None
    rows: int
    micros: int
    """Millionths of a currency unit."""
    cents: int
    refunds: int
    """Rows with a negative amount among them."""
    refund_cents: int
    latest_us: int | None


@dataclass(frozen=True)
class Reading:
    """An open log: the views `rows_<table>` (judged) and `usable_<table>` (usable rows, as numbers) of its tables."""

    db: duckdb.DuckDBPyConnection
    log: Log
    types: dict[str, cleaning.Types]
    """Table → our column → its DuckDB type."""
    scratch: Path
    """A folder that vanishes with the reading."""
    before_us: int | None = None
    """Rows from then on are left out."""
    judged: dict[str, list["JudgedRows"]] = field(default_factory=dict)
    """Table → its rows by reason."""
    channels: list[str] = field(default_factory=list)
    """The channels of the orders, ascending: their codes are their places."""
    kinds: dict[str, int] = field(default_factory=dict)
    """The kinds of interaction, ascending, and when each was first known (microseconds)."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query's result."""
        return self.db.sql(query).fetchall()

    def where(self, table: str) -> str:
        """The place of a table, for a message."""
        return self.log.source(table).label(table)

    def malformed(self, table: str) -> int:
        """The number of malformed lines in a table's CSV files."""
        return self.rows(f"select count(*) from malformed_{table}")[0][0]

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns of the customers that are features."""
        return self.log.attributes if "customers" in self.types else ()

    @property
    def contractual(self) -> bool:
        """True if it says which customers left when."""
        return "left_at" in self.types.get("customers", {})

    @property
    def present(self) -> frozenset[str]:
        """The columns of its orders; and `interactions`, and their `value`, if it has them."""
        more = {"interactions", "value"} & {*self.types, *self.types.get("interactions", {})}
        return frozenset(self.types["orders"]) | more


@contextmanager
def reading(
    log: Log,
    *,
    now_us: int | None,
    memory_bytes: int | None = None,
    before_us: int | None = None,
    side_table: str | None = None,
) -> Iterator[Reading]:
    """Open a log. now_us: rows after it are in the future (None: not checked). memory_bytes: DuckDB's own limit.

    before_us: leave out rows from then on, but keep earlier ones that became known later. side_table: open this one
    side table instead of the tables of the histories.

    Raises InputError, having written nothing, for a table that cannot be read or used.
    """
    with tempfile.TemporaryDirectory(prefix="stayworth-") as folder, connect() as db:
        db.execute(f"set temp_directory = '{folder}'")
        if memory_bytes:
            db.execute(f"set memory_limit = '{memory_bytes // 1_000_000}MB'")
        types = {
            table: sources.read_table(db, table, log.source(table), log.mapping.get(table, {}), log.extra(table))
            for table in ([side_table] if side_table else log.tables)
        }
        opened = Reading(db, log, types, Path(folder), before_us)
        for table in types:
            with sources.readable(opened.where(table)):
                open_table(opened, table, now_us=now_us)
        # Rows are sorted by us: DuckDB need not keep their order.
        db.execute("set preserve_insertion_order = false")
        with sources.readable(opened.where(side_table or "orders")):
            yield opened


def open_table(opened: Reading, table: str, *, now_us: int | None, is_part: bool = False) -> None:
    """Judge the rows of `raw_<table>` and make its views; raises InputError where it cannot be used.

    is_part: the rows are only some of the table's, so that checks of the whole (no rows, mostly unreadable) are left
    out. A side table may have no rows: nothing was booked yet.
    """
    db, types, where = opened.db, opened.types[table], opened.where(table)
    if not is_part and table not in SIDE_TABLES and not opened.rows(f"select 1 from raw_{table} limit 1"):
        raise no_rows(where)
    _refuse_types(opened, table, where=where)
    if table == "orders":
        _refuse_currencies(opened, where=where)
    JUDGES[table](db, types, opened.log)
    if table != "customers" and ("source" in types or len(opened.log.source(table).paths()) > 1):
        deduplication.mark_repeated_rows(db, table, has_source="source" in types)
    _refuse_unzoned(opened, table, where=where)
    judged = opened.judged[table] = _judged_rows(opened, table)
    if not is_part:
        refuse_unreadable(judged, lambda reason: first_row_with(opened, table, reason))
    if table == "customers":  # a customer may be known to leave in the future
        usable_rows.view_customers(db, types, opened.log, before_us=opened.before_us, where=where)
        return
    _refuse_future(opened, table, now_us=now_us)
    if table == "orders":
        opened.channels.extend(usable_rows.view_orders(db, types, before_us=opened.before_us))
    elif table == "interactions":
        opened.kinds.update(usable_rows.view_interactions(db, types, before_us=opened.before_us))


def _refuse_types(opened: Reading, table: str, *, where: str) -> None:
    """Raise InputError where the type of a column does not fit its meaning."""
    types, log = opened.types[table], opened.log
    numbers = (*cleaning.INTEGERS, *cleaning.FRACTIONS, "VARCHAR")
    for column in types.keys() & {"amount", "quantity", "unit_price", "cost", "discount", "value"}:
        if not types[column].startswith(numbers):
            raise InputError(f"expected numbers in {column}, found {types[column]}", where=where)
    if "treated" in types and not types["treated"].startswith(("BOOLEAN", *numbers)):
        raise InputError(f"expected true or false in treated, found {types['treated']}", where=where)
    for column in types.keys() & {"ordered_at", "at", "recorded_at", "left_at"}:
        if not cleaning.is_time(types[column], log) and not (column == "left_at" and _is_empty(opened, table, column)):
            raise InputError(
                f"expected dates or times in {column}, found {types[column]}",
                where=where,
                next="If they are written as digits, give their format as time.format, e.g. '%Y%m%d'.",
            )


def _is_empty(opened: Reading, table: str, column: str) -> bool:
    """True if a column is empty in every row: its type then means nothing."""
    name = identifier(column)
    number = f" and not isnan({name})" if opened.types[table][column] in ("FLOAT", "DOUBLE") else ""
    return not opened.rows(f"select 1 from raw_{table} where {name} is not null{number} limit 1")


def _refuse_currencies(opened: Reading, *, where: str) -> None:
    """Raise InputError unless every row that names a currency names the log's."""
    currency = opened.log.currency
    if "currency" not in opened.types["orders"]:
        return
    currencies = opened.rows(
        "select upper(trim(currency)), count(*) from raw_orders where currency is not null group by all order by all"
    )
    if [name for name, _ in currencies] in ([], [currency]):
        return
    counts = ", ".join(f"{name} in {rows:,} rows" for name, rows in currencies)
    raise InputError(
        f"expected one currency, {currency}; found {counts}",
        where=where,
        next="Convert the amounts or load one currency at a time; money.currency names it.",
    )


def _refuse_unzoned(opened: Reading, table: str, *, where: str) -> None:
    """Raise InputError where times have no zone and the log names none."""
    time = TIMES[table]
    kind = opened.types[table].get(time, "")
    if opened.log.timezone or not cleaning.is_time(kind, opened.log):
        return
    naive = f"{cleaning.is_naive(identifier(time), kind)} and not {cleaning.is_blank(time, kind)}"
    rows = opened.rows(f"select count(*) from raw_{table} where {naive}")[0][0]
    if rows:
        raise InputError(
            f"{rows:,} times in {time} carry no zone" if rows > 1 else f"1 time in {time} carries no zone",
            where=where,
            next="Set time.timezone in the config to the zone they were written in, e.g. 'UTC'.",
        )


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
    """The first row with a reason of `REMEDIES`: its number, its file and the text of its cell."""
    return opened.rows(
        f"select min(row), min_by(file, row), min_by({REMEDIES[reason][0]}, row) from rows_{table} "
        f"where reason = '{reason}'"
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


def _refuse_future(opened: Reading, table: str, *, now_us: int | None) -> None:
    """Raise InputError where usable rows are dated after now_us."""
    judged = opened.judged[table]
    latest = max(
        (rows.latest_us for rows in judged if rows.reason is None and rows.latest_us is not None), default=None
    )
    if now_us is not None and latest is not None and latest > now_us:
        late, file, row, example = opened.rows(
            "select count(*), min_by(file, at_us), min_by(row, at_us), min_by(written_at, at_us) "
            f"from rows_{table} where reason is null and at_us > {now_us}"
        )[0]
        raise InputError(
            f"{late:,} of {sum(group.rows for group in judged):,} rows are dated in the future, first {example}",
            where=f"{file}, row {row}",
            next="Correct or remove them; are day and month swapped, or is time.timezone wrong?",
        )
