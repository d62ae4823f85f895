"""The commands about campaigns: plan one, and read out what it earned. The clock comes with the context."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, printed, progress


def plan(
    budget: Annotated[float, typer.Option(help="What the campaign may cost, in currency units.")],
    capacity: Annotated[int | None, typer.Option(min=1, help="How many can be contacted at most.")] = None,
    offer: Annotated[
        list[str] | None, typer.Option(help="An offer of the config; repeat for more; default all.")
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Its name; default the day of the scores. It decides the holdout."),
    ] = None,
    output: Annotated[
        list[Path] | None, typer.Option("-o", "--output", help="Parquet or CSV file to write; repeat for both.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Choose whom to contact with which offer under a budget, with a random holdout, and say what it is to earn.

    Example: stayworth plan --budget 1000 --offer voucher --offer call -o plan.csv
    """
    from pipelines import run_folder
    from pipelines.campaigns.campaign import plan_of
    from pipelines.config import load
    from pipelines.plan import make_plan
    from pipelines.screens import tables

    settings = load(config)
    names, outputs = offer or [], output or []
    before = set((settings.folder / run_folder.PLANS).glob("*.parquet"))
    made = make_plan(settings, budget=budget, capacity=capacity, offer_names=names, campaign=campaign, outputs=outputs)
    kept = plan_of(settings.folder, made.summary["campaign"])
    told = {"written": [str(file) for file in (kept, *outputs)], "replaced": kept in before}
    printed(made.summary | told | {"currency": settings.money.currency}, as_json, tables.show_plan)


def readout(
    context: typer.Context,
    campaign: Annotated[str | None, typer.Option(metavar="NAME", help="Which one; default the latest.")] = None,
    until: Annotated[
        str | None, typer.Option(metavar="DAY", help="First day after the window; default a horizon after the plan.")
    ] = None,
    day: Annotated[
        str | None, typer.Option(metavar="DAY", help="When it began, if not on the day of its scores.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(metavar="FILE", help="The plan, if it is not the one that was kept.")] = (
        None
    ),
    scores: Annotated[Path | None, typer.Option(metavar="FILE", help="The scores the plan was made with.")] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Measure what a campaign earned, treated against holdout, and learn the save rate for the next plan.

    Exit code 1 where the data cannot say: no holdout, a window that has not closed, a list that was not kept to.

    Example: stayworth readout --campaign "campaign 2011-12-01"
    """
    from features.clock import parse_day
    from pipelines.campaigns.treatments import treatments_if_any
    from pipelines.config import load
    from pipelines.readout import read_out
    from pipelines.screens.readout import show_readout

    settings = load(config)
    days: dict[str, Any] = {"day": parse_day(day) if day else None, "until": parse_day(until) if until else None}
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
            **days,
        )
    printed(result, as_json, show_readout)
