"""Environments for peers that are not among our own dependencies, each made by uv on first use."""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".peers"


class Unavailable(Exception):
    """Raised when a peer cannot be installed or imported here, with the reason."""


def requirements(*, are_beside: bool = False) -> dict[str, str]:
    """Requirements in benchmarks/peers.txt, by environment, or by folder beside our own libraries."""
    lines = [line for line in (HERE / "peers.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    named = {name: wanted.strip() for name, _, wanted in (line.partition(":") for line in lines)}
    return {name.removeprefix("+"): wanted for name, wanted in named.items() if name.startswith("+") == are_beside}


def python_of(environment: str | None) -> Path:
    """The Python of an environment, None being the one we run in. Raises Unavailable if it is not installed."""
    if environment is None:
        return Path(sys.executable)
    marker = ENVIRONMENTS / environment / "made"
    if not marker.exists() or marker.read_text("utf-8") != requirements()[environment]:
        raise Unavailable(f"{environment} is not installed below {ENVIRONMENTS}")
    return ENVIRONMENTS / environment / "bin" / "python"


def make(environment: str) -> None:
    """Install an environment if it is missing. Raises Unavailable if that fails or the peer cannot be imported."""
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
    """Folder with a peer for our own Python, made on first use. Raises Unavailable if it cannot be installed."""
    wanted, folder = requirements(are_beside=True)[name], ENVIRONMENTS / name
    marker = folder / "made"
    if not marker.exists() or marker.read_text("utf-8") != wanted:
        into = ("--python", sys.executable, "--target", str(folder), "--no-deps", *wanted.split())
        _run("cannot be installed", _uv(), "pip", "install", "--quiet", *into)
        marker.write_text(wanted, "utf-8")
    return folder


def _uv() -> str:
    return shutil.which("uv") or str(HERE.parent / ".uv" / "bin" / "uv")


def _run(failure: str, *command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unavailable(f"{failure}: no {command[0]}; `make setup` installs uv") from error
    except subprocess.CalledProcessError as error:
        last = (error.stderr.strip() or "no error output").splitlines()[-1]
        raise Unavailable(f"{failure}: {last.strip()}") from error
