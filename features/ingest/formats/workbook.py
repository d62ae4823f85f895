"""Excel and OpenDocument workbooks, read through calamine: the cells of one or more sheets as a table of text.

Cells come as a program would write them: times as ISO, whole numbers without a point, empty cells as nothing.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from features.errors import InputError, nearest
from features.ingest.read_options import ReadOptions


class Sheet(NamedTuple):
    """A sheet that holds a table."""

    name: str
    rows: pa.Table


def read_sheets(file: Path, options: ReadOptions, *, label: str) -> tuple[list[Sheet], list[str]]:
    """The sheets that are read, and the names of others that hold a table with the same columns.

    options.sheet: their names; None: the first sheet that holds a table; `*`: all that have its columns.
    """
    book = _open(file, label)
    names = list(book.sheet_names)
    wanted = [options.sheet] if isinstance(options.sheet, str) else list(options.sheet or ())
    wanted = [name for name in wanted if name != "*"]
    if missing := [name for name in wanted if name not in names]:
        hint = nearest(missing[0], names) or "there are " + ", ".join(names)
        raise InputError(f"has no sheet '{missing[0]}'", where=label, next=f"Set sheet in [read]; {hint}.")
    sheets = [
        Sheet(name, rows)
        for name in wanted or names
        if (rows := table_of_rows(book.get_sheet_by_name(name).to_python(skip_empty_area=True), options.header_line))
    ]
    if not sheets:
        raise InputError("has no sheet with a table", where=label, next="Give names to its columns in one line.")
    if wanted:
        return sheets, []
    alike = [sheet for sheet in sheets if sheet.rows.column_names == sheets[0].rows.column_names]
    if options.sheet == "*":
        return alike, []
    return sheets[:1], [sheet.name for sheet in alike[1:]]


def _open(file: Path, label: str) -> Any:
    try:
        import python_calamine
    except ModuleNotFoundError:
        raise InputError(
            "the reader of workbooks is not installed", where=label, next="Install it: pip install python-calamine"
        ) from None
    try:
        return python_calamine.CalamineWorkbook.from_path(str(file))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise InputError(
            f"cannot be read as a workbook: {error}",
            where=label,
            next="Is it whole, and without a password? Save it again.",
        ) from None


def table_of_rows(rows: Sequence[Sequence[Any]], header_line: int | None) -> pa.Table | None:
    """The table in the cells of a sheet, as text; None if there is none.

    Its header is the first line whose cells are names and which is as wide as the table; empty columns are left out.
    """
    width = max((sum(cell not in ("", None) for cell in row) for row in rows), default=0)
    if width < 2:
        return None
    if header_line:
        head = header_line - 1
    else:
        head = next((place for place, row in enumerate(rows) if _is_header(row, width)), 0)
    if head >= len(rows):
        return None
    names = [str(cell).strip() for cell in rows[head]]
    columns = {
        name: pa.array([text_of_cell(row[place]) for row in rows[head + 1 :]], pa.string())
        for place, name in enumerate(names)
        if name
    }
    body = pa.table(columns)
    return body if body.num_rows and body.num_columns > 1 else None


def _is_header(row: Sequence[Any], width: int) -> bool:
    """True for a line of names that spans at least two thirds of the table."""
    names = [cell for cell in row if cell not in ("", None)]
    return len(names) * 3 >= width * 2 and all(isinstance(cell, str) for cell in names)


def text_of_cell(cell: Any) -> str | None:
    """A cell as a program would write it.

    >>> text_of_cell(1825.0), text_of_cell(datetime(2024, 6, 25, 17, 50)), text_of_cell("")
    ('1825', '2024-06-25 17:50:00', None)
    """
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime):
        return _rounded(cell).isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _rounded(moment: datetime) -> datetime:
    """To the second: a day's fraction in a double knows no more than some microseconds."""
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0) if moment.microsecond else moment
