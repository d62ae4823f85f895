"""Look at the first rows of a file of orders: how its columns are written, and three orders as they are read."""

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from pathlib import Path
from zoneinfo import available_timezones

import duckdb

from features.errors import InputError
from features.ingest.cleaning import judge_orders
from features.ingest.csv_checks import identifier, quoted
from features.ingest.duckdb_connection import connect
from features.ingest.formats.open_file import open_file
from features.ingest.log import Log
from features.ingest.mistakes import export_statuses as statuses
from features.ingest.mistakes.unused_names import is_time_of_day
from features.ingest.notation.canonical import settle
from features.ingest.notation.column_styles import column_styles
from features.ingest.notation.loaded_table import Loaded
from features.ingest.notation.number_style import CODES, CURRENCY_OF, currency_signs, is_plain_number
from features.ingest.notation.time_sql import day_and_time_sql, naive_sql
from features.ingest.notation.time_words import ZONE_OF
from features.ingest.notation.times_of_day import are_times_of_day, has_time
from features.ingest.object_store import object_url
from features.ingest.read_options import ReadOptions
from features.ingest.sources import readable
from features.ingest.table_checks import CURRENCY_WORDS
from features.ingest.table_source import Files, Objects
from pipelines.shop_files.column_guess import SHARES, Guess

SAMPLE_ROWS = 1_000_000


@dataclass
class Sample:
    """The first rows of a file, in DuckDB as the table `theirs`, text as it is written."""

    db: duckdb.DuckDBPyConnection
    types: dict[str, str]
    where: str
    notes: dict[str, str] = field(default_factory=dict)

    def values(self, column: str, *, most: int) -> list[str]:
        """The distinct values of a column, the most frequent first."""
        name = identifier(column)
        query = f"select {name}::text from theirs where {name} is not null group by 1 order by count(*) desc, 1"
        return [value for (value,) in self.db.sql(f"{query} limit {most}").fetchall()]

    def has_empty(self, column: str) -> bool:
        """True if some cells of a column are empty."""
        name = identifier(column)
        return bool(self.db.sql(f"select 1 from theirs where coalesce({name}::text, '') = '' limit 1").fetchall())

    def drops_more(self, condition: str, others: list[str]) -> bool:
        """True if a condition leaves out rows that the others keep, and keeps some."""
        kept = " and ".join([*others, "true"])
        counts = f"count(*) filter (not ({condition})), count(*) filter ({condition})"
        return all(self.db.sql(f"select {counts} from theirs where {kept}").fetchall()[0])

    def loaded(self, guess: Guess) -> Loaded:
        """The table `loaded_orders` under our names."""
        columns = guess.columns | {
            key: name for key, name in guess.read.items() if key in ("refunded", "profit", "rate")
        }
        cells = {ours: identifier(theirs) for ours, theirs in columns.items()}
        types = {ours: self.types[theirs] for ours, theirs in columns.items()}
        if of_day := guess.read.get("time_of_day"):
            cells["ordered_at"] = day_and_time_sql(cells["ordered_at"], identifier(of_day))
            types["ordered_at"] = "VARCHAR"
        selected = ", ".join(f"{cell} as {identifier(ours)}" for ours, cell in cells.items())
        self.db.execute(
            f"create or replace temp table loaded_orders as select {selected}, {quoted(self.where)} as file, "
            "row_number() over () as row from theirs"
        )
        return Loaded(self.db, "orders", types, self.where, False, self.notes, {})


@contextmanager
def open_sample(source: Files | Objects, options: ReadOptions) -> Iterator[Sample]:
    """The first rows of the first file that a path, folder or glob names; raises InputError if there are none."""
    file = source.paths()[0]
    label = object_url(file)
    with (
        readable(label),
        connect() as db,
        tempfile.TemporaryDirectory(prefix="stayworth-") as scratch,
        open_file(db, file, options, scratch=Path(scratch), rows=source.rows, label=label) as tables,
    ):
        db.execute(f"create temp table theirs as select * from {tables[0].scan} limit {SAMPLE_ROWS}")
        described = db.sql("describe theirs").fetchall()
        if not db.sql("select 1 from theirs limit 1").fetchall():
            raise InputError("has no rows", where=label, next="Export it again.")
        yield Sample(db, {row[0]: row[1] for row in described}, label, dict(tables[0].notes))


