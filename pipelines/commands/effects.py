"""The options of `stayworth effects`."""

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, print_result, progress


def effects(context: typer.Context, config: ConfigFile = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Learn from past treatments which customers each offer moves; plans use it where it is proven to help.

    Run it when the horizon of a campaign with a holdout is over; the config names the table of treatments.

    Exit code 1 if there is too little to learn from; the message says how many more customers are needed.

    Example: stayworth effects
    """
    from pipelines.config import load
    from pipelines.effects import learn_effects
    from pipelines.screens.effects import show_effects

    with progress(as_json) as say:
        result = learn_effects(load(config), now=context.obj(), say=say)
    print_result(result, as_json, show_effects)
