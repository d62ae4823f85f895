"""Columns of a table of any business: what each one holds, read off its cells, and the cells as numbers and names.

number    numbers, yes/no as true and false included
day       dates, as days since 1970-01-01
names     categories
unused    why it is not learned from: constant, without a value, or another value in nearly every row
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from features.arrays import Floats

Kind = Literal["number", "day", "names", "unused"]
BLANKS = frozenset(("", "na", "n/a", "#n/a", "nan", "none", "null", "nil", "-", "?"))
"""Cells that stand for no value, in lower case."""
TRUTHS = {"true": 1.0, "false": 0.0}
MOSTLY = 0.95
"""The least share of a column's values that must be numbers, or dates, for it to be read as such."""
DAY_FORMATS = ("ISO8601", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y")
ID_NAME = re.compile(r"(?:^|[_\W])(?:id|uuid|guid|key|ref|nr|no|number|index)$|(?<=[a-z])(?:ID|Id|Nr|No|Number)$", re.I)
DAY_NS = 86_400_000_000_000
NEARLY_DISTINCT = 0.5
"""Above this share of distinct texts among the rows, a column names the rows."""
FEWEST_DISTINCT = 30


@dataclass(frozen=True)
class ColumnKind:
    """What a column holds."""

    kind: Kind
    form: str = ""
    """How dates are written; why an unused column is not used."""


def describe_columns(rows: pd.DataFrame) -> dict[str, ColumnKind]:
    """What each column of a table holds, in their order."""
    return {str(name): _describe(str(name), rows[name]) for name in rows.columns}


def parse_columns(rows: pd.DataFrame, columns: Mapping[str, ColumnKind]) -> pd.DataFrame:
    """The cells of the used columns: float64 of numbers and days, text of names; what cannot be read is missing."""
    parsed = {
        name: names_of(rows[name]) if column.kind == "names" else _numbers(rows[name], column)
        for name, column in columns.items()
        if column.kind != "unused"
    }
    return pd.DataFrame(parsed, index=rows.index)


def names_of(cells: pd.Series) -> pd.Series:
    """The cells as stripped text; None where a cell stands for no value. True and false are in lower case."""
    text = cells.astype("str").str.strip().astype(object)
    lower = text.str.lower()
    return text.where(~lower.isin(list(TRUTHS)), lower).where(cells.notna() & ~lower.isin(BLANKS), None)


def _describe(name: str, cells: pd.Series) -> ColumnKind:
    if is_datetime64_any_dtype(cells):
        return _unvaried(cells) or ColumnKind("day", "ISO8601")
    if is_bool_dtype(cells) or is_numeric_dtype(cells):
        return _of_numbers(name, cells.astype(float))
    text = names_of(cells)
    if constant := _unvaried(text):
        return constant
    distinct = text.nunique()
    present = text.dropna()
    numbers = _text_numbers(present)
    if numbers.notna().mean() >= MOSTLY:
        return _of_numbers(name, numbers)
    shares = {form: float(_days(present, form).notna().mean()) for form in DAY_FORMATS}
    form = max(shares, key=lambda form: shares[form])
    if shares[form] >= MOSTLY:
        return ColumnKind("day", form)
    if distinct >= FEWEST_DISTINCT and distinct > NEARLY_DISTINCT * len(cells):
        return ColumnKind("unused", f"{distinct:,} different texts in {len(cells):,} rows: it names the rows")
    return ColumnKind("names")


def _of_numbers(name: str, numbers: pd.Series) -> ColumnKind:
    if constant := _unvaried(numbers):
        return constant
    distinct = int(numbers.nunique())
    present = numbers.dropna()
    is_whole = bool((present == np.floor(present)).all())
    if is_whole and distinct == len(numbers) >= FEWEST_DISTINCT and ID_NAME.search(name):
        return ColumnKind("unused", "a different whole number in every row, by its name an id")
    return ColumnKind("number")


def _unvaried(cells: pd.Series) -> ColumnKind | None:
    """Why a column without any variation is not used; None for one that varies, if only by missing cells."""
    if cells.nunique(dropna=False) > 1 and cells.notna().any():
        return None
    return ColumnKind("unused", "the same value in every row" if cells.notna().any() else "no value in any row")


def _numbers(cells: pd.Series, column: ColumnKind) -> pd.Series:
    """Numbers, or days since 1970-01-01, of a column; NaN for what is neither."""
    if column.kind == "day":
        return _days(cells, column.form)
    if is_bool_dtype(cells) or is_numeric_dtype(cells):
        numbers = cells.astype(float)
        return numbers.where(np.isfinite(numbers))
    return _text_numbers(names_of(cells))


def _text_numbers(text: pd.Series) -> pd.Series:
    """Numbers in text, with a point or a comma before the decimals; true is 1 and false 0."""
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    for change in (lambda cells: cells.map(TRUTHS), _with_comma, _with_thousands):
        if (left := numbers.isna() & text.notna()).any():
            numbers = numbers.where(~left, pd.to_numeric(change(text), errors="coerce").astype(float))
    return numbers.where(np.isfinite(numbers))


def _with_comma(text: pd.Series) -> pd.Series:
    return (
        text.where(text.str.fullmatch(r"-?\d+,\d{1,2}|-?\d{1,3}(\.\d{3})+,\d+", na=False))
        .str.replace(".", "", regex=False)
        .str.replace(",", ".", regex=False)
    )


def _with_thousands(text: pd.Series) -> pd.Series:
    return text.where(text.str.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", na=False)).str.replace(",", "", regex=False)


def _days(cells: pd.Series, form: str) -> pd.Series:
    times = pd.to_datetime(cells, format=form, errors="coerce", utc=True)
    days: Floats = times.to_numpy("datetime64[ns]").astype("int64") / DAY_NS
    return pd.Series(np.where(times.isna(), np.nan, days), index=cells.index)
