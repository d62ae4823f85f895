"""The result of one check of the gate."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "warn", "fail", "not examined"]


@dataclass(frozen=True)
class CheckResult:
    """An outcome and one reason in words, with the value found and its limit."""

    outcome: Outcome
    reason: str


def check_result(passed: bool, reason: str) -> CheckResult:
    """A pass or a fail."""
    return CheckResult("pass" if passed else "fail", reason)
