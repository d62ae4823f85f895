"""The options of `stayworth store`."""

from typing import Annotated

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile, Json, print_result


def store(
    clean: Annotated[bool, typer.Option("--clean", help="Empty it: the next command reads the log again.")] = False,
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Show the store of histories: the log as it was read, so that it is read only once.

    Commands use it by themselves, and read again what has changed; --fresh, on any of them, reads everything again.

    Example: stayworth store, or stayworth store --clean
    """
    from pipelines.config import load
    from pipelines.screens.store import show_store
    from pipelines.screens.tables import show_pairs
    from pipelines.store import clean_store, store_content

    settings = load(config)
    if clean:
        return print_result(clean_store(settings), as_json, show_pairs)
    return print_result(store_content(settings), as_json, show_store)
