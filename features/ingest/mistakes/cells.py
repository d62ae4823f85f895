"""Cells that could not be read, and what was taken for granted about how a file is written."""

from collections.abc import Iterator

from features.ingest.column_sql import double_in, instant_in, is_given, micros_in
from features.ingest.mistakes.data_warning import DataWarning, plural, read_line
from features.ingest.notation.column_styles import SIGNS_NOTE
from features.ingest.notation.id_columns import WITH_MARKS, WITH_POINT
from features.ingest.notation.number_style import CURRENCY_OF, DOLLARS
from features.ingest.open_log import Reading
from features.ingest.schema import TIMES

MOST_UNREAD = 0.01
"""The share of a table's rows whose amounts may stay unread; above it, `check` says no."""
UNREAD = ("amount is not a number", "amount too large")
OPTIONAL = {
    "orders": ("cost", "discount", "quantity", "recorded_at"),
    "interactions": ("value", "recorded_at"),
    "customers": ("joined_at", "wallet_per_year"),
    "treatments": ("cost", "recorded_at"),
    "costs": ("recorded_at",),
}


def unread_amounts(opened: Reading) -> Iterator[DataWarning]:
    """Rows of orders whose amount could not be read: their money is in no total."""
    total = sum(group.rows for group in opened.judged["orders"])
    unread = sum(group.rows for group in opened.judged["orders"] if group.reason in UNREAD)
    if unread:
        listed = ", ".join(f"'{reason}'" for reason in UNREAD)
        examples = opened.rows(
            f"select distinct written_amount from rows_orders where reason in ({listed}) order by 1 limit 3"
        )
        shown = ", ".join(f"'{cell}'" for (cell,) in examples)
        yield DataWarning(
            "unread_amounts",
            f"{unread:,} of {plural(total, 'amount')} ({unread / total:.1%}) could not be read, such as {shown}: their "
            "money is unknown, and in none of the sums.",
            "orders",
            "amount",
            unread,
            read_line("orders", 'decimal = "," and thousands = "." say how numbers are written'),
        )


def malformed_lines(opened: Reading) -> Iterator[DataWarning]:
    """Lines of a CSV that do not fit its header: what they say is in no sum."""
    lines = opened.malformed("orders")
    if lines:
        first = opened.rows("select min(row) from malformed_orders")[0][0]
        yield DataWarning(
            "malformed_lines",
            f"{plural(lines, 'line')}, the first below row {first - 1:,}, do not fit the header, and are set aside; "
            "their money is unknown.",
            "orders",
            None,
            lines,
            "Remove remarks below the table; where commas stand in the cells, export with quotes: "
            + read_line("orders", 'delimiter = ";"'),
        )


def share_unread(opened: Reading) -> float:
    """The share of the orders' rows whose amount could not be read."""
    total = sum(group.rows for group in opened.judged["orders"])
    unread = sum(group.rows for group in opened.judged["orders"] if group.reason in UNREAD)
    return unread / total if total else 0.0


def unread_options(opened: Reading, table: str) -> Iterator[DataWarning]:
    """Cells of optional columns that could not be read, and count as missing."""
    types = opened.types[table]
    for column in OPTIONAL[table]:
        if column not in types or column in opened.attribute_kinds:
            continue
        if column in ("recorded_at", "joined_at"):
            value = instant_in(types, opened.log, column)
        else:
            value = double_in(column, types) if column == "value" else micros_in(column, types)
        given = is_given(column, types)
        cell = _cell(column, types)
        rows, total, example = opened.rows(
            f"select count(*) filter ({value} is null), count(*), any_value({cell}) filter ({value} is null) "
            f"from raw_{table} where {given}"
        )[0]
        if rows:
            yield DataWarning(
                "unread_cells",
                f"{rows:,} of {plural(total, 'cell')} of {column} could not be read, such as '{example}': they count "
                "as missing, their rows are used.",
                table,
                column,
                rows,
                _fix(table, column),
            )


def _cell(column: str, types: dict[str, str]) -> str:
    kept = f"{column}_as_written"
    return kept if kept in types else f"{column}::text"


def _fix(table: str, column: str) -> str:
    if column == "discount":
        return read_line(table, 'discount_in = "percent", or map the column of money taken off')
    if column in TIMES.values() or column.endswith("_at"):
        return read_line(table, 'time_format = "%d/%m/%Y %H:%M"')
    return read_line(table, 'decimal = ","')


def notes(opened: Reading, table: str) -> Iterator[DataWarning]:
    """What was assumed of a file: an encoding that nothing says, a sheet among several."""
    found = opened.notes.get(table, {})
    if found.get("encoding") == "cp1252" and not opened.log.options(table).encoding:
        yield DataWarning(
            "encoding_assumed",
            "The file is not UTF-8; it was read as Windows-1252, as spreadsheets write in Western Europe.",
            table,
            None,
            0,
            read_line(table, 'encoding = "cp1252"'),
        )
    if WITH_POINT in found:
        yield DataWarning(
            "ids_with_point",
            f"All ids in {found[WITH_POINT]} are written with a point, such as 13085.0, as a spreadsheet or pandas "
            "leaves numbers among which some are missing; they are read as 13085.",
            table,
            found[WITH_POINT].partition(",")[0],
            0,
            "Export the ids as text; leading zeros are lost otherwise.",
        )
    if WITH_MARKS in found:
        yield DataWarning(
            "ids_with_marks",
            f"All ids in {found[WITH_MARKS]} stand between marks of a spreadsheet, or have commas between "
            "their digits; they are read without.",
            table,
            found[WITH_MARKS].partition(",")[0],
            0,
            "Export the ids as plain text.",
        )
    if "other_sheets" in found:
        yield DataWarning(
            "sheets_not_read",
            f"Only the sheet '{found['sheet']}' is read; with the same columns there are also {found['other_sheets']}.",
            table,
            None,
            0,
            read_line(table, 'sheet = "*"'),
        )


def currency_signs(opened: Reading) -> Iterator[DataWarning]:
    """Currency signs beside the amounts that are not the log's."""
    signs = opened.notes.get("orders", {}).get(SIGNS_NOTE, "").split()
    others = [sign for sign in signs if CURRENCY_OF.get(sign, sign) not in (opened.log.currency, "$")]
    others += ["$"] if "$" in signs and opened.log.currency not in DOLLARS else []
    if others:
        yield DataWarning(
            "currency_signs",
            f"Amounts carry {' and '.join(map(repr, signs))}, and are read as {opened.log.currency}, unconverted.",
            "orders",
            "amount",
            0,
            '[money] currency = "CODE"; several currencies need a column of rates: [read.orders] rate',
        )


def currency_words(opened: Reading) -> Iterator[DataWarning]:
    """A currency column whose values are not ISO codes."""
    if "currency" not in opened.types["orders"]:
        return
    words = opened.rows("""
        select trim(currency), count(*) from raw_orders
        where currency is not null and not regexp_full_match(trim(currency), '(?i)[a-z]{3}|')
        group by 1 order by 2 desc""")
    if words:
        rows = sum(count for _, count in words)
        yield DataWarning(
            "currency_in_words",
            f"{plural(rows, 'row')} name their currency as {', '.join(repr(word) for word, _ in words[:3])}, taken for "
            f"{opened.log.currency}.",
            "orders",
            "currency",
            rows,
            f'[money] currency = "{opened.log.currency}"',
        )
