"""The style of each column of a loaded table, read off its cells.

The first cells are looked at in Python. Where they are plain, as programs write numbers and times, the column is taken
to be plain and costs no further look; a cell that turns out otherwise is noticed when the rows are judged, and then
all are looked at. Where they are not, cells from the whole column decide, and those that the style does not read are
looked at again.
"""

from functools import partial

from features.errors import InputError
from features.ingest.csv_checks import identifier, quoted
from features.ingest.log import Log
from features.ingest.notation import number_style, time_style
from features.ingest.notation.id_columns import id_sql
from features.ingest.notation.loaded_table import HEAD, Loaded, apart_from_attributes
from features.ingest.notation.number_style import NumberStyle, is_null_word_sql, number_evidence, number_sql
from features.ingest.notation.styles import Styles
from features.ingest.notation.time_sql import time_sql
from features.ingest.notation.time_style import TimeStyle, time_evidence
from features.ingest.schema import minor_units

NUMBERS = ("amount", "unit_price", "cost", "discount", "quantity", "refunded", "profit", "rate", "value")
NUMBERS_OF_CUSTOMERS = ("wallet_per_year",)
TIMES = ("ordered_at", "at", "recorded_at", "left_at", "joined_at")
SIGNS_NOTE = "currency_signs"
"""The note with the currency signs beside the amounts."""
ODD = 2_000
"""Distinct cells that a style does not read, looked at again."""
TWO_READINGS = r"[.,]\d{1,2}\D*$|[.,]\d{4}|\d{4}[.,]|[.,].*[.,]|^\D*0[.,]"
"""Numbers that decide between the two readings of 1.250."""
ISO_SQL = time_style.ISO.pattern
SURE_DAYS = r"^\D*(?:1[3-9]|2\d|3[01])[-/. ]\d|^\D*\d{1,2}[-/. ](?:1[3-9]|2\d|3[01])[-/. ]\d"
"""Dates that decide between day and month first."""


def column_styles(loaded: Loaded, log: Log, *, is_thorough: bool) -> Styles:
    """How the columns of a table are written. is_thorough: look at all cells even where the first ones are plain.

    Raises InputError where cells have two readings and nothing decides.
    """
    return Styles(
        number_styles(loaded, log, is_thorough=is_thorough),
        time_styles(loaded, log, is_thorough=is_thorough),
        id_sql(loaded, log),
    )


def number_styles(loaded: Loaded, log: Log, *, is_thorough: bool) -> dict[str, NumberStyle]:
    """The style of each column of numbers that is not plain; raises InputError where money has two readings."""
    options = log.options(loaded.table)
    digits = {1: 0, 100: 2, 1000: 3}[minor_units(log.currency)]
    names = NUMBERS + (NUMBERS_OF_CUSTOMERS if loaded.table == "customers" else ())
    weigh = partial(number_evidence, decimal=options.decimal, thousands=options.thousands, digits=digits)
    styles: dict[str, NumberStyle] = {}
    undecided: dict[str, tuple[NumberStyle, str]] = {}
    for column in filter(loaded.is_text, apart_from_attributes(loaded, log, names)):
        cells = loaded.cells(column, most=HEAD)
        if _is_plainly_written(loaded, column, cells, is_thorough=is_thorough or bool(options.decimal)):
            if any("." in cell for cell in cells):
                styles[column] = NumberStyle()
            continue
        cells += loaded.anywhere(column)
        evidence = weigh(cells)
        unread = f"not {is_null_word_sql('cell')} and {number_sql('cell', evidence.style)} is null"
        if not evidence.is_decided:
            unread += f" or regexp_matches(cell, {quoted(TWO_READINGS)})"
        cells += loaded.cells(column, unread, most=ODD, is_distinct=True)
        evidence = weigh(cells)
        if column == "amount" and evidence.style.is_decorated:
            loaded.notes[SIGNS_NOTE] = " ".join(sorted(number_style.currency_signs(cells)))
        if evidence.is_decided:
            styles[column] = evidence.style
        else:
            undecided[column] = (evidence.style, evidence.ambiguous[0])
    for column, (style, cell) in undecided.items():
        styles[column] = decimal_of_neighbours(column, style, cell, styles, where=loaded.where, table=loaded.table)
    return {column: style for column, style in styles.items() if not style.is_plain}


