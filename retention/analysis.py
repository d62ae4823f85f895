"""One analysis of the customer base, ready to be shown: a table, a picture, a sentence, and where the idea is from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from retention.theme import Figure

Form = Literal["text", "count", "number", "money", "percent", "days"]
"""How a column reads: 1,234 · 1.23 · 1,234 GBP · 12.3 % (of a share 0 to 1) · 12.3 days."""


class Column(NamedTuple):
    """How a column of a table is shown."""

    heading: str
    form: Form


@dataclass(frozen=True)
class Analysis:
    """What a customer base shows under one question. All text is plain: whoever shows it escapes it."""

    title: str
    definition: str
    """What is computed, in one or two sentences for a stranger."""
    source: str
    """Who defined it: author, year, title."""
    table: pd.DataFrame
    """A row per group; no customer's id."""
    columns: Mapping[str, Column]
    """The table's columns that are shown, in order."""
    reading: str
    """One sentence with its figures, for those who decide."""
    figure: Figure | None
    missing: str = ""
    """What more data would show, and how to supply it; an analysis that can say nothing has only this."""


def lacking(title: str, *, definition: str, source: str, missing: str) -> Analysis:
    """An analysis that the data at hand cannot give. missing: what is not there, and how to supply it."""
    return Analysis(title, definition, source, pd.DataFrame(), {}, "", None, missing)
