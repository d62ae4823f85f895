"""Text that a spreadsheet shows as text, never runs as a formula (CWE-1236)."""

import re
from typing import Any

import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n\0]")
"""The beginning of a cell that a spreadsheet takes for a formula, behind any apostrophes of the shop's own."""


def spreadsheet_safe(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with an apostrophe before every text cell that begins with = + - @ (also full-width), a tab,
    a line break or a null character.

    Only text is touched: a number may be negative. Nothing is lost: a cell that begins with apostrophes and such a
    sign had one apostrophe less.

    >>> spreadsheet_safe(pd.DataFrame({"customer_id": ["=1+1", "0042"]}))["customer_id"].tolist()
    ["'=1+1", '0042']
    """

    def safe(cell: Any) -> Any:
        return "'" + cell if isinstance(cell, str) and _FORMULA.match(cell) else cell

    text = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name].dtype)]
    return frame.assign(**{name: frame[name].map(safe) for name in text})
