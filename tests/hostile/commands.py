"""The commands as people run them: to their end, killed on the way, or without room on the disk."""

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

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
    run = started(folder, *arguments, "--json")
    said, trouble = run.communicate(timeout=300)
    assert run.returncode in codes, (arguments, run.returncode, trouble)
    assert "Traceback" not in trouble
    return json.loads(said) if said else {}


def refused(folder: Path, *arguments: str, room_bytes: int | None = None) -> str:
    """The one message of a command that ends with exit code 2; room_bytes: the largest file that it may write."""

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, room_bytes))

    run = started(folder, *arguments, preexec_fn=little_room if room_bytes is not None else None)
    said, trouble = run.communicate(timeout=300)
    assert run.returncode == 2, (arguments, run.returncode, said, trouble)
    assert trouble.startswith("stayworth: ")
    assert "Traceback" not in trouble
    return trouble


def killed(folder: Path, *arguments: str, after_s: float) -> None:
    """A command that gets SIGKILL so many seconds after its start, if it is not done by then."""
    run = started(folder, *arguments)
    with suppress(subprocess.TimeoutExpired):
        run.communicate(timeout=after_s)
    run.kill()
    run.communicate()
