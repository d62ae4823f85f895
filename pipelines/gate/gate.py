"""The gate: numbered checks that a candidate passes before it serves.

A check of severity "refuse" always refuses. One of severity "keep" refuses only while there is a champion to keep: a
first model is promoted with a warning, since without it a user has nothing. A check that could not be examined refuses
nothing by itself: the check that was the cause does.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from features.errors import Refusal
from pipelines.gate import bundle_checks, data_checks, merit_checks
from pipelines.gate.check_result import CheckResult, Outcome
from pipelines.gate.evidence import CandidateEvidence

Severity = Literal["refuse", "keep"]


@dataclass(frozen=True)
class Check:
    """A numbered question to a candidate."""

    code: str
    title: str
    severity: Severity
    examine: Callable[[Any], CheckResult]
    """Takes the evidence of the kind of model that is judged."""


CHECKS = (
    Check("G01", "signature of the bundle", "refuse", bundle_checks.signed),
    Check("G02", "schema", "refuse", bundle_checks.schema),
    Check("G03", "features that the log gives", "refuse", bundle_checks.features),
    Check("G04", "scores of every customer", "refuse", bundle_checks.scores),
    Check("G05", "speed", "refuse", bundle_checks.speed),
    Check("G06", "completeness of the metrics", "refuse", merit_checks.complete),
    Check("G07", "data beside the champion's", "refuse", data_checks.not_older),
    Check("G08", "age of the data", "keep", data_checks.fresh),
    Check("G09", "leakage", "refuse", data_checks.no_leak),
    Check("G10", "comparison with the champion", "refuse", merit_checks.champion),
    Check("G11", "comparison with the simple models", "keep", merit_checks.baselines),
    Check("G12", "calibration of the probabilities", "keep", merit_checks.calibration),
    Check("G13", "predicted total", "keep", merit_checks.total_bias),
    Check("G14", "lifetime values on closed years", "keep", merit_checks.lifetimes),
)


@dataclass(frozen=True)
class Finding:
    """The result of one check."""

    code: str
    title: str
    severity: Severity
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Decision:
    """The gate's decision on a candidate, and the finding of every check."""

    accepted: bool
    champion: str | None
    """The number of the version it was compared with; None if there is none."""
    compared: str
    """The form in which the champion was judged, or why it was not."""
    findings: tuple[Finding, ...]

    def reasons(self, outcome: Outcome) -> list[str]:
        """The findings of one outcome, in words."""
        chosen = [finding for finding in self.findings if finding.outcome == outcome]
        return [f"{finding.code} {finding.title}: {finding.reason}" for finding in chosen]

    @property
    def content(self) -> dict[str, Any]:
        """The decision as JSON, for metrics.json and MLflow."""
        return asdict(self) | {"reasons": self.reasons("fail"), "warnings": self.reasons("warn")}


def decide(evidence: CandidateEvidence, checks: Sequence[Check] = CHECKS) -> Decision:
    """Examine the candidate by every check; one failure refuses it."""
    findings = tuple(_finding(check, evidence) for check in checks)
    champion = evidence.champion
    return Decision(
        accepted=not any(finding.outcome == "fail" for finding in findings),
        champion=champion.number if champion else None,
        compared=champion.basis if champion else "there is no champion yet",
        findings=findings,
    )


def _finding(check: Check, evidence: CandidateEvidence) -> Finding:
    result = check.examine(evidence)
    outcome = result.outcome
    if outcome == "fail" and check.severity == "keep" and not evidence.champion_stands:
        outcome = "warn"
    return Finding(check.code, check.title, check.severity, outcome, result.reason)


def refuse(decision: dict[str, Any], *, version: str) -> None:
    """Raise Refusal if the gate said no to this version."""
    if decision["accepted"]:
        return
    reasons = decision["reasons"]
    serving = f"Version {decision['champion']} stays champion" if decision["champion"] else "No version is champion yet"
    raise Refusal(
        f"{len(reasons)} {'check' if len(reasons) == 1 else 'checks'} failed, version {version} is not promoted:"
        + "".join(f"\n  - {reason}" for reason in reasons),
        where="gate",
        next=f"{serving}. If you know better: stayworth models promote {version}.",
    )
