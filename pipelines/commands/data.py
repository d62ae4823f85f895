"""The commands about the log itself: init, check, features. The clock comes with the context."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from features.errors import InputError
from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, Memory, printed, progress


def init(
    orders: Annotated[str, typer.Argument(help="A file, folder or glob of CSV or Parquet files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the config.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a config that is already there.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="OURS=THEIRS", help='Which column is which, e.g. customer_id="Client Ref"; repeat.'),
    ] = None,
) -> None:
    """Look at a file of orders and write a commented config with guesses.

    Example: stayworth init orders.csv
    """
    from pipelines import run_folder
    from pipelines.init import guess

    if output.exists() and not force:
        raise InputError("is there already", where=str(output), next="Name another with -o, or add --force.")
    told = {ours: theirs for ours, _, theirs in (one.partition("=") for one in column or [])}
    run_folder.write_text(output, guess(orders, config_folder=output.absolute().parent, told=told))
    print(f"Wrote {output}. Read what is marked GUESS and ASSUMED, then: stayworth check -c {output}")


def check(
    context: typer.Context,
    config: ConfigFile = DEFAULT_CONFIG,
    leaks: Annotated[bool, typer.Option("--leaks", help="Audit every feature for knowledge of the future.")] = False,
    as_json: Json = False,
) -> None:
    """Read the log: what was accepted, netted and set aside, to the cent, and which horizon fits.

    Example: stayworth check --leaks
    """
    from pipelines.config import load
    from pipelines.screens import tables

    if leaks:
        from pipelines.leakage.leak_audit import audit, refuse_leaks
        from pipelines.screens.leaks import show_leaks

        with progress(as_json) as say:
            found = audit(load(config), now=context.obj(), say=say)
        printed(found, as_json, show_leaks)
        return refuse_leaks(found)
    from pipelines.check import check as run

    with progress(as_json) as say:
        say("reading orders")
        result = run(load(config), now=context.obj())
    return printed(result, as_json, tables.show_check)


def features(
    context: typer.Context,
    as_of: Annotated[
        list[str] | None, typer.Option("--as-of", metavar="DAY", help="YYYY-MM-DD; repeat for many days in one pass.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Parquet or CSV file to write.")] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only what was recorded before that day; default --as-of.")
    ] = None,
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="What does the work; spark needs PySpark and Java.")
    ] = "duckdb",
    memory: Memory = None,
    rfm: Annotated[bool, typer.Option("--rfm", help="Add each customer's RFM quintiles among all of the day.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    catalogue: Annotated[bool, typer.Option("--list", help="List the features and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Write one row of features per customer and day.

    Example: stayworth features --as-of 2011-06-01 --as-of 2011-09-01 -o features.parquet
    """
    from features.clock import parse_day
    from features.families.catalogue import listed
    from pipelines.screens import tables

    if catalogue:
        return printed(listed(), as_json, tables.show_features)
    if not as_of or not output:
        raise InputError("--as-of and -o are needed", next="Example: --as-of 2011-09-01 -o features.parquet")
    from pipelines import run_folder
    from pipelines.config import load
    from pipelines.features import write_features

    with progress(as_json) as say:
        days = [parse_day(day) for day in as_of]
        result = write_features(
            load(config),
            as_of=days,
            known_at=parse_day(known_at) if known_at else None,
            output=output,
            engine=engine,
            memory_bytes=run_folder.size_of(memory) if memory else None,
            rfm=rfm,
            now=context.obj(),
            say=say,
        )
    return printed(result, as_json, tables.show_pairs)
