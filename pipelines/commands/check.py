"""The options of `stayworth check`."""

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


def check(
    context: typer.Context,
    fresh: Fresh = False,
    memory: Memory = None,
    config: ConfigFile = DEFAULT_CONFIG,
    leaks: Annotated[bool, typer.Option("--leaks", help="Audit every feature for knowledge of the future.")] = False,
    as_json: Json = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write a page with pictures of orders and revenue by week."),
    ] = None,
) -> None:
    """Read the log and report, to the cent, what was accepted, netted and quarantined, and which horizon suits it.

    The usual mistakes of exports are warnings, each with the line of the config that mends it. Exit code 1 if more
    than 1 % of the amounts could not be read, and if --leaks finds a leak.

    Example: stayworth check --html check.html
    """
    from pipelines.config import load
    from pipelines.labelled.label_config import LabelConfig, load_either
    from pipelines.screens.check import show_check, show_leaks

    if not (leaks or html) and isinstance(settings := load_either(config), LabelConfig):
        from pipelines.labelled.label_check import check_labelled
        from pipelines.screens.labelled import show_label_check

        with progress(as_json) as say:
            say("reading the table")
            result = check_labelled(settings)
        return print_result(result, as_json, show_label_check)
    if leaks:
        from pipelines.leakage.leak_audit import audit, refuse_leaks

        with progress(as_json) as say:
            result = audit(
                load(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory)), now=context.obj(), say=say
            )
        print_result(result, as_json, show_leaks)
        return refuse_leaks(result)
    from pipelines.check import check as run
    from pipelines.check import refuse_unread

    with progress(as_json) as say:
        say("reading orders")
        result = run(load(config).run_with(is_fresh=fresh, memory_bytes=parse_memory(memory)), now=context.obj())
    if html:
        from pipelines import run_folder
        from pipelines.reporting.check_page import check_page

        run_folder.write_text(html, check_page(result, written_on=context.obj().date().isoformat()))
    print_result(result, as_json, show_check)
    return refuse_unread(result)
