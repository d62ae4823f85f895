"""The look of every printed table, and the cells that several screens share."""

import sys
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(highlight=False, width=None if sys.stdout.isatty() else 100)


def table_of(*headings: str) -> Table:
    """An empty table: names to the left, numbers to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold", title_style="", title_justify="left")
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="left" if place == 0 else "right", overflow="fold")
    return table


def show_pairs(content: dict[str, Any]) -> None:
    """Print names and values, one pair a line."""
    table = table_of("", "")
    for name, value in content.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        number = f"{shown:,.2f}" if isinstance(shown, float) else f"{shown:,}" if isinstance(shown, int) else str(shown)
        table.add_row(name.replace("_", " "), number)
    console.print(table)


def percent(share: float | None) -> str:
    """A share as a percentage; a dash where there is none."""
    return "–" if share is None else f"{share:.1%}"


def with_interval(content: dict[str, Any], name: str, form: str = ".2f") -> str:
    """An amount of a plan with its 80 % interval."""
    return f"{content[name]:,{form}} ({content['profit_p10']:,{form}} to {content['profit_p90']:,{form}}, 80 %)"
