"""A server in a Python process of its own for as long as a block lasts."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@contextmanager
def child(code: str, *arguments: str, home: Path, lines: int, journal: list[dict]) -> Iterator[tuple]:
    """Its process, its address and the `lines` it says when it listens; `journal` gets the lines of its journal.

    It must end well and say nothing but its journal. home: the folder it starts in, and its HOME.
    """
    with tempfile.TemporaryFile("w+") as said_of_itself:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=home,
            env=os.environ | {"HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=said_of_itself,
            text=True,
        )
        try:
            said = "".join(process.stdout.readline() for _ in range(lines))
            url = ADDRESS.search(said)
            assert url, (process.communicate(timeout=20), said_of_itself.seek(0), said_of_itself.read())
            yield process, url[0], said
        finally:
            process.terminate()
            try:
                rest, _ = process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        said_of_itself.seek(0)
        journal += [json.loads(line) for line in said_of_itself]
        assert (process.returncode, rest) == (0, "")
