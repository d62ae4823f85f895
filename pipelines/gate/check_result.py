"""What a check of the gate answers."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "warn", "fail", "not examined"]


@dataclass(frozen=True)
class CheckResult:
    """An outcome and one reason in words, with what was found and what the limit is."""

    outcome: Outcome
    reason: str


def check_result(passed: bool, reason: str) -> CheckResult:
    """Pass or fail."""
    return CheckResult("pass" if passed else "fail", reason)
