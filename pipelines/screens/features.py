"""The screen of `features --list`."""

from typing import Any

from pipelines.screens.tables import console, table_of


def show_features(content: list[dict[str, Any]]) -> None:
    """Print the catalogue of features, one a line."""
    table = table_of("feature", "unit", "meaning", "needs")
    for feature in content:
        table.add_row(feature["name"], feature["unit"], feature["meaning"], feature["needs"])
    for column in table.columns:
        column.justify = "left"
    console.print(table)
