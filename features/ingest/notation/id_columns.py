"""Ids and names whose cells are not taken as they are: floats, spreadsheets' marks, capitals, words for nothing."""

import re

from features.ingest.csv_checks import identifier, quoted
from features.ingest.log import Log
from features.ingest.notation import number_style
from features.ingest.notation.loaded_table import HEAD, Loaded, apart_from_attributes
from features.ingest.notation.number_style import is_null_word_sql

IDS = ("customer_id", "order_id", "product_id")
WORDS = ("order_id", "product_id", "category", "channel", "left_reason", "campaign", "offer", "kind")
"""Optional columns of text in which n/a and the like mean nothing."""
AS_LOWER = "lower(trim({}))"
"""SQL of an id without capitals and outer blanks: `ids = "lower"`."""
AS_NUMBER = "regexp_replace(regexp_replace(lower(trim({})), '\\.0+$', ''), '^0+(\\d)', '\\1')"
"""SQL of an id without leading zeros and `.0` either: `ids = "number"`."""
WITH_POINT = "ids_with_point"
"""The note that names columns of ids whose cells were whole numbers with a point, such as 13085.0."""
WITH_MARKS = "ids_with_marks"
"""The note that names columns of ids, around every one of which stands what is no part of it."""
THOUSANDS_OF_IDS = r"\d{1,3}(?:,\d{3})*"
FIRST_GROUP = "regexp_extract({column}, {pattern}, 1)"
MARKS_OF_IDS = (
    (r'="(.*)"', FIRST_GROUP),
    (r"'(.*)", FIRST_GROUP),
    (THOUSANDS_OF_IDS, "replace({column}, ',', '')"),
)
"""What a spreadsheet or a report writes around ids, and SQL without it."""


def id_sql(loaded: Loaded, log: Log) -> dict[str, str]:
    """SQL of the columns of ids and names whose cells are not taken as they are."""
    changed = {}
    for column in apart_from_attributes(loaded, log, dict.fromkeys(IDS + WORDS)):
        if not loaded.is_text(column):
            continue
        name = identifier(column)
        cells = loaded.cells(column, most=HEAD)
        text = name
        given = [cell for cell in cells if not number_style.is_null_word(cell)]
        if column in IDS and given and all(map(_is_float, given)) and _all_floats(loaded, column):
            text = f"regexp_replace({text}, '\\.0+$', '')"
            loaded.notes[WITH_POINT] = ", ".join(filter(None, [loaded.notes.get(WITH_POINT), column]))
        elif column in IDS and (plain := _without_marks(loaded, column, given)):
            text = plain
            loaded.notes[WITH_MARKS] = ", ".join(filter(None, [loaded.notes.get(WITH_MARKS), column]))
        ids = log.options(loaded.table).ids
        if column == "customer_id" and ids != "exact":
            text = (AS_LOWER if ids == "lower" else AS_NUMBER).format(text)
        if _has_null_words(loaded, column, cells):
            text = f"if({is_null_word_sql(name)}, null, {text})"
        if text != name:
            changed[column] = text
    return changed


def _without_marks(loaded: Loaded, column: str, given: list[str]) -> str | None:
    """SQL: ids without what stands around every one of them, or between their thousands; None if nothing does."""
    for pattern, plain in MARKS_OF_IDS:
        if not given or not all(re.fullmatch(pattern, cell) for cell in given):
            continue
        if pattern == THOUSANDS_OF_IDS and not any("," in cell for cell in given):
            continue
        other = f"cell != '' and not {is_null_word_sql('cell')} and not regexp_full_match(cell, {quoted(pattern)})"
        if not loaded.cells(column, other, most=1):
            return plain.format(column=identifier(column), pattern=quoted(f"^{pattern}$"))
    return None


def _is_float(cell: str) -> bool:
    whole, point, zeros = cell.partition(".")
    return whole.isdigit() and point == "." and zeros.strip("0") == "" and zeros != ""


def _all_floats(loaded: Loaded, column: str) -> bool:
    """True if every id of the table is a whole number written as 13085.0, as a spreadsheet or pandas leaves it."""
    other = f"cell != '' and not {is_null_word_sql('cell')} and not regexp_full_match(cell, '\\d+\\.0+')"
    return not loaded.cells(column, other, most=1)


def _has_null_words(loaded: Loaded, column: str, cells: list[str]) -> bool:
    """True if cells say that there is no value. Customers called Null or Nan may be real where ids are words."""
    if column != "customer_id":
        return any(cell != "" and number_style.is_null_word(cell) for cell in cells)
    if not loaded.cells(
        column,
        f"(cell < '0' or cell >= ':') and strlen(cell) <= 6 and cell != '' and {is_null_word_sql('cell')}",
        most=1,
    ):
        return False
    words = f"regexp_full_match(cell, '\\pL+') and not {is_null_word_sql('cell')}"
    return not loaded.cells(column, words, most=1)