def _is_plainly_written(loaded: Loaded, column: str, cells: list[str], *, is_thorough: bool) -> bool:
    """True if the first cells are plain numbers, and nothing further on could give their points another meaning."""
    if is_thorough or not all(cell == "" or number_style.is_plain_number(cell.strip(" ")) for cell in cells):
        return False
    evidence = number_evidence(cells)
    if any("." in cell for cell in cells):
        return evidence.is_decided and evidence.style.decimal == "."
    pointed = loaded.cells(column, "contains(cell, '.')", most=ODD)
    return not pointed or (number_evidence(cells + pointed).is_decided and number_evidence(pointed).style.is_plain)


def decimal_of_neighbours(
    column: str, style: NumberStyle, cell: str, decided: dict[str, NumberStyle], *, where: str, table: str
) -> NumberStyle:
    """The style of a column with two readings, by the decimal mark of another column of money."""
    marks = {decided[name].decimal for name in ("amount", "unit_price", "cost", "discount") if name in decided}
    if len(marks) == 1:
        mark = marks.pop()
        return NumberStyle(mark, "," if mark == "." else ".", style.is_decorated, style.has_null_words)
    raise InputError(
        f"{column} has two readings: '{cell}' is {cell.replace(',', '.')} with a decimal mark, or "
        f"{cell.replace(',', '').replace('.', '')} with a mark between thousands; no other cell decides",
        where=where,
        next=f'Say which mark is the decimal one in the config: [read.{table}] decimal = "." or decimal = ",".',
    )


def time_styles(loaded: Loaded, log: Log, *, is_thorough: bool) -> dict[str, TimeStyle]:
    """The style of each column of times that is not plain; raises InputError where day and month can be swapped."""
    styles = {}
    for column in apart_from_attributes(loaded, log, TIMES):
        kind = loaded.types.get(column, "DATE")
        if kind.startswith(("TIMESTAMP", "DATE")):
            continue
        style = time_style_of(loaded, column, formats_given(log, loaded.table), is_thorough=is_thorough)
        if not style.is_plain:
            styles[column] = style
    return styles


def formats_given(log: Log, table: str) -> tuple[str, ...]:
    """The formats of times that the user set for a table."""
    given = log.options(table).time_format or log.time_format or ()
    return (given,) if isinstance(given, str) else tuple(given)


def time_style_of(loaded: Loaded, column: str, given: tuple[str, ...], *, is_thorough: bool) -> TimeStyle:
    """The style of a column of times, of the given formats if there are any; plain where it cannot be told.

    Raises InputError where day and month can be swapped.
    """
    cells = [cell for cell in loaded.cells(column, most=HEAD) if cell != ""]
    is_iso = loaded.is_text(column) and all(map(time_style.is_iso, cells))
    if is_iso and not is_thorough:
        return TimeStyle()
    evidence = time_evidence(cells)
    if given:
        style = TimeStyle(given, evidence.has_zone, has_words=False)
        if evidence.has_words and _share_read(loaded, column, style) < 0.5:
            style = TimeStyle(given, evidence.has_zone, has_words=True)
        if is_iso or _share_read(loaded, column, style) >= 0.5 or evidence.unread * 2 > len(cells):
            return TimeStyle() if is_iso and _share_read(loaded, column, style) < 0.5 else style
    cells += loaded.anywhere(column)
    if is_iso:
        cells += loaded.cells(column, f"not regexp_full_match(cell, {quoted(ISO_SQL)})", most=ODD, is_distinct=True)
        if all(cell == "" or time_style.is_iso(cell) for cell in cells):
            return TimeStyle()
    evidence = time_evidence(cells)
    style = evidence.style()
    odd = f"not {is_null_word_sql('cell')} and {time_sql('cell', style, timezone='UTC')} is null"
    if not evidence.is_decided:
        odd += f" or regexp_matches(cell, {quoted(SURE_DAYS)})"
    if style.formats:
        cells += loaded.cells(column, odd, most=ODD, is_distinct=True)
        evidence = time_evidence(cells)
        style = evidence.style()
    if not evidence.is_decided:
        swapped = evidence.style(day_first=False).formats[0]
        raise InputError(
            f"{column} has two readings: '{evidence.unsure}' has the day or the month first; no other cell decides",
            where=loaded.where,
            next=f'Say which in the config: [time] format = "{evidence.style(day_first=True).formats[0]}" '
            f'or format = "{swapped}".',
        )
    return style if style.formats else TimeStyle()


def _share_read(loaded: Loaded, column: str, style: TimeStyle) -> float:
    """The share of the first cells that a style reads."""
    name = identifier(column)
    read = time_sql("cell", style, timezone="UTC")
    share = loaded.db.sql(
        f"select avg(({read} is not null)::int) from "
        f"(select {name}::text as cell from loaded_{loaded.table} where {name} is not null limit {HEAD})"
    ).fetchall()[0][0]
    return share or 0.0
