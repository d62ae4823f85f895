"""Bring a loaded table into one plain form: `raw_<table>`, whose cells all later steps read in one way.

Plain tables, as programs write them, are not touched. Else numbers become plain text and times moments, and
`<column>_as_written` keeps the cell; it is null where the cell says that there is no value. Rows that the user leaves
out have the column `fault`, their reason.
"""

from dataclasses import replace
from typing import NamedTuple

from features.errors import InputError
from features.ingest.csv_checks import identifier
from features.ingest.log import Log
from features.ingest.notation import amounts
from features.ingest.notation.amounts import KEPT
from features.ingest.notation.attribute_styles import attribute_sql, attribute_styles
from features.ingest.notation.column_styles import column_styles
from features.ingest.notation.loaded_table import Loaded
from features.ingest.notation.number_style import is_null_word_sql, number_sql
from features.ingest.notation.styles import Styles
from features.ingest.notation.time_sql import naive_sql, time_sql
from features.ingest.notation.time_style import TimeStyle

Types = dict[str, str]
"""The DuckDB type of each column."""


class Settled(NamedTuple):
    """What came of bringing a table into its plain form."""

    types: Types
    is_thorough: bool
    """True if all cells were looked at to find how they are written."""
    styles: Styles
    """How its columns are written."""


def settle(loaded: Loaded, log: Log, *, is_thorough: bool) -> Settled:
    """Make `raw_<table>` of `loaded_<table>`.

    is_thorough: look at all cells even where the first ones are plain. Raises InputError where the cells have two
    readings and nothing decides, and where times carry no zone and the log names none.
    """
    if loaded.table in log.styles:
        styles, is_thorough = log.styles[loaded.table], True
    else:
        styles = table_styles(loaded, log, is_thorough=is_thorough)
    loaded.attributes.update({name: style.kind for name, style in styles.attributes.items()})
    options = log.options(loaded.table)
    if styles.is_plain and options.is_plain and KEPT not in loaded.types:
        loaded.db.execute(f"create or replace temp view raw_{loaded.table} as from loaded_{loaded.table}")
        return Settled(dict(loaded.types), is_thorough, styles)
    _refuse_unzoned(loaded, styles.times, log)
    selected = _selected(loaded, styles, log)
    query = f"select {', '.join(selected)} from loaded_{loaded.table}"
    query = amounts.applied(query, loaded.types, log, loaded.table, is_written="amount" in styles.numbers)
    has_window = options.amount_of == "order" or options.repeated_lines == "drop"
    kind = "view" if loaded.is_view and not has_window else "table"
    loaded.db.execute(f"create or replace temp {kind} raw_{loaded.table} as {query}")
    described = loaded.db.sql(f"describe select * exclude (file, row) from raw_{loaded.table}").fetchall()
    return Settled({row[0]: row[1] for row in described}, True, styles)


def table_styles(loaded: Loaded, log: Log, *, is_thorough: bool) -> Styles:
    """How the columns of a table are written, and what its attributes hold; see `settle`."""
    return replace(column_styles(loaded, log, is_thorough=is_thorough), attributes=attribute_styles(loaded, log))


def _selected(loaded: Loaded, styles: Styles, log: Log) -> list[str]:
    """SQL: every column of the loaded table in its plain form, and as written where that differs."""
    selected = ["file", "row"]
    for name, kind in loaded.types.items():
        column = identifier(name)
        text = column if kind == "VARCHAR" else f"{column}::text"
        plain = styles.ids.get(name)
        if name in styles.attributes and name != "customer_id":
            plain = attribute_sql(loaded, name, styles.attributes[name], timezone=log.timezone)
        elif name in styles.numbers:
            plain = number_sql(text, styles.numbers[name])
        elif name in styles.times:
            plain = time_sql(text, styles.times[name], timezone=log.timezone)
        if plain is None:
            selected.append(column)
            continue
        selected.append(f"{plain} as {column}")
        selected.append(f"if({is_null_word_sql(text)}, null, {text}) as {identifier(written_name(name))}")
    return selected


def written_name(column: str) -> str:
    """The name of the column that keeps a cell as it was written."""
    return f"{column}_as_written"


def _refuse_unzoned(loaded: Loaded, times: dict[str, TimeStyle], log: Log) -> None:
    """Raise InputError where times of a style have no zone and the log names none."""
    if log.timezone:
        return
    for name, style in times.items():
        text = f"{identifier(name)}::text"
        rows = loaded.db.sql(
            f"select count(*) from loaded_{loaded.table} "
            f"where {identifier(name)} is not null and not {is_null_word_sql(text)} and {naive_sql(text, style)}"
        ).fetchall()[0][0]
        if rows:
            raise no_zone(rows, name, where=loaded.where)


def no_zone(rows: int, column: str, *, where: str) -> InputError:
    """The error for times that carry no zone, in a log that names none."""
    return InputError(
        f"{rows:,} times in {column} carry no zone" if rows > 1 else f"1 time in {column} carries no zone",
        where=where,
        next="Set time.timezone in the config to the zone they were written in, e.g. 'UTC'.",
    )
