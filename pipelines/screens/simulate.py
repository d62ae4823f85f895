"""The screen of `simulate`."""

from typing import Any

from pipelines.screens.tables import show_pairs


def show_simulation(content: dict[str, Any]) -> None:
    """Print the counts of a simulated shop, those by offer left out."""
    show_pairs({name: value for name, value in content.items() if name != "by_offer"})
