"""The options of `stayworth plan`."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, parse_holdout, print_result


def plan(
    context: typer.Context,
    budget: Annotated[float, typer.Option(help="What the campaign may cost, in currency units.")],
    capacity: Annotated[int | None, typer.Option(min=1, help="The most customers that can be contacted.")] = None,
    offer: Annotated[
        list[str] | None, typer.Option(help="An offer of the config; may be repeated; default: all of them.")
    ] = None,
    campaign: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Name of the campaign; default: the day of the scores. It decides who is held out."
        ),
    ] = None,
    holdout: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE|auto",
            help="Share of the chosen to hold out, 0 to 0.5; auto: the one whose readout is worth most over a year of "
            "such campaigns; default: the config's.",
        ),
    ] = None,
    output: Annotated[
        list[Path] | None, typer.Option("-o", "--output", help="Parquet or CSV file to write; may be repeated.")
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Choose which customers get which offer within a budget, hold some out at random, and estimate the profit.

    Example: stayworth plan --budget 1000 --offer voucher --offer call -o plan.csv
    """
    from pipelines import run_folder
    from pipelines.campaigns.campaign import kept_plan_file
    from pipelines.labelled.label_config import LabelConfig, load_either
    from pipelines.plan import make_plan
    from pipelines.screens.plan import show_plan

    settings = load_either(config)
    names, outputs = offer or [], output or []
    if isinstance(settings, LabelConfig):
        from pipelines.labelled.score_labelled import plan_labelled

        labelled_plan = plan_labelled(
            settings,
            now=context.obj(),
            budget=budget,
            capacity=capacity,
            offer_names=names,
            campaign=campaign,
            outputs=outputs,
            holdout=parse_holdout(holdout),
        )
        return print_result(labelled_plan.summary | {"currency": settings.money.currency}, as_json, show_plan)
    before = set((settings.folder / run_folder.PLANS).glob("*.parquet"))
    retention_plan = make_plan(
        settings,
        budget=budget,
        capacity=capacity,
        offer_names=names,
        campaign=campaign,
        outputs=outputs,
        holdout=parse_holdout(holdout),
        warn=lambda warning: typer.echo(warning, err=True),
    )
    kept = kept_plan_file(settings.folder, retention_plan.summary["campaign"])
    files = {"written": [str(file) for file in (kept, *outputs)], "replaced": kept in before}
    return print_result(retention_plan.summary | files | {"currency": settings.money.currency}, as_json, show_plan)
