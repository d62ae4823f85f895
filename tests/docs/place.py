"""A folder in which the commands of a page are run one after the other, as a reader would."""

import io
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest

from pipelines.cli import main
from tests.docs.pages import ROOT
from tests.shops import train_sooner

SHELL = set("|&;<>$`")
"""Signs that only a shell understands."""
SERVES = ("stayworth serve", "stayworth console", "mlflow server", "mlflow ui")
"""Commands that end only when they are told to: started, waited for, and ended with the page."""
FEWER = {"--customers 5000": "--customers 2000", "--trials 10": "--trials 1"}
"""What is shown to readers, and what is quick enough for a test."""


@dataclass
class Place:
    """A folder, and what has been replaced in the commands that are run in it."""

    folder: Path
    replaced: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen] = field(default_factory=list)

    def run(self, command: str) -> tuple[int, str]:
        """Run it; exit code, and all it said. `cd` holds for the commands after it."""
        for shown, meant in (FEWER | self.replaced).items():
            command = command.replace(shown, meant)
        words = shlex.split(command.partition(" #")[0])  # in shlex a # within a word is a comment too
        given = dict(word.split("=", 1) for word in words[: next(n for n, one in enumerate(words) if "=" not in one)])
        words = words[len(given) :]
        if words[0] == "cd":
            self.folder = self.folder / words[1]
            assert self.folder.is_dir(), command
            return 0, ""
        if " ".join(words).startswith(SERVES):
            return self._start(words)
        if words[0] == "stayworth" and not SHELL & set(command.partition(" #")[0]):
            done = in_process(words, self.folder, given)
        else:
            shell = ["bash", "-e", "-o", "pipefail", "-c", command]
            ran = subprocess.run(shell, cwd=self.folder, env=environment(), capture_output=True, text=True, check=False)
            done = ran.returncode, ran.stdout + ran.stderr
        lighter(self.folder)
        return done

    def _start(self, words: list[str]) -> tuple[int, str]:
        """Start what serves and wait until its port answers."""
        port = int(words[words.index("--port") + 1])
        with (self.folder / ".said").open("w") as said:
            process = subprocess.Popen(
                words, cwd=self.folder, env=environment(), stdout=said, stderr=said, start_new_session=True
            )
        self.started.append(process)
        deadline = time.monotonic() + 240
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return 0, ""
            time.sleep(0.1)
        return process.poll() or 1, (self.folder / ".said").read_text()

    def end(self) -> None:
        """End what was started."""
        for process in self.started:
            with suppress(ProcessLookupError):  # all of it has ended already
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def in_process(words: list[str], folder: Path, given: dict[str, str]) -> tuple[int, str]:
    """A command of ours in this process, which is seconds quicker than a new one; given: variables before it."""
    said = io.StringIO()
    with (
        mock.patch.object(sys, "argv", words),
        mock.patch.dict(os.environ, given),
        inside(folder),
        redirect_stdout(said),
        redirect_stderr(said),
        pytest.MonkeyPatch.context() as patch,
    ):
        train_sooner(patch)
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, said.getvalue()


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def environment() -> dict[str, str]:
    """With our commands on the PATH."""
    return os.environ | {"PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def lighter(folder: Path) -> None:
    """Fewer trials in the configs that a command has just written."""
    for config in folder.glob("**/*.toml"):
        text = config.read_text("utf-8")
        if "\ntrials = 1 " not in text + " ":
            less = text.replace("\ntrials = 30 ", "\ntrials = 1 ").replace("\ntrials = 10\n", "\ntrials = 1\n")
            config.write_text(less, "utf-8")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
