"""The gate's checks of the candidate's data: how old they are, and whether they leak the answers."""

from datetime import date
from typing import Any

from models import STAYWORTH
from pipelines.gate.check_result import CheckResult, check_result
from pipelines.gate.evidence import Evidence

LEAK_WORTH = 0.03
"""The least that a column made of the label adds to the AUC of all others. An honest one that ranks best by chance, as
one of fifty may among few customers, adds next to nothing: the others contain the same information."""

TOO_GOOD = 0.99
"""A ROC-AUC that no honest prediction reaches: the label, or something that follows from it, is among the features."""


def not_older(evidence: Evidence) -> CheckResult:
    """Pass if the candidate's data end no earlier than the champion's."""
    as_of = _as_of(evidence)
    if as_of is None:
        return CheckResult("not examined", "it has no manifest that can be read")
    champion_as_of = evidence.champion.as_of if evidence.champion else None
    if champion_as_of is None:
        return CheckResult("pass", f"its data end before {as_of}; there is no champion to be older than")
    return check_result(as_of >= champion_as_of, f"its data end before {as_of}, the champion's before {champion_as_of}")


def fresh(evidence: Evidence) -> CheckResult:
    """Pass if the log ends at most a horizon ago, or, if the champion too was made of an archive, a horizon later.

    Without the second half, nobody could train on historical data twice.
    """
    as_of = _as_of(evidence)
    if as_of is None:
        return CheckResult("not examined", "it has no manifest that can be read")
    champion, limit = evidence.champion, evidence.horizon_days
    if champion and champion.made_at and champion.as_of:
        limit += max((champion.made_at - champion.as_of).days, 0)
    age = (evidence.now - as_of).days
    return check_result(age <= limit, f"its data end before {as_of}, {age:,} days ago; the limit is {limit:,}")


def no_leak(evidence: Evidence) -> CheckResult:
    """Fail on a perfect ranking, a column that knows more than all others, or shuffled labels that were learned."""
    auc = (evidence.metrics["models"][STAYWORTH].get("roc_auc") or {}).get("value")
    if auc is not None and auc >= TOO_GOOD:
        return CheckResult("fail", f"ROC-AUC {auc:.3f}; {TOO_GOOD} or more is too good to be true")
    if "note" in evidence.probes:
        return CheckResult("not examined", evidence.probes["note"])
    leaks = _leaks(evidence.probes)
    if leaks:
        return CheckResult("fail", "; ".join(leaks) + " (`stayworth check --leaks` says more)")
    strongest = evidence.probes["strongest"][:1]
    best = f"; {strongest[0]['feature']} alone reaches {strongest[0]['auc']:.3f}" if strongest else ""
    shuffled = evidence.probes["shuffled_labels"]
    limits = f"0.50 ± {shuffled['tolerance']:.2f} is without a leak"
    return CheckResult("pass", f"AUC {shuffled['auc']:.3f} on shuffled labels, {limits}{best}")


def _leaks(probes: Any) -> list[str]:
    shuffled = probes["shuffled_labels"]
    leaks = [
        f"{column['feature']} alone ranks better (AUC {column['auc']:.3f}) than all others together "
        f"({column['others_auc']:.3f}), and adds {column['worth']:+.3f} to them; the limit is {LEAK_WORTH:+}"
        for column in probes["strongest"]
        if column["suspicious"] and column["worth"] > LEAK_WORTH
    ]
    if shuffled["leaks"]:
        leaks.append(f"shuffled labels were learned: AUC {shuffled['auc']:.3f}, not 0.50 ± {shuffled['tolerance']:.2f}")
    return leaks


def _as_of(evidence: Evidence) -> date | None:
    manifest = evidence.candidate.manifest
    return date.fromisoformat(manifest["training"]["as_of"]) if manifest else None
