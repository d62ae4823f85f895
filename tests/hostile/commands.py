"""The commands as people run them: to their end, killed on the way, or without room on the disk."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.forked_commands import start

COMMAND = Path(sys.executable).with_name("stayworth")


def started(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    (folder / "tmp").mkdir(exist_ok=True)
    return subprocess.Popen(
        [COMMAND, *arguments],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder / "tmp")},
        text=True,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
    )


def told(folder: Path, *arguments: str, codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """What a command says in JSON; it must end with one of the exit codes. `{}` where it says no."""
    code, said, trouble = start(folder, *arguments, "--json", sooner=True).end(300)
    assert code in codes, (arguments, code, trouble)
    assert "Traceback" not in trouble, trouble
    return json.loads(said) if said else {}


def refused(folder: Path, *arguments: str, room_bytes: int | None = None) -> str:
    """The last message of a command that ends with exit code 2; room_bytes: the largest file that it may write."""
    code, said, trouble = start(folder, *arguments, room_bytes=room_bytes).end(300)
    assert code == 2, (arguments, code, said, trouble)
    assert "Traceback" not in trouble, trouble
    *_, last = trouble.rpartition("stayworth: ")
    assert last != trouble, trouble
    return last


def killed(folder: Path, *arguments: str, after_s: float) -> None:
    """A command that gets SIGKILL so many seconds after its start, if it is not done by then."""
    start(folder, *arguments, sooner=True).kill(after_s)
