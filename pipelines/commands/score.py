"""The options of `stayworth score`."""

from typing import Annotated

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
    refuse_of_logs,
)


def score(
    context: typer.Context,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="DAY", help="Midnight UTC of this day, YYYY-MM-DD; of a log.")
    ] = None,
    table: Annotated[
        str | None,
        typer.Option("--input", metavar="FILE", help="Rows to score, one per customer; of a label table."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE|URL",
            help="Also write the scores to a Parquet or CSV file, or a table, postgresql://USER@HOST/BASE#TABLE",
        ),
    ] = None,
    fresh: Fresh = False,
    config: ConfigFile = DEFAULT_CONFIG,
    memory: Memory = None,
    as_json: Json = False,
) -> None:
    """Score every customer with the champion: churn, value, lifetime value and reasons.

    Of a label table, rows without a label are scored: churn and reasons, and values where the table has them.

    Example: stayworth score --as-of 2011-12-10 -o scores.parquet, or stayworth score --input new.csv -o scores.csv
    """
    from features.clock import parse_day
    from pipelines import run_folder
    from pipelines.labelled.label_config import LabelConfig, load_either
    from pipelines.score import score as run
    from pipelines.screens.score import show_scores

    settings = load_either(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory))
    if isinstance(settings, LabelConfig):
        from pipelines.labelled.score_labelled import score_labelled
        from pipelines.screens.labelled import show_label_scores

        refuse_of_logs("score", {"--as-of": as_of, "--memory": memory})
        with progress(as_json) as say:
            say("scoring")
            scored = score_labelled(settings, table=table, output=output)
        return print_result(scored, as_json, show_label_scores)
    if as_of is None or table is not None:
        raise InputError(
            "a log of orders is scored as of a day, and --input is of label tables",
            where="score",
            next="Example: stayworth score --as-of 2011-12-10 -o scores.parquet",
        )
    with progress(as_json) as say:
        result = run(settings, as_of=parse_day(as_of), now=context.obj(), output=output, say=say)
    print_result(result, as_json, show_scores)
    if not as_json:
        typer.echo(
            f"Written to {settings.folder / run_folder.SCORES}. Next: stayworth plan --budget M, or stayworth report"
        )
    return None
