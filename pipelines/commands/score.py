"""The options of `stayworth score`."""

from typing import Annotated

import typer

from pipelines.commands.options import (
    DEFAULT_CONFIG,
    AsOf,
    ConfigFile,
    Json,
    Memory,
    parse_memory,
    print_result,
    progress,
)


def score(
    context: typer.Context,
    as_of: AsOf,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|URL",
            help="Also write the scores to a Parquet or CSV file, or a table, postgresql://USER@HOST/BASE#TABLE",
        ),
    ] = None,
    config: ConfigFile = DEFAULT_CONFIG,
    memory: Memory = None,
    as_json: Json = False,
) -> None:
    """Score every customer with the champion: churn, value, lifetime value and reasons.

    Example: stayworth score --as-of 2011-12-10 -o scores.parquet
    """
    from features.clock import parse_day
    from pipelines import run_folder
    from pipelines.config import load
    from pipelines.score import score as run
    from pipelines.screens.tables import show_pairs

    memory_bytes = parse_memory(memory)
    with progress(as_json) as say:
        settings = load(config)
        result = run(
            settings, as_of=parse_day(as_of), now=context.obj(), output=output, memory_bytes=memory_bytes, say=say
        )
    print_result(result, as_json, show_pairs)
    if not as_json:
        typer.echo(
            f"Written to {settings.folder / run_folder.SCORES}. Next: stayworth plan --budget M, or stayworth report"
        )
