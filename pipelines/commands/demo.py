"""The options of `stayworth demo`."""

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.options import Json, print_result, progress


def demo(
    context: typer.Context,
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for everything the demo writes.")] = Path(
        "runs/demo"
    ),
    as_json: Json = False,
) -> None:
    """Run the whole loop on real data, the 23,570 customers of CDNOW. It takes about three minutes.

    Example: stayworth demo -o runs/demo
    """
    from pipelines.demo import demo as run
    from pipelines.screens.demo import show_demo

    with progress(as_json) as say:
        result = run(output, now=context.obj(), say=say)
    print_result(result, as_json, show_demo)
