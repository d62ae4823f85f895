"""The options of `stayworth simulate`."""

from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError
from pipelines.commands.options import Json, print_result, progress
from pipelines.simulator.parameters import ANOTHER_FUTURE, KEPT
from pipelines.simulator.worlds import STANDARD, WORLDS

AS_OF = "2025-01-01"
"""The day of a simulated shop, where none is named."""
KEPT_LIST = "; ".join(f"{name} ({words})" for name, words in KEPT.items())
WORLD_LIST = "; ".join(f"{world.name} ({world.words})" for world in WORLDS.values())


def simulate(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write; it must not exist, or be empty.")],
    customers: Annotated[int | None, typer.Option(metavar="N", help="Number of customers.")] = None,
    days: Annotated[int, typer.Option(metavar="D", help="Days of history in which they joined.")] = 730,
    seed: Annotated[int, typer.Option(metavar="S", help="Random seed; another one gives another shop.")] = 7,
    as_of: Annotated[
        str, typer.Option("--as-of", metavar="DAY", help="Day the data end: what was known before it is written.")
    ] = AS_OF,
    world: Annotated[str, typer.Option(metavar="NAME", help=f"What is true of the shop: {WORLD_LIST}.")] = STANDARD,
    kept: Annotated[
        str, typer.Option(metavar="NAME", help=f"What customers do whom a contact keeps: {KEPT_LIST}.")
    ] = ANOTHER_FUTURE,
    part: Annotated[int, typer.Option(min=1, metavar="N", help="Customers per file; more take more memory.")] = 20_000,
    source: Annotated[
        Path | None,
        typer.Option("--continue", metavar="FOLDER", help="Let time run on in the shop of FOLDER, for one horizon."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="With --continue: the plan to carry out; default: the shop's latest."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate a shop of any size whose truth is known: who leaves, what each is worth, what an offer changes.

    With --continue, the number of customers, the days, the seed, the day, the world and what kept customers do are
    those of FOLDER.

    Example: stayworth simulate -o shop --customers 20000
    """
    from features.clock import parse_day
    from pipelines.campaigns.campaign import kept_plan_file
    from pipelines.screens.simulate import show_simulation
    from pipelines.simulate import continue_simulation
    from pipelines.simulate import simulate as run
    from pipelines.simulator.scenario import Scenario

    if (source is None) == (customers is None) or (source is None and plan is not None):
        raise InputError(
            "either --customers N, or --continue FOLDER is needed",
            where="simulate",
            next="Example: stayworth simulate --continue shop -o after",
        )
    with progress(as_json) as say:
        if source is not None:
            result = continue_simulation(
                source, plan or kept_plan_file(source / "runs", None), output, chunk_size=part, say=say
            )
        else:
            shop = Scenario(
                customers=customers or 0, days=days, seed=seed, as_of=parse_day(as_of), world_name=world, kept=kept
            )
            result = run(output, shop, chunk_size=part, say=say)
    print_result(result, as_json, show_simulation)
    if not as_json:
        typer.echo(f"Next: cd {output}, then stayworth {'train' if source is None else 'readout'}")
