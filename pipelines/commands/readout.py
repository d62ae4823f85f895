"""The options of `stayworth readout`."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import (
    DEFAULT_CONFIG,
    ConfigFile,
    Fresh,
    Json,
    Memory,
    parse_memory,
    print_result,
    progress,
)


def readout(
    context: typer.Context,
    campaign: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the campaign; default: the latest.")
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="First day after the window; default: one horizon after the plan."),
    ] = None,
    day: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Day the campaign began, if not that of its scores or first contact."),
    ] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="The plan, if it is not the one that was kept.")] = (
        None
    ),
    scores: Annotated[Path | None, typer.Option(metavar="FILE", help="The scores that the plan was made with.")] = None,
    fresh: Fresh = False,
    memory: Memory = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Measure what a campaign earned, treated against holdout, and learn the save rate for the next plan.

    A campaign that was not planned here is read out of the table of treatments, by the name it has there.

    Exit code 1 if the data cannot tell: there is no holdout, the window has not closed, or the list was not kept to.

    Example: stayworth readout --campaign "campaign 2011-12-01"
    """
    from features.clock import parse_day
    from pipelines.campaigns.treatments import treatments_if_any
    from pipelines.config import load
    from pipelines.readout import read_out
    from pipelines.screens.readout import show_readout

    settings = load(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory))
    began, ended = parse_day(day) if day else None, parse_day(until) if until else None
    with progress(as_json) as say:
        say("reading the treatments")
        result = read_out(
            settings,
            campaign_name=campaign,
            plan_file=plan,
            scores_file=scores,
            contacts=treatments_if_any(settings, now=context.obj()),
            now=context.obj(),
            say=say,
            day=began,
            until=ended,
        )
    print_result(result, as_json, show_readout)
