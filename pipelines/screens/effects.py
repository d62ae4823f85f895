"""The screen of `effects`."""

from typing import Any

from rich.markup import escape

from pipelines.screens.tables import console, table_of


def show_effects(content: dict[str, Any]) -> None:
    """Print what was learned of each offer, in numbers and in words."""
    table = table_of("offer", "customers", "treated", "stayed more, all customers")
    for offer, effect in content["offers"].items():
        if "customers" in effect:
            average = effect["everybody"]
            interval = f"{average['value']:+.1%} ({average['low']:+.1%} to {average['high']:+.1%}, 95 %)"
            table.add_row(offer, f"{effect['customers']:,}", f"{effect['treated']:,}", interval)
    console.print(table)
    for offer, effect in content["offers"].items():
        console.print(f"[bold]{escape(offer)}[/]: {escape(effect['in_words'])}.")
    console.print(f"Written to {content['written']}. Next: stayworth plan --budget M")
