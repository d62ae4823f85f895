"""The options of `stayworth init`."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError
from pipelines.commands.options import DEFAULT_CONFIG


def init(
    orders: Annotated[
        str, typer.Argument(help="A file, folder or glob: CSV and its kin, Parquet, Excel, JSON lines, SQLite, DuckDB.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Where to write the config.")] = DEFAULT_CONFIG,
    force: Annotated[bool, typer.Option("--force", help="Replace a config that is already there.")] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OURS=THEIRS", help='Say which column is which, e.g. customer_id="Client Ref"; may be repeated.'
        ),
    ] = None,
    time_format: Annotated[
        str | None,
        typer.Option(metavar="FORMAT", help="How times are written: %d/%m/%Y %H:%M, epoch_s, epoch_ms or excel."),
    ] = None,
    decimal: Annotated[
        str | None,
        typer.Option(metavar="MARK", help="The mark before the decimals, . or , where numbers do not show it."),
    ] = None,
    sheet: Annotated[str | None, typer.Option(metavar="NAME", help="The sheet of a workbook.")] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="The file has one row per customer, and this column says who left."),
    ] = None,
) -> None:
    """Look at a file of orders and write a commented config whose columns and formats are read off it.

    With --label, look at a table of customers instead, one row each, of which a column says who left.

    At a terminal, it asks for what it cannot find out; elsewhere it writes a config with a line to fill in, and exits
    with code 2.

    Example: stayworth init orders.csv
    """
    from pipelines import run_folder
    from pipelines.init import FILL_IN, first_config
    from pipelines.screens.init import show_first_config

    if output.exists() and not force and FILL_IN not in output.read_text("utf-8", errors="replace"):
        raise InputError("is there already", where=str(output), next="Name another file with -o, or add --force.")
    given = {ours: theirs for ours, _, theirs in (pair.partition("=") for pair in column or [])}
    folder = output.absolute().parent
    if label is not None:
        of_orders = {"--time-format": time_format, "--decimal": decimal, "--sheet": sheet}
        if unfit := [name for name, value in of_orders.items() if value is not None]:
            raise InputError(f"{unfit[0]} is about orders", where="--label", next="Leave it out.")
        from pipelines.labelled.first_label_config import first_label_config

        text, said = first_label_config(orders, label, config_folder=folder, given=given)
        run_folder.write_text(output, text)
        typer.echo(f"{output}: {said}.\nNext: look at it, then stayworth check")
        return
    look = partial(first_config, orders, config_folder=folder, sheet=sheet)
    config = look(given=given, time_format=time_format, decimal=decimal)
    while config.question and sys.stdin.isatty():
        print(config.question)
        given |= {ours: typer.prompt(f"Your column for {ours}") for ours in config.missing}
        if not config.missing and "[time] format" in config.question.next:
            time_format = typer.prompt("The format of the times")
        elif not config.missing and "decimal" in config.question.next:
            decimal = typer.prompt("The decimal mark, . or ,")
        elif not config.missing:
            break
        config = look(given=given, time_format=time_format, decimal=decimal)
    run_folder.write_text(output, config.text)
    if config.question:
        question = config.question
        raise InputError(
            question.what, where=question.where, next=f"{question.next} Or fill in the line that says so in {output}."
        )
    show_first_config(config, output)
