"""Is the model still what it was when it passed the gate? One verdict, from what moved and from what became of it.

    retrain   something is clearly beyond what it may be
    watch     something is beyond what is usual, or cannot be judged; look again
    fine      neither

All limits stand here. A figure of a matured batch is beyond its limit only if its whole interval is, so that a small
shop is not alarmed by chance; a column has moved only by more than it moves in quiet times and by chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from models.evaluation.drift import Psi
from pipelines.gate.merit_checks import WORST_BIAS, WORST_ECE
from pipelines.monitoring.feature_drift import FeatureDrift

Verdict = Literal["retrain", "watch", "fine"]

PSI_WATCH, PSI_RETRAIN = 0.1, 0.25
"""The convention of credit scoring: below the one stable, above the other another population (Siddiqi 2006, Credit Risk
Scorecards)."""
USUAL_FACTOR = 2.0
"""And this many times the largest PSI of quiet days as far apart."""
UNSEEN_WATCH, UNSEEN_RETRAIN = 0.01, 0.05
"""Share of customers with a name that the model has never learnt, and scores as if they had none: from a twentieth on
it guesses of more customers than the 95 % intervals leave out. Our choice."""
AUC_LOSS = 0.05
"""By which the ranking may fall behind what the gate saw: half of what ROC-AUC is between one grade of the usual scale
and the next, 0.7 acceptable, 0.8 excellent (Hosmer, Lemeshow & Sturdivant 2013, Applied Logistic Regression, 5.2.4)."""
ECE_LOSS = 0.02
"""By which the calibration error may exceed what the gate saw, beside chance, where that is more than the gate allows.
Our choice."""
MAX_NAMED = 3
"""Columns named in a sentence."""


@dataclass(frozen=True)
class Reason:
    """One thing that is not as it was: what was found, what the limit is, and what to do."""

    about: Literal["features", "scores", "ranking", "probabilities", "money", "log"]
    verdict: Literal["retrain", "watch"]
    found: str
    next: str

    @property
    def content(self) -> dict[str, Any]:
        return asdict(self)


def worst_verdict(reasons: Sequence[Reason]) -> Verdict:
    """The worst that a reason says."""
    said = {one.verdict for one in reasons}
    return "retrain" if "retrain" in said else "watch" if "watch" in said else "fine"


def absence_reasons(absent: Sequence[str]) -> list[Reason]:
    """What follows from features that the log does not give any more."""
    if not absent:
        return []
    named = ", ".join(absent[:MAX_NAMED]) + (", …" if len(absent) > MAX_NAMED else "")
    found = f"the log no longer gives {len(absent)} of the model's features: {named}"
    return [
        Reason("log", "retrain", found, "See whether a table or a column is missing; if that is for good, retrain.")
    ]


def drift_reasons(moved: Sequence[FeatureDrift], *, apart_days: int) -> list[Reason]:
    """What follows from the columns that moved: one reason for the features and one for the scores, at most."""
    reasons = []
    for about, is_score in (("features", False), ("scores", True)):
        judged = [(one, *_judged(one)) for one in moved if one.is_score == is_score]
        for verdict in ("retrain", "watch"):
            beyond = [(one, told) for one, said, told in judged if said == verdict]
            if beyond:
                found = "; ".join(_shift(one, told) for one, told in beyond[:MAX_NAMED])
                more = f"; and {len(beyond) - MAX_NAMED} more" if len(beyond) > MAX_NAMED else ""
                what = (
                    f"{len(beyond)} of {len(judged)} {about} moved more than usual in {apart_days} days: {found}{more}"
                )
                reasons.append(Reason(about, verdict, what, _NEXT[about]))  # type: ignore[arg-type]
                break
    return reasons


_NEXT = {
    "features": "See whether the data still come as they did (a source that fell silent, a new unit, a new name); "
    "if the customers have really changed, retrain.",
    "scores": "See which features moved; if they are right, retrain.",
}


def _judged(one: FeatureDrift) -> tuple[Verdict, str]:
    """How far a column moved, and in words the figure that says so."""
    said: list[tuple[Verdict, str]] = []
    for psi, quiet, who in (
        (one.drift.all, one.quiet_all, ""),
        (one.drift.rest, one.quiet_rest, " of those who have it"),
    ):
        if psi is not None and quiet is not None:
            figures = f"{psi.value:.2f}, usual up to {quiet:.2f}, at most {psi_limit(psi, quiet):.2f}"
            said.append((_beyond(psi, quiet), f"PSI{who} {figures}"))
    if one.quiet_unseen is not None:
        said.append(_unseen(one.drift.unseen_share, one.quiet_unseen))
    return next((found for verdict in ("retrain", "watch") for found in said if found[0] == verdict), ("fine", ""))


def _unseen(share: float, quiet: float) -> tuple[Verdict, str]:
    """Of names that the model has not learnt."""
    most = max(UNSEEN_RETRAIN, USUAL_FACTOR * quiet)
    verdict: Verdict = "fine"
    if share > max(UNSEEN_WATCH, USUAL_FACTOR * quiet):
        verdict = "retrain" if share > most else "watch"
    return verdict, f"{share:.1%} of customers have a name never learnt, at most {most:.1%}"


def _beyond(psi: Psi, quiet: float) -> Verdict:
    if psi.value > psi_limit(psi, quiet):
        return "retrain"
    return "watch" if psi.value > psi_limit(psi, quiet, PSI_WATCH) else "fine"


def psi_limit(psi: Psi, quiet: float, threshold: float = PSI_RETRAIN) -> float:
    """The PSI above which a column has moved."""
    return max(threshold, USUAL_FACTOR * quiet) + psi.chance


def _shift(one: FeatureDrift, told: str) -> str:
    """A column that moved, in words."""
    before, now = one.drift.missing
    gone = f", missing {before:.0%} → {now:.0%}" if abs(now - before) >= 0.01 else ""
    new = f", new: {', '.join(one.drift.unseen[:MAX_NAMED])}" if one.drift.unseen else ""
    return f"{one.column} ({told}{gone}{new})"


def matured_reasons(batch: Mapping[str, Any], seen: Mapping[str, float]) -> list[Reason]:
    """What follows from a matured batch. seen: the same figures of the model when it was at the gate."""
    figures, day = batch["figures"], batch["as_of"]
    reasons = []
    stood = not batch["own_campaigns"]["nobody_stands_for"]
    auc, at_gate = figures.get("roc_auc"), seen.get("roc_auc")
    if stood and auc and at_gate is not None and auc["high"] is not None and auc["high"] < at_gate - AUC_LOSS:
        found = f"it ranks worse: ROC-AUC {_shown(auc, '.3f')} of the scores of {day}, {at_gate:.3f} at the gate; "
        reasons.append(Reason("ranking", "retrain", f"{found}at most {AUC_LOSS} less", "Retrain."))
    ece, chance = figures.get("ece"), batch["ece_by_chance"]
    if ece and ece["value"] is not None:
        most = max(WORST_ECE, seen.get("ece", 0.0) + ECE_LOSS) + chance
        said, rate = figures["churn_rate_said"]["value"], figures["churn_rate"]["value"]
        if ece["value"] > most:
            found = (
                f"probabilities are off: of the scores of {day} {said:.1%} were to leave and {rate:.1%} did; ECE "
                f"{ece['value']:.3f}, at most {most:.3f}, {chance:.3f} of it chance"
            )
            reasons.append(Reason("probabilities", "retrain", found, "Retrain."))
    return reasons + _money(figures.get("total_bias"), seen.get("total_bias"), day)


def _money(bias: Mapping[str, float | None] | None, at_gate: float | None, day: str) -> list[Reason]:
    if not bias or bias["value"] is None or bias["low"] is None or bias["high"] is None:
        return []
    most = max(WORST_BIAS, abs(at_gate or 0.0))
    found = f"money is off: the scores of {day} said {_shown(bias, '+.1%')} against what came; at most ±{most:.0%}"
    if bias["low"] > most or bias["high"] < -most:
        return [Reason("money", "retrain", found, "Retrain.")]
    if abs(bias["value"]) > most:
        return [Reason("money", "watch", f"{found}, and it may be chance", "Look again when the next batch matures.")]
    return []


def _shown(figure: Mapping[str, float | None], form: str) -> str:
    return f"{figure['value']:{form}} ({figure['low']:{form}} to {figure['high']:{form}})"
