"""The options of `stayworth init`."""

from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError
from pipelines.commands.options import DEFAULT_CONFIG


def init(
    orders: Annotated[str, typer.Argument(help="A file, folder or glob of CSV or Parquet files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the config.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a config that is already there.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS", help='Say which column is which, e.g. customer_id="Client Ref"; may be repeated.'
        ),
    ] = None,
) -> None:
    """Look at a file of orders and write a commented config whose columns and formats are guessed.

    Example: stayworth init orders.csv
    """
    from pipelines import run_folder
    from pipelines.init import config_text

    if output.exists() and not force:
        raise InputError("is there already", where=str(output), next="Name another file with -o, or add --force.")
    given = {ours: theirs for ours, _, theirs in (pair.partition("=") for pair in column or [])}
    run_folder.write_text(output, config_text(orders, config_folder=output.absolute().parent, given=given))
    print(f"Wrote {output}. Review the lines marked GUESS and ASSUMED, then run: stayworth check -c {output}")
