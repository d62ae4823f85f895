"""A process beside the service that follows the registry's champion: `python -m serving.fetch URI FOLDER`.

With the URI `-`, STAYWORTH_REGISTRY holds it: anyone on the machine can read a command line, and a URI may hold a
password.

This keeps MLflow out of the processes that answer. While the registry is unreachable, a line in the log says so and
the champion stays. The process ends with the one that started it.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import StayworthError
from serving import access_log, active_model

EVERY_S = 5.0
"""Seconds between two requests to the registry."""
REGISTRY = "STAYWORTH_REGISTRY"


@contextmanager
def following(uri: str | None, folder: Path, *, at_once: bool) -> Iterator[None]:
    """Fetch each new champion into a folder while the block lasts; without a registry, do nothing.

    at_once: fetch a champion first, since there is nothing else to answer with; raises InputError if there is none.
    """
    if uri is None:
        yield
        return
    if at_once and not active_model.pointer_file(folder).exists():
        active_model.fetch_champion(uri, folder)
    command = [sys.executable, "-P", "-m", "serving.fetch", "-", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=os.environ | {REGISTRY: uri}) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def follow(uri: str, folder: Path) -> None:
    """Fetch each new champion, as long as the parent process lives."""
    parent, last = os.getppid(), ""
    while os.getppid() == parent:
        trouble = ""
        try:
            if active_model.fetch_champion(uri, folder):
                access_log.write_event({"event": "champion brought"})
        except (
            StayworthError,
            OSError,
            ValueError,
        ) as error:  # after a full disk, for example, new champions must still be fetched
            trouble = str(error)
        if trouble and trouble != last:
            access_log.write_event({"event": "champion not brought", "why": trouble})
        last = trouble
        time.sleep(EVERY_S)


if __name__ == "__main__":
    access_log.write_to(sys.stderr)
    follow(os.environ.get(REGISTRY, "") if sys.argv[1] == "-" else sys.argv[1], Path(sys.argv[2]))
