"""The options of `stayworth report`."""

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


def report(
    context: typer.Context,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="HTML file to write.")] = None,
    with_ids: Annotated[
        bool, typer.Option("--with-ids", help="Show the ids of the customers with the most value at risk.")
    ] = False,
    fresh: Fresh = False,
    memory: Memory = None,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write one self-contained HTML page: what customers are worth, who leaves and why, what to do about it.

    Example: stayworth report -o report.html
    """
    from pipelines.config import load
    from pipelines.report import write_report
    from pipelines.screens.tables import show_pairs

    with progress(as_json) as say:
        path = write_report(
            load(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory)),
            output=output,
            now=context.obj(),
            with_ids=with_ids,
            say=say,
        )
    print_result({"report": str(path)}, as_json, show_pairs)
