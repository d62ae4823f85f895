"""One analysis of the customer base, ready to be shown: a table, a picture, a sentence, and where the idea is from."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pandas as pd
from jinja2 import Template
from markupsafe import Markup

from retention.presentation import formatting
from retention.presentation.templates import templates
from retention.presentation.theme import Figure

Form = Literal["text", "count", "number", "money", "percent", "days"]
"""The format of a column: 1,234 · 1.23 · 1,234 GBP · 12.3 % (of a share 0 to 1) · 12.3 days."""

FORMS = {"count": ",.0f", "number": ",.2f", "percent": ".1%", "days": ",.1f"}
FOLDED_ROWS = 12
"""A table with more rows is folded."""


class TableColumn(NamedTuple):
    """Heading and format of a table's column."""

    heading: str
    form: Form


@dataclass(frozen=True)
class Analysis:
    """The answer of a customer base to one question. All text is plain: a page that shows it escapes it."""

    title: str
    definition: str
    """The computation, in one or two sentences for a stranger."""
    source: str
    """The source of the definition: author, year, title."""
    table: pd.DataFrame
    """A row per group; no customer's id."""
    columns: Mapping[str, TableColumn]
    """The table's columns that are shown, in order."""
    reading: str
    """One sentence with its figures, for those who decide."""
    figure: Figure | None
    missing: str = ""
    """What further data would show, and how to supply it; an unavailable analysis has only this."""

    def _ipython_display_(self) -> None:
        """Show the analysis in a notebook."""
        from IPython.display import HTML, display

        display(HTML(as_html(self)))
        if self.figure is not None:
            display(self.figure)


def unavailable_analysis(title: str, *, definition: str, source: str, missing: str) -> Analysis:
    """An analysis that the data do not allow. missing: the data it takes, and how to supply them."""
    return Analysis(title, definition, source, pd.DataFrame(), {}, "", None, missing)


def as_html(analysis: Analysis, *, name: str = "", figure: str = "", currency: str = "") -> Markup:
    """Render an analysis as an element of a page: title, reading, chart, table and definition; all text is escaped.

    name: of the element, to link to; figure: the chart as HTML; currency: named in the headings of money.
    """
    rows = [
        [(format_cell(row[key], column.form), column) for key, column in analysis.columns.items()]
        for row in analysis.table.to_dict("records")
    ]
    return Markup(
        _template().render(
            one=analysis,
            name=name,
            figure=Markup(figure),
            currency=currency,
            rows=rows,
            is_long=len(rows) > FOLDED_ROWS,
        )
    )


def format_cell(value: Any, form: Form) -> str:
    """A cell of a table; a dash where there is nothing.

    >>> [format_cell(0.0312, "percent"), format_cell(-1234.5, "money"), format_cell(None, "count")]
    ['3.1%', '−1,234', '–']
    >>> format_cell(12.5, "money")
    '12.50'
    """
    if value is None or value != value:
        return "–"
    if form == "text":
        return str(value)
    return formatting.money(value, "") if form == "money" else formatting.figure(value, FORMS[form])


@cache
def _template() -> Template:
    return templates(Path(__file__).parent).get_template("analysis.html.j2")