@dataclass(frozen=True)
class Written:
    """How a file writes its times and its money."""

    formats: tuple[str, ...] = ()
    """Formats of the times, where they are not ISO."""
    is_zoned: bool = False
    """True if every time carries its zone."""
    currency: str | None = None
    question: InputError | None = None
    """What cannot be decided from the file: two readings of a number or a time."""


def written(sample: Sample, guess: Guess, log: Log) -> Written:
    """How the times and the amounts are written."""
    loaded = sample.loaded(guess)
    currency = _currency(sample, guess)
    try:
        styles = column_styles(loaded, log, is_thorough=True)
    except InputError as question:
        return Written(currency=currency, question=question)
    column, kind = identifier("ordered_at"), loaded.types["ordered_at"]
    style = styles.times.get("ordered_at")
    if style is None:
        if kind == "VARCHAR":
            naive = f"not regexp_matches({column}, '(?::\\d\\d(?:\\.\\d+)?)([zZ]|UTC|[+-]\\d\\d(:?\\d\\d)?)$')"
            unread, rows = sample.db.sql(
                f"select count(*) filter (try_cast({column} as timestamp) is null), count(*) from loaded_orders "
                f"where {column} is not null and {column} != ''"
            ).fetchall()[0]
            if unread * 2 > rows:
                return Written(currency=currency, question=_no_times(sample, guess))
        else:
            naive = str(kind != "TIMESTAMP WITH TIME ZONE").lower()
        formats: tuple[str, ...] = ()
        if kind.endswith("INT") or kind in ("INTEGER", "DOUBLE"):
            return Written(currency=currency, question=_no_times(sample, guess))
    else:
        naive, formats = naive_sql(f"{column}::text", style), style.formats
        if style.has_words or (style.has_zone and len(formats) > 1):
            formats = ()
    is_naive = sample.db.sql(
        f"select 1 from loaded_orders where {column} is not null and {column}::text != '' and {naive} limit 1"
    ).fetchall()
    return Written(formats, not is_naive, currency)


def _no_times(sample: Sample, guess: Guess) -> InputError:
    return InputError(
        f"'{guess.columns['ordered_at']}' holds no times that can be read",
        where=sample.where,
        next="Name another with --column ordered_at=NAME, or say how they are written with --time-format.",
    )


def _currency(sample: Sample, guess: Guess) -> str | None:
    """The currency that a column names in every row, or the sign beside the amounts."""
    if "currency" in guess.columns:
        codes = {value.strip().upper() for value in sample.values(guess.columns["currency"], most=3)} - {""}
        codes = {CURRENCY_WORDS.get(code.lower(), code) for code in codes}
        if len(codes) == 1 and (code := codes.pop()).isalpha() and len(code) == 3:
            return code
        return None
    cells = sample.values(guess.columns["amount"], most=200) if "amount" in guess.columns else []
    signs = {CURRENCY_OF.get(sign, sign) for sign in currency_signs(cells)}
    return next((sign for sign in signs if len(signs) == 1 and sign in CODES.split()), None)


def status_condition(sample: Sample, guess: Guess) -> tuple[str | None, dict[str, list[str]]]:
    """SQL that keeps the purchases, if a column of statuses says which they are; and the values of such columns."""
    has_refunds = "refunded" in guess.read
    values, conditions, flags = {}, [], []
    for name in guess.unused(list(sample.types)):
        cells = sample.values(name, most=statuses.MOST_VALUES + 1)
        if statuses.is_status(name) or statuses.are_statuses(name, cells):
            values[name] = cells[: statuses.MOST_VALUES]
            if dropped := statuses.no_purchases(cells, has_refunds=has_refunds):
                conditions.append(statuses.condition(name, dropped, may_be_empty=sample.has_empty(name)))
        elif statuses.is_flag(name):
            is_optional = sample.has_empty(name)
            flags += [statuses.flag_condition(name, cells, is_optional=is_optional, has_refunds=has_refunds)]
    for flag in filter(None, flags):
        if sample.drops_more(flag, conditions):
            conditions.append(flag)
    return " and ".join(conditions) or None, values


