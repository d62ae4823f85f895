"""Commands in processes of their own that begin with all modules imported: seconds less than a new interpreter each.

They are forked from a server that has imported and run nothing else, so each has memory, files, limits and signals of
its own, can be killed at any moment, and spends that moment at work.
"""

import os
import resource
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.imported_commands"])


@dataclass(frozen=True)
class Command:
    """A command that runs, and the files in which what it says comes to lie."""

    process: ForkServerProcess
    output: Path
    errors: Path

    def end(self, timeout_s: float = 500) -> tuple[int, str, str]:
        """Wait for it; returns exit code, standard output and standard error."""
        self.process.join(timeout_s)
        assert self.process.exitcode is not None, f"still running after {timeout_s} s"
        said = self.output.read_text("utf-8"), self.errors.read_text("utf-8")
        self.output.unlink()
        self.errors.unlink()
        return self.process.exitcode, *said

    def kill(self, after_s: float) -> tuple[int, str, str]:
        """The same with SIGKILL after so many seconds, if it is not done by then."""
        self.process.join(after_s)
        self.process.kill()
        return self.end()


def start(folder: Path, *arguments: str, room_bytes: int | None = None, sooner: bool = False) -> Command:
    """Start `stayworth` with these arguments in the folder; its temporary files go to `tmp` there.

    room_bytes: the largest file that it may write; sooner: see tests.shops.train_sooner.
    """
    (folder / "tmp").mkdir(exist_ok=True)
    output, errors = (Path(tempfile.mkstemp(prefix="said-")[1]) for _ in range(2))
    process = FORKS.Process(target=_run, args=(folder, arguments, output, errors, room_bytes, sooner))
    process.start()
    return Command(process, output, errors)


def seconds_of(command: Command) -> float:
    """How long it takes from now to its end, which must be a good one."""
    begun = time.monotonic()
    code, output, errors = command.end()
    assert code == 0, output + errors
    return time.monotonic() - begun


def _run(
    folder: Path, arguments: tuple[str, ...], output: Path, errors: Path, room_bytes: int | None, sooner: bool
) -> None:
    for descriptor, file in ((1, output), (2, errors)):
        opened = os.open(file, os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(folder)
    os.environ["TMPDIR"], tempfile.tempdir = str(folder / "tmp"), None
    if room_bytes is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room_bytes, room_bytes))
    if sooner:
        from tests.shops import train_sooner

        train_sooner(pytest.MonkeyPatch())
    from pipelines.cli import main

    sys.argv = ["stayworth", *arguments]
    main()
