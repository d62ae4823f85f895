"""The command that makes a shop with known truth, and lets time run on in it."""

from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError
from pipelines.commands.options import Json, printed, progress

AS_OF = "2025-01-01"
"""The day of a made-up shop, where none is named."""


def simulate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write; it must not exist, or be empty.")],
    customers: Annotated[int | None, typer.Option(metavar="N", help="How many customers.")] = None,
    days: Annotated[int, typer.Option(metavar="D", help="Days of history: they joined over these.")] = 730,
    seed: Annotated[int, typer.Option(metavar="S", help="Another one, another shop.")] = 7,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help="Its day: what is known before it.")] = AS_OF,
    part: Annotated[int, typer.Option(min=1, metavar="N", help="Customers in a file; more take more memory.")] = 20_000,
    source: Annotated[
        Path | None, typer.Option("--continue", metavar="FOLDER", help="Let time run on in that shop, for a horizon.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --continue: what is carried out; default its latest plan.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a shop whose truth is known: who leaves, what each is worth, what an offer changes. Any size.

    With --continue its customers, days, seed and day are those of FOLDER.

    Example: stayworth simulate -o shop --customers 20000
    """
    from features.clock import parse_day
    from pipelines.campaigns.campaign import plan_of
    from pipelines.screens.tables import show_pairs
    from pipelines.simulate import let_time_run
    from pipelines.simulate import simulate as run
    from pipelines.simulator.scenario import Shop

    if (source is None) == (customers is None) or (source is None and plan is not None):
        raise InputError(
            "either --customers N, or --continue FOLDER is needed",
            where="simulate",
            next="Example: stayworth simulate --continue shop -o after",
        )
    with progress(as_json) as say:
        if source is not None:
            told = let_time_run(source, plan or plan_of(source / "runs", None), output, part_size=part, say=say)
        else:
            shop = Shop(customers=customers or 0, days=days, seed=seed, as_of=parse_day(as_of))
            told = run(output, shop, part_size=part, say=say)
    printed(told, as_json, lambda content: show_pairs({k: v for k, v in content.items() if k != "by_offer"}))
    if not as_json:
        typer.echo(f"Next: cd {output}, then stayworth {'train' if source is None else 'readout'}")
