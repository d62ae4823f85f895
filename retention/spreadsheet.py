"""Text that a spreadsheet shows as text, never runs as a formula (CWE-1236)."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

# A spreadsheet takes a cell for a formula if it begins with one of these. Apostrophes before it are ours or
# the shop's own: one more is added either way, so that taking one off gives back what was there.
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n\0]")
_ESCAPED = re.compile(r"'+[=+\-@＝＋－＠\t\r\n\0]")


def spreadsheet_safe(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an apostrophe before every text cell that begins with = + - @ (also full-width), a tab,
    a line break or a null character.

    Only text is touched: a number may be negative. `spreadsheet_undone` is the exact inverse.

    >>> spreadsheet_safe(pd.DataFrame({"customer_id": ["=1+1", "0042"]}))["customer_id"].tolist()
    ["'=1+1", '0042']
    """
    return _each_text(frame, lambda cell: "'" + cell if _FORMULA.match(cell) else cell)


def spreadsheet_undone(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame that `spreadsheet_safe` was given, from what it returned."""
    return _each_text(frame, lambda cell: cell[1:] if _ESCAPED.match(cell) else cell)


def _each_text(frame: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    def changed(cell: Any) -> Any:
        return change(cell) if isinstance(cell, str) else cell

    text = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
    return frame.assign(**{name: frame[name].map(changed) for name in text})
