"""The options of `stayworth features`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from features.errors import InputError
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


def features(
    context: typer.Context,
    as_of: Annotated[
        list[str] | None,
        typer.Option("--as-of", metavar="DAY", help="YYYY-MM-DD; may be repeated: many days in one pass."),
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Parquet or CSV file to write.")] = None,
    known_at: Annotated[
        str | None, typer.Option(metavar="DAY", help="Use only what was recorded before this day; default: --as-of.")
    ] = None,
    engine: Annotated[
        Literal["duckdb", "spark"], typer.Option(help="Engine that does the work; spark needs PySpark and Java.")
    ] = "duckdb",
    memory: Memory = None,
    rfm: Annotated[
        bool, typer.Option("--rfm", help="Add each customer's RFM quintiles among all customers of the day.")
    ] = False,
    fresh: Fresh = False,
    config: ConfigFile = DEFAULT_CONFIG,
    catalogue: Annotated[bool, typer.Option("--list", help="List the features and stop.")] = False,
    as_json: Json = False,
) -> None:
    """Write one row of features per customer and day.

    Example: stayworth features --as-of 2011-06-01 --as-of 2011-09-01 -o features.parquet
    """
    from features.clock import parse_day
    from features.families.catalogue import list_features
    from pipelines.screens.features import show_features
    from pipelines.screens.tables import show_pairs

    if catalogue:
        return print_result(list_features(), as_json, show_features)
    if not as_of or not output:
        raise InputError("--as-of and -o are needed", next="Example: --as-of 2011-09-01 -o features.parquet")
    from pipelines.config import load
    from pipelines.features import write_features

    with progress(as_json) as say:
        days = [parse_day(day) for day in as_of]
        result = write_features(
            load(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory)),
            as_of=days,
            known_at=parse_day(known_at) if known_at else None,
            output=output,
            engine=engine,
            rfm=rfm,
            now=context.obj(),
            say=say,
        )
    return print_result(result, as_json, show_pairs)
