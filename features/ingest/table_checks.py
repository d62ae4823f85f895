"""Refuse a table that cannot be used as a whole: wrong types, several currencies, no zone, dates in the future."""

from collections.abc import Callable

from features.errors import InputError
from features.ingest import column_sql
from features.ingest.csv_checks import identifier
from features.ingest.notation.canonical import no_zone
from features.ingest.open_log import JudgedRows, Reading
from features.ingest.schema import TIMES

FUTURE = {table: f"{time} in the future" for table, time in TIMES.items() if table != "customers"}
"""The reason of rows dated after now."""
MOST_IN_THE_FUTURE = 0.01
"""The share of a table's rows that may be set aside as dated in the future; more are a mistake of the whole table."""
CURRENCY_WORDS = {
    word: code
    for code, words in {
        "USD": "$|us$|dollar|dollars|us dollar|us dollars|usd $",
        "EUR": "€|euro|euros|eur €",
        "GBP": "£|pound|pounds|pound sterling|pounds sterling|british pound|gbp £",
        "INR": "₹|rs|rs.|rupee|rupees|indian rupee",
        "JPY": "yen|円|japanese yen",
        "CHF": "fr.|sfr|swiss franc|franken",
    }.items()
    for word in words.split("|")
}
"""Words for a currency, lower case → its ISO code."""


def refuse_types(opened: Reading, table: str, *, where: str) -> None:
    """Raise InputError where the type of a column does not fit its meaning."""
    types = opened.types[table]
    numbers = (*column_sql.INTEGERS, *column_sql.FRACTIONS, "VARCHAR")
    for column in types.keys() & {"amount", "quantity", "unit_price", "cost", "discount", "value"}:
        if not types[column].startswith(numbers):
            raise InputError(f"expected numbers in {column}, found {types[column]}", where=where)
    if "treated" in types and not types["treated"].startswith(("BOOLEAN", *numbers)):
        raise InputError(f"expected true or false in treated, found {types['treated']}", where=where)
    for column in types.keys() & {"ordered_at", "at", "recorded_at", "left_at"}:
        if not column_sql.is_time(types[column]) and not (column == "left_at" and _is_empty(opened, table, column)):
            raise InputError(
                f"expected dates or times in {column}, found {types[column]}",
                where=where,
                next="If they are written as digits, give their format as time.format: '%Y%m%d', epoch_s or excel.",
            )


def _is_empty(opened: Reading, table: str, column: str) -> bool:
    """True if a column is empty in every row: its type then means nothing."""
    name = identifier(column)
    number = f" and not isnan({name})" if opened.types[table][column] in ("FLOAT", "DOUBLE") else ""
    return not opened.rows(f"select 1 from raw_{table} where {name} is not null{number} limit 1")


def refuse_unzoned(opened: Reading, table: str, *, where: str) -> None:
    """Raise InputError where times have no zone and the log names none."""
    time = TIMES[table]
    kind = opened.types[table].get(time, "")
    if opened.log.timezone or not column_sql.is_time(kind):
        return
    naive = f"{column_sql.is_naive(identifier(time), kind)} and not {column_sql.is_blank(time, opened.types[table])}"
    rows = opened.rows(f"select count(*) from raw_{table} where {naive}")[0][0]
    if rows:
        raise no_zone(rows, time, where=where)


def refuse_currencies(opened: Reading, *, where: str) -> None:
    """Raise InputError unless every row that names a currency names the log's, or a rate converts it."""
    currency, types = opened.log.currency, opened.types["orders"]
    if "currency" not in types or opened.log.options("orders").rate:
        return
    kept = "fault is null and" if "fault" in types else ""
    currencies = opened.rows(f"""
        select upper(trim(currency)), count(*) from raw_orders
        where {kept} trim(currency) != '' group by 1 order by 1""")
    named = {CURRENCY_WORDS.get(name.lower(), name) for name, _ in currencies}
    if not named or named == {currency}:
        return
    counts = ", ".join(f"{name} in {rows:,} rows" for name, rows in currencies[:10])
    if len(named) == 1:
        remedy = f'Set money.currency = "{named.pop()}" in the config.'
    else:
        theirs = opened.log.mapping.get("orders", {}).get("currency", "currency")
        one = f"\"{theirs}\" = '{currency}'"
        remedy = f"Convert them by a column of rates ([read.orders] rate), or keep one of them: where = {one!r}."
    raise InputError(f"expected one currency, {currency}; found {counts}", where=where, next=remedy)


def refuse_future(judged: list[JudgedRows], table: str, first: Callable[[str], tuple[int, str, str]]) -> None:
    """Raise InputError where more than a small share of the rows is in the future; first: see `first_row_with`."""
    late = sum(group.rows for group in judged if group.reason == FUTURE[table])
    total = sum(group.rows for group in judged)
    if late > MOST_IN_THE_FUTURE * total:
        row, file, example = first(FUTURE[table])
        raise InputError(
            f"{late:,} of {total:,} rows are dated in the future, first {example}",
            where=f"{file}, row {row}",
            next="Correct or remove them; are day and month swapped, or is time.timezone wrong?",
        )
