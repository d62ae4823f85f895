"""The screen of `init`: the platform, and three orders as they are read."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from pipelines.screens.tables import console, table_of

if TYPE_CHECKING:
    from pipelines.init import FirstConfig


def show_first_config(config: "FirstConfig", output: Path) -> None:
    """Print what was recognised, three example rows, and what comes next."""
    if config.platform:
        console.print(f"The header is that of {config.platform}.")
    if config.examples:
        table = table_of(*config.examples[0])
        for row in config.examples:
            table.add_row(*map(escape, row.values()))
        console.print("The first orders, as they are read:")
        console.print(table)
    console.print(
        f"Wrote {escape(str(output))}. Review the lines marked GUESS and ASSUMED, then run: "
        f"stayworth check -c {escape(str(output))}"
    )
