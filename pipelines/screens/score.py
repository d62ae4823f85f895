"""The screen of `score`."""

from typing import Any

from rich.markup import escape

from pipelines.screens.tables import console, show_pairs


def show_scores(content: dict[str, Any]) -> None:
    """Print the totals of a batch of scores, and what became of the attributes of customers."""
    show_pairs({name: value for name, value in content.items() if name not in ("unseen_names", "attributes")})
    for note in content["attributes"]:
        console.print(f"Attributes: {escape(note.rstrip('.'))}.")
