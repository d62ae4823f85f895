"""Commands of the documentation that the tests do not run, each with the reason and with what is checked instead.

Every entry is used, or a test fails: what is no longer on a page has no exemption.
"""

from collections.abc import Callable

from tests.docs.pages import ROOT


def is_target(command: str) -> bool:
    """A target of the Makefile."""
    return f"\n{command.split()[1]}:" in (ROOT / "Makefile").read_text("utf-8")


def names_a_lock(command: str) -> bool:
    """What is installed is one of our lock files, by its hashes, into our environment."""
    return "--require-hashes" in command and (ROOT / command.split()[-1]).exists() and "--python .venv" in command


def is_a_test(command: str) -> bool:
    """The tests it runs are there."""
    return all((ROOT / word).exists() for word in command.split()[1:])


EXEMPT: dict[str, tuple[str, Callable[[str], bool]]] = {
    "make demo": ("three minutes; tests/pipelines/test_demo.py runs it", is_target),
    "make test": ("it would run this very test", is_target),
    "uv pip install": ("needs a network", names_a_lock),
    ".venv/bin/pytest": ("a test in a test", is_a_test),
}
"""How a command begins: why it is not run, and whether it is sound all the same."""

ELSEWHERE = {
    "docs/serving.md": "tests/serving/test_docs_tell_the_truth.py",
    "docs/deployment.md": "tests/serving/test_docs_tell_the_truth.py",
}
"""Pages whose commands another test runs."""

MAY_SAY_NO = {
    "stayworth readout": "a shop as small as the test's may prove nothing",
    "stayworth monitor": "its verdict may be: retrain",
    "stayworth train": "the gate may refuse a model of so few customers and trials",
}
"""Commands of which 1, the data say no, is an answer too, and why it may be here."""
