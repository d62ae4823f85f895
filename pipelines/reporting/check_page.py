"""The page of `check --html`: what looks wrong with the export, orders and revenue by week, every row accounted for."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from retention.presentation import charts, theme
from retention.presentation.templates import templates
from retention.presentation.theme import Figure


def weekly_figures(weeks: Sequence[Mapping[str, Any]], *, currency: str) -> dict[str, Figure]:
    """The pictures of orders and of revenue by week."""
    mondays = [row["week"] for row in weeks]
    return {
        "orders-by-week": charts.lines(
            mondays,
            {"orders": [row["orders"] for row in weeks]},
            x_title="week",
            y_title="orders a week",
            form=charts.COUNT,
        ),
        "revenue-by-week": charts.lines(
            mondays,
            {"revenue": [row["revenue"] for row in weeks]},
            x_title="week",
            y_title=f"revenue a week, {currency}",
            form=charts.MONEY,
        ),
    }


def check_page(content: Mapping[str, Any], *, written_on: str) -> str:
    """The result of `check` as one page that opens offline; all text is escaped."""
    figures = theme.to_html(weekly_figures(content["weeks"], currency=content["currency"]))
    tables = {
        name: [row | {"amount": float(row["amount"])} for row in content[key]]
        for name, key in (
            ("Orders", "reconciliation"),
            ("Interactions", "interactions"),
            ("Customers", "customer_rows"),
            ("Treatments", "treatments"),
            ("Costs", "costs"),
        )
        if content[key]
    }
    return (
        templates(Path(__file__).parent)
        .get_template("check_page.html.j2")
        .render(
            content=content,
            tables=tables,
            figures={name: Markup(fragment) for name, fragment in figures.items()},
            written_on=written_on,
            plotly=Markup(theme.script()),
            draws=Markup(theme.DRAW_SCRIPT),
        )
    )