def time_column(sample: Sample, guess: Guess) -> str | None:
    """The column of times of day that belongs to the days of the orders, if these carry no time themselves."""
    if "ordered_at" not in guess.columns:
        return None
    day = guess.columns["ordered_at"]
    if any(has_time(cell) for cell in sample.values(day, most=500)):
        return None
    named = [name for name in guess.unused(list(sample.types)) if is_time_of_day(name)]
    named.sort(key=lambda name: SequenceMatcher(None, name.lower(), day.lower()).ratio(), reverse=True)
    return next((name for name in named if are_times_of_day(sample.values(name, most=500))), None)


def currency_column(sample: Sample, guess: Guess) -> str | None:
    """The column that names several currencies, whatever it is called."""
    known = set(CODES.split())
    for name in guess.unused(list(sample.types)):
        codes = {value.strip().upper() for value in sample.values(name, most=60)} - {""}
        if len(codes) > 1 and codes <= known:
            return name
    return None


def zone_of(sample: Sample, guess: Guess) -> str | None:
    """The one time zone that a column of the file names."""
    for name in guess.unused(list(sample.types)):
        if re.fullmatch(r"(?i)(?:time|order)?[ _-]?time[ _-]?zone|zone|tz|zeitzone", name.strip()):
            words = {value.strip() for value in sample.values(name, most=5)} - {""}
            zones = {ZONE_OF.get(word, word) for word in words}
            if len(zones) == 1 and (zone := zones.pop()) in available_timezones():
                return zone
    return None


def discount_setting(sample: Sample, guess: Guess) -> str | None:
    """share or percent, where the discount is a part of the price; `code` where it is no number; None for money."""
    if "discount" not in guess.columns:
        return None
    cells = [value.strip() for value in sample.values(guess.columns["discount"], most=2_000)]
    numbers = [float(cell.rstrip("% ")) for cell in cells if is_plain_number(cell.rstrip("% "))]
    if len(numbers) * 2 < len([cell for cell in cells if cell]):
        return "code"
    above = [number for number in numbers if number]
    if any(cell.endswith("%") for cell in cells) or (
        above and SHARES.search(guess.columns["discount"]) and max(above) > 1
    ):
        return "percent"
    return "share" if above and max(above) < 1 and min(above) >= 0 else None


def is_whole(sample: Sample, column: str) -> bool:
    """True if all numbers of a column are whole, as minor units are."""
    return all(value.strip().lstrip("-").isdigit() for value in sample.values(column, most=5_000) if value.strip())


def examples(sample: Sample, guess: Guess, log: Log) -> list[dict[str, str]]:
    """The first three orders as they are read: customer, time (UTC), amount and what else is there."""
    loaded = sample.loaded(guess)
    styles = {"orders": column_styles(loaded, log, is_thorough=True)}
    sample.db.execute("create or replace temp table loaded_orders as from loaded_orders limit 3")
    types = settle(loaded, replace(log, styles=styles), is_thorough=True).types
    judge_orders(sample.db, types, log, None)
    names = [name for name in ("order_id", "product_id", "quantity", "channel") if name in types]
    more = "".join(f", raw.{identifier(name)}::text" for name in names)
    amount = "coalesce((micros / 1e6)::decimal(18, 2)::text, '')"
    rows = sample.db.sql(f"""
        select rows.customer_id, coalesce(make_timestamp(at_us)::text, reason), {amount}{more}
        from rows_orders as rows join raw_orders as raw using (file, row) order by row limit 3""").fetchall()
    heads = ["customer_id", "ordered_at (UTC)", "amount", *names]
    return [dict(zip(heads, ("" if cell is None else cell for cell in row), strict=True)) for row in rows]
