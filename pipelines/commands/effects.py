"""The command that learns what contacts change from randomised treatments. The clock comes with the context."""

from typing import Any

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, printed, progress


def effects(context: typer.Context, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Learn from the treatments whom each offer moves, and keep it for the next plan where it is proven to help.

    Run it when the horizon of a campaign with a holdout is over; the config names the table of treatments. Exit code 1
    where there is too little to learn from, with how many more customers it takes.

    Example: stayworth effects
    """
    from pipelines.config import load
    from pipelines.effects import learn_effects

    with progress(as_json) as say:
        result = learn_effects(load(config), now=context.obj(), say=say)
    printed(result, as_json, show_effects)


def show_effects(content: dict[str, Any]) -> None:
    """What was found of each offer, in words."""
    from rich.markup import escape

    from pipelines.screens.tables import console, table_of

    table = table_of("offer", "customers", "treated", "stayed more, all of them")
    for offer, one in content["offers"].items():
        if "customers" in one:
            all_ = one["everybody"]
            interval = f"{all_['value']:+.1%} ({all_['low']:+.1%} to {all_['high']:+.1%}, 95 %)"
            table.add_row(offer, f"{one['customers']:,}", f"{one['treated']:,}", interval)
    console.print(table)
    for offer, one in content["offers"].items():
        console.print(f"[bold]{escape(offer)}[/]: {escape(one['in_words'])}.")
    console.print(f"Written to {content['written']}. Next: stayworth plan --budget M")
