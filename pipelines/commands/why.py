"""The command that says why a customer's score changed. The clock comes with the context."""

from typing import Annotated

import typer

from features.errors import InputError
from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, printed, progress


def why(
    context: typer.Context,
    customer_id: Annotated[str | None, typer.Argument(help="Whose score; the id as the log has it.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Scores as of this day; default those before --to.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="And as of this later one; default the latest.")
    ] = None,
    batches: Annotated[bool, typer.Option("--list", help="List the batches of scores kept and stop.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Split the change of a customer's score into corrected data, passing time, new orders and a new model.

    Every `stayworth score` keeps its batch, so any two days can be compared. The parts sum to the change.

    Example: stayworth why 00123 --from 2011-09-01 --to 2011-12-01
    """
    from features.clock import parse_day
    from pipelines import why as change
    from pipelines.config import load
    from pipelines.screens import why as change_screen

    settings = load(config)
    if batches:
        return printed(change.batches(settings), as_json, change_screen.show_batches)
    if customer_id is None:
        raise InputError("names nobody", where="CUSTOMER_ID", next="Example: stayworth why 00123; or add --list.")
    days = {"first": parse_day(first) if first else None, "last": parse_day(last) if last else None}
    with progress(as_json) as say:
        content = change.why(settings, customer_id, now=context.obj(), say=say, **days)
    return printed(content, as_json, change_screen.show_change)
