"""Options that several commands share, the progress line, and the choice between tables and JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from features.errors import InputError

ConfigFile = Annotated[Path, typer.Option("-c", "--config", help="The config file.")]
AsOf = Annotated[str, typer.Option("--as-of", metavar="DAY", help="Midnight UTC of this day, YYYY-MM-DD.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Trials = Annotated[int | None, typer.Option(min=1, help="Number of Optuna trials; default: the config's.")]
Memory = Annotated[
    str | None, typer.Option(metavar="SIZE", help="Memory the run may use, e.g. 4GB; a larger log is split on disk.")
]
Fresh = Annotated[bool, typer.Option("--fresh", help="Read the log again, whatever the store of histories holds.")]
DEFAULT_CONFIG = Path("stayworth.toml")

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")]
Host = Annotated[
    str, typer.Option(help="Address to listen on; any but this machine's own loopback address needs --hosts.")
]
Hosts = Annotated[
    str | None, typer.Option(metavar="NAMES", help="Host names that clients use: scores.example,10.0.0.5")
]
Tokens = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help='File of named tokens, lines of name = "sha256:…"; reloaded when it changes.'),
]
Certificate = Annotated[Path | None, typer.Option(metavar="FILE", help="TLS certificate with its chain, PEM.")]
Key = Annotated[Path | None, typer.Option(metavar="FILE", help="Private key of the certificate, PEM.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Number of worker processes.")]
Bundle = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Use the model in this folder, not the registry's champion.")
]
LOOPBACK = "127.0.0.1"


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error that names the current step; silent where there is no terminal."""
    from rich.console import Console

    with Console(stderr=True, quiet=quiet).status("starting") as status:
        yield status.update


def print_result(content: Any, as_json: bool, show: Callable[[Any], None]) -> None:
    """Print the content of a command: as JSON, or as `show` does."""
    if as_json:
        print(json.dumps(content, indent=1, default=str))
    else:
        show(content)


def parse_horizons(text: str) -> tuple[int, ...]:
    """Horizons in days, from a list with commas.

    >>> parse_horizons("30, 90,180")
    (30, 90, 180)
    """
    parts = [part.strip() for part in text.split(",")]
    wrong = [part for part in parts if not part.isdecimal() or not 1 <= int(part) <= 1095]
    if wrong:
        raise InputError(
            f"'{wrong[0]}' is not a number of days, 1 to 1095", where="--horizons", next="Example: --horizons 30,90,180"
        )
    return tuple(int(part) for part in parts)


def parse_holdout(text: str | None) -> float | Literal["auto"] | None:
    """The share of --holdout, or "auto"; None where it is not given.

    >>> parse_holdout("0.2"), parse_holdout("auto")
    (0.2, 'auto')
    """
    if text is None or text == "auto":
        return None if text is None else "auto"
    try:
        return float(text)
    except ValueError:
        raise InputError(
            f"'{text}' is no share from 0 to 0.5", where="--holdout", next="Give one, as in 0.2, or auto."
        ) from None


def refuse_of_logs(command: str, options: Mapping[str, Any]) -> None:
    """Raise InputError for an option that needs time, of a command on a label table, rather than ignore it."""
    if given := [name for name, value in options.items() if value]:
        raise InputError(
            f"{' and '.join(given)} needs a log of orders; a label table has no time",
            where=command,
            next="Leave it out, or name a log: stayworth init ORDERS.",
        )


def parse_memory(text: str | None) -> int | None:
    """Bytes of --memory; None where it is not given."""
    from pipelines import run_folder

    return run_folder.parse_size(text) if text else None
