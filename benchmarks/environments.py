"""Where a peer that is not among our own dependencies lives: an environment of its own, made on first use by uv."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".peers"


class Unavailable(Exception):
    """A peer that cannot be installed or imported here, and why."""


def requirements(*, are_beside: bool = False) -> dict[str, str]:
    """What benchmarks/peers.txt asks for, by environment, or by folder beside our own libraries."""
    lines = [line for line in (HERE / "peers.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    named = {name: wanted.strip() for name, _, wanted in (line.partition(":") for line in lines)}
    return {name.removeprefix("+"): wanted for name, wanted in named.items() if name.startswith("+") == are_beside}


def python_of(environment: str | None) -> Path:
    """The Python of an environment as it was made; None is the one we run in. Raises Unavailable if it is not there."""
    if environment is None:
        return Path(sys.executable)
    made = ENVIRONMENTS / environment / "made"
    if not made.exists() or made.read_text("utf-8") != requirements()[environment]:
        raise Unavailable(f"{environment} is not installed below {ENVIRONMENTS}")
    return ENVIRONMENTS / environment / "bin" / "python"


def make(environment: str) -> None:
    """Install an environment unless it is there already. Raises Unavailable if that fails or it cannot be imported."""
    wanted, folder = requirements()[environment], ENVIRONMENTS / environment
    try:
        python_of(environment)
    except Unavailable:
        python = str(folder / "bin" / "python")
        _run("cannot be made", _uv(), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder))
        _run("cannot be installed", _uv(), "pip", "install", "--quiet", "--python", python, *wanted.split())
        _run("cannot be imported", python, "-W", "ignore", "-c", f"import {environment}")
        (folder / "made").write_text(wanted, "utf-8")


def beside(name: str) -> Path:
    """The folder with a peer for our own Python, made on first use. Raises Unavailable if it cannot be installed."""
    wanted, folder = requirements(are_beside=True)[name], ENVIRONMENTS / name
    made = folder / "made"
    if not made.exists() or made.read_text("utf-8") != wanted:
        into = ("--python", sys.executable, "--target", str(folder), "--no-deps", *wanted.split())
        _run("cannot be installed", _uv(), "pip", "install", "--quiet", *into)
        made.write_text(wanted, "utf-8")
    return folder


def _uv() -> str:
    return shutil.which("uv") or str(HERE.parent / ".uv" / "bin" / "uv")


def _run(failure: str, *command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unavailable(f"{failure}: no {command[0]}; `make setup` installs uv") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or "no word why").splitlines()[-1]
        raise Unavailable(f"{failure}: {last.strip()}") from error
