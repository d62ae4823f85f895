"""`python -m serving`: the service in a container or under an init system, configured by environment variables.

Content (serving/settings.py):         STAYWORTH_SCORES, STAYWORTH_MODEL, STAYWORTH_CAMPAIGNS, STAYWORTH_SCORE_LOG
Tokens:                                STAYWORTH_TOKEN, or STAYWORTH_TOKENS=FILE of named ones
Address (default 127.0.0.1:3000):      STAYWORTH_HOST, STAYWORTH_HOSTS=NAME,NAME, STAYWORTH_PORT
TLS:                                   STAYWORTH_TLS_CERT, STAYWORTH_TLS_KEY
Capacity (default 1, 64):              STAYWORTH_WORKERS, STAYWORTH_MOST_IN_FLIGHT

They mean the same as the options of `stayworth serve`. It needs no config, no registry and not the package
`pipelines`, so it runs in the folder `src` of a bento.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from features.errors import InputError, StayworthError
from serving import settings
from serving.guard.access_policy import AccessPolicy
from serving.processes.launch import HOST, serve

PORT = 3000


def options(environment: Mapping[str, str]) -> dict[str, Any]:
    """The arguments of `serve`, read from the environment; an empty variable counts as unset.

    >>> options({"STAYWORTH_MODEL": "champion", "STAYWORTH_PORT": "80"})["port"]
    80
    """
    given = {name: value for name, value in environment.items() if value}
    if not given.keys() & {settings.SCORES, settings.MODEL}:
        raise InputError(
            "there is nothing to serve",
            where=f"{settings.SCORES}, {settings.MODEL}",
            next="Name the file that `stayworth score` wrote, a folder with champion.json or a bundle, or both.",
        )

    def file(name: str) -> Path | None:
        return Path(given[name]) if name in given else None

    return {
        "port": _count(given, "STAYWORTH_PORT", PORT, least=0, most=65_535),
        "token": given.get("STAYWORTH_TOKEN"),
        "tokens_file": file("STAYWORTH_TOKENS"),
        "host": given.get("STAYWORTH_HOST", HOST),
        "hosts": given.get("STAYWORTH_HOSTS", "").split(","),
        "tls_cert": file("STAYWORTH_TLS_CERT"),
        "tls_key": file("STAYWORTH_TLS_KEY"),
        "processes": _count(given, "STAYWORTH_WORKERS", 1, least=1, most=64),
        "most_in_flight": _count(given, "STAYWORTH_MOST_IN_FLIGHT", AccessPolicy.most_in_flight, least=1, most=10_000),
    }


def _count(given: Mapping[str, str], name: str, default: int, *, least: int, most: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and least <= int(text) <= most):
        raise InputError(
            f"{text[:100]!r} is not a whole number from {least:,} to {most:,}",
            where=name,
            next="Kubernetes sets it if the Service is called stayworth: set enableServiceLinks: false."
            if "://" in text
            else f"Leave it unset for {default:,}.",
        )
    return int(text)


def main() -> None:
    """Serve until SIGTERM or ctrl-C."""
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # an idle thread of XGBoost sleeps
    # Further workers import this code from where it is, not from the folder they are started in.
    code = str(Path(__file__).resolve().parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")]))
    try:
        serve(**options(os.environ))
    except StayworthError as error:
        print(f"stayworth: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
