"""The gate: numbered checks that a candidate passes before it serves.

A check of severity "refuse" always refuses. One of severity "keep" refuses only while a champion stands: a first model
is promoted with the warning said, since without one a user has nothing. What could not be examined refuses nothing by
itself, as the check that was its cause does.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from features.errors import Refusal
from pipelines.gate import bundle_checks, data_checks, merit_checks
from pipelines.gate.check_result import CheckResult, Outcome
from pipelines.gate.evidence import Evidence

Severity = Literal["refuse", "keep"]


@dataclass(frozen=True)
class Check:
    """One question to a candidate."""

    code: str
    title: str
    severity: Severity
    ask: Callable[[Evidence], CheckResult]


CHECKS = (
    Check("G01", "the bundle is what its manifest signs", "refuse", bundle_checks.signed),
    Check("G02", "the schema is the log's", "refuse", bundle_checks.schema),
    Check("G03", "every feature can be had from the log", "refuse", bundle_checks.features),
    Check("G04", "every customer gets a score that is a number", "refuse", bundle_checks.scores),
    Check("G05", "it scores fast enough", "refuse", bundle_checks.speed),
    Check("G06", "no metric is missing", "refuse", merit_checks.complete),
    Check("G07", "it knows no less than the champion", "refuse", data_checks.not_older),
    Check("G08", "its data are not stale", "keep", data_checks.fresh),
    Check("G09", "it is not too good to be true", "refuse", data_checks.no_leak),
    Check("G10", "it is not worse than the champion", "refuse", merit_checks.champion),
    Check("G11", "it is not worse than a simple model", "keep", merit_checks.baselines),
    Check("G12", "its probabilities are calibrated", "keep", merit_checks.calibration),
    Check("G13", "its total is on the level", "keep", merit_checks.total_bias),
)


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    code: str
    title: str
    severity: Severity
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Decision:
    """Whether a candidate is promoted, and what every check found."""

    accepted: bool
    champion: str | None
    """The number of the version it was held against; None if there is none."""
    compared: str
    """What of the champion was judged, or why nothing was."""
    findings: tuple[Finding, ...]

    def said(self, outcome: Outcome) -> list[str]:
        """The findings of one outcome, in words."""
        return [f"{one.code} {one.title}: {one.reason}" for one in self.findings if one.outcome == outcome]

    @property
    def content(self) -> dict[str, Any]:
        """As JSON, for metrics.json and MLflow."""
        return asdict(self) | {"reasons": self.said("fail"), "warnings": self.said("warn")}


def decide(evidence: Evidence) -> Decision:
    """Put every check to the candidate; one failure refuses it."""
    findings = tuple(_found(check, evidence) for check in CHECKS)
    rival = evidence.rival
    return Decision(
        accepted=not any(one.outcome == "fail" for one in findings),
        champion=rival.number if rival else None,
        compared=rival.how if rival else "there is no champion yet",
        findings=findings,
    )


def _found(check: Check, evidence: Evidence) -> Finding:
    answer = check.ask(evidence)
    outcome = answer.outcome
    if outcome == "fail" and check.severity == "keep" and not evidence.champion_stands:
        outcome = "warn"
    return Finding(check.code, check.title, check.severity, outcome, answer.reason)


def refuse(decision: dict[str, Any], *, version: str) -> None:
    """Raise Refusal if the gate said no to this version."""
    if decision["accepted"]:
        return
    reasons = decision["reasons"]
    stands = f"Version {decision['champion']} stays champion" if decision["champion"] else "No version serves"
    raise Refusal(
        f"{len(reasons)} {'check' if len(reasons) == 1 else 'checks'} failed, version {version} is not promoted:"
        + "".join(f"\n  - {one}" for one in reasons),
        where="gate",
        next=f"{stands}. If you know better: stayworth models promote {version}.",
    )
