"""What a check of the gate answers."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "warn", "fail", "not examined"]


@dataclass(frozen=True)
class Answer:
    """An outcome and one reason in words, with what was found and what the limit is."""

    outcome: Outcome
    reason: str


def answer(passed: bool, reason: str) -> Answer:
    """Pass or fail."""
    return Answer("pass" if passed else "fail", reason)
