"""The options of `stayworth why`."""

from typing import Annotated

import typer

from features.errors import InputError
from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, print_result, progress


def why(
    context: typer.Context,
    customer_id: Annotated[str | None, typer.Argument(help="Id of the customer, as in the log.")] = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="Day of the earlier scores; default: those before --to.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Day of the later scores; default: the latest.")
    ] = None,
    batches: Annotated[bool, typer.Option("--list", help="List the kept batches of scores and stop.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Split the change of a customer's score into corrected data, passing time, new orders and a new model.

    Every `stayworth score` keeps its batch, so any two days can be compared. The parts sum to the change.

    Example: stayworth why 00123 --from 2011-09-01 --to 2011-12-01
    """
    from features.clock import parse_day
    from pipelines import why as score_change
    from pipelines.config import load
    from pipelines.screens.why import show_batches, show_change

    settings = load(config)
    if batches:
        return print_result(score_change.list_batches(settings), as_json, show_batches)
    if customer_id is None:
        raise InputError("is missing", where="CUSTOMER_ID", next="Example: stayworth why 00123; or add --list.")
    earlier, later = parse_day(first) if first else None, parse_day(last) if last else None
    with progress(as_json) as say:
        content = score_change.why(settings, customer_id, now=context.obj(), say=say, first=earlier, last=later)
    return print_result(content, as_json, show_change)
