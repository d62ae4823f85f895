"""What commands have in common: their options, how they say what they are doing, and how they print."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from features.errors import InputError

ConfigFile = Annotated[Path, typer.Option("-c", "--config", help="The config file.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DAY", help="Midnight UTC of this day, YYYY-MM-DD.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Trials = Annotated[int | None, typer.Option(min=1, help="Optuna trials; default from the config.")]
Memory = Annotated[
    str | None, typer.Option(metavar="SIZE", help="What the run may take, e.g. 4GB; a larger log is split on disk.")
]
DEFAULT_CONFIG = Path("stayworth.toml")


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error that says what is being done; silent where there is no terminal."""
    from rich.console import Console

    with Console(stderr=True, quiet=quiet).status("starting") as status:
        yield status.update


def printed(content: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print the content of a command: as JSON, or as `show` does."""
    if as_json:
        print(json.dumps(content, indent=1, default=str))
    else:
        show(content)


def days_ahead(text: str) -> tuple[int, ...]:
    """Horizons as people list them.

    >>> days_ahead("30, 90,180")
    (30, 90, 180)
    """
    parts = [part.strip() for part in text.split(",")]
    wrong = [part for part in parts if not part.isdecimal() or not 1 <= int(part) <= 1095]
    if wrong:
        raise InputError(
            f"'{wrong[0]}' is not a number of days, 1 to 1095", where="--horizons", next="Example: --horizons 30,90,180"
        )
    return tuple(int(part) for part in parts)
