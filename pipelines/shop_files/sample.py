"""Look at the first rows of a file of orders: how its columns are written, and three orders as they are read."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from features.errors import InputError
from features.ingest.cleaning import judge_orders
from features.ingest.csv_checks import identifier, quoted
from features.ingest.duckdb_connection import connect
from features.ingest.formats.open_file import open_file
from features.ingest.log import Log
from features.ingest.mistakes import export_statuses as statuses
from features.ingest.notation.canonical import settle
from features.ingest.notation.column_styles import Loaded, column_styles
from features.ingest.notation.number_style import CODES, CURRENCY_OF, currency_signs, is_plain_number
from features.ingest.notation.time_sql import naive_sql
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

    def loaded(self, guess: Guess) -> Loaded:
        """The table `loaded_orders` under our names."""
        columns = guess.columns | {
            key: name for key, name in guess.read.items() if key in ("refunded", "profit", "rate")
        }
        selected = ", ".join(f"{identifier(theirs)} as {identifier(ours)}" for ours, theirs in columns.items())
        self.db.execute(
            f"create or replace temp table loaded_orders as select {selected}, {quoted(self.where)} as file, "
            "row_number() over () as row from theirs"
        )
        types = {ours: self.types[theirs] for ours, theirs in columns.items()}
        return Loaded(self.db, "orders", types, self.where, False, self.notes)


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
    values = {name: sample.values(name, most=statuses.MOST_VALUES) for name in sample.types if statuses.is_status(name)}
    has_refunds = "refunded" in guess.read
    dropped = {name: statuses.no_purchases(cells, has_refunds=has_refunds) for name, cells in values.items()}
    kept = {name: (cells, sample.has_empty(name)) for name, cells in dropped.items() if cells}
    return statuses.conditions(kept) or None, values


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
    types, _ = settle(loaded, replace(log, styles=styles), is_thorough=True)
    judge_orders(sample.db, types, log, None)
    names = [name for name in ("order_id", "product_id", "quantity", "channel") if name in types]
    more = "".join(f", raw.{identifier(name)}::text" for name in names)
    amount = "coalesce((micros / 1e6)::decimal(18, 2)::text, '')"
    rows = sample.db.sql(f"""
        select rows.customer_id, coalesce(make_timestamp(at_us)::text, reason), {amount}{more}
        from rows_orders as rows join raw_orders as raw using (file, row) order by row limit 3""").fetchall()
    heads = ["customer_id", "ordered_at (UTC)", "amount", *names]
    return [dict(zip(heads, ("" if cell is None else cell for cell in row), strict=True)) for row in rows]
