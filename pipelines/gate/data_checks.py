"""The gate's checks of what the candidate was taught: how old it is, and whether it was told the answers."""

from datetime import date
from typing import Any

from models import STAYWORTH
from pipelines.gate.check_result import CheckResult, check_result
from pipelines.gate.evidence import Evidence

TELLTALE = 0.03
"""What a column made of the label adds to the AUC of all others. An honest one that ranks best by chance, as among few
customers one of fifty may, adds next to nothing: the others say the same."""

TOO_GOOD = 0.99
"""A ROC-AUC that nobody reaches who has to guess: the label, or what follows from it, is among the features."""


def not_older(evidence: Evidence) -> CheckResult:
    """What a candidate knows ends no earlier than what the champion knows."""
    made = _as_of(evidence)
    if made is None:
        return CheckResult("not examined", "it has no manifest that can be read")
    theirs = evidence.rival.as_of if evidence.rival else None
    if theirs is None:
        return CheckResult("pass", f"its data end before {made}; there is no champion to be older than")
    return check_result(made >= theirs, f"its data end before {made}, the champion's before {theirs}")


def fresh(evidence: Evidence) -> CheckResult:
    """The log ends at most a horizon ago, or, where the champion too was made of an archive, a horizon later.

    Without the second half nobody could try this on historical data twice.
    """
    made = _as_of(evidence)
    if made is None:
        return CheckResult("not examined", "it has no manifest that can be read")
    rival, limit = evidence.rival, evidence.horizon_days
    if rival and rival.made_at and rival.as_of:
        limit += max((rival.made_at - rival.as_of).days, 0)
    age = (evidence.now - made).days
    return check_result(age <= limit, f"its data end before {made}, {age:,} days ago; at most {limit:,}")


def no_leak(evidence: Evidence) -> CheckResult:
    """Canaries: a ranking without error, a column that knows more than all others, shuffled labels that were learnt."""
    auc = (evidence.metrics["models"][STAYWORTH].get("roc_auc") or {}).get("value")
    if auc is not None and auc >= TOO_GOOD:
        return CheckResult("fail", f"ROC-AUC {auc:.3f}, and {TOO_GOOD} is more than anyone can know")
    if "note" in evidence.canaries:
        return CheckResult("not examined", evidence.canaries["note"])
    found = _leaks(evidence.canaries)
    if found:
        return CheckResult("fail", "; ".join(found) + " (`stayworth check --leaks` says more)")
    strongest = evidence.canaries["strongest"][:1]
    one = f"; {strongest[0]['feature']} alone reaches {strongest[0]['auc']:.3f}" if strongest else ""
    shuffled = evidence.canaries["shuffled_labels"]
    return CheckResult("pass", f"AUC {shuffled['auc']:.3f} on shuffled labels, 0.50 ± {shuffled['tolerance']:.2f}{one}")


def _leaks(canaries: Any) -> list[str]:
    shuffled = canaries["shuffled_labels"]
    found = [
        f"{one['feature']} alone ranks better (AUC {one['auc']:.3f}) than all others together "
        f"({one['others_auc']:.3f}), and adds {one['worth']:+.3f} to them; at most {TELLTALE:+}"
        for one in canaries["strongest"]
        if one["suspicious"] and one["worth"] > TELLTALE
    ]
    if shuffled["leaks"]:
        found.append(f"shuffled labels were learnt: AUC {shuffled['auc']:.3f}, not 0.50 ± {shuffled['tolerance']:.2f}")
    return found


def _as_of(evidence: Evidence) -> date | None:
    manifest = evidence.candidate.manifest
    return date.fromisoformat(manifest["training"]["as_of"]) if manifest else None
