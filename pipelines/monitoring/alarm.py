"""Limits of monitoring: the reasons and the verdict that follow from feature drift and from matured scores.

    retrain   something is clearly beyond its limit
    watch     something is beyond what is usual, or cannot be judged; look again
    fine      neither

All limits but those of lifetime values (pipelines/monitoring/lifetime_alarm.py) stand here. A metric of a matured batch
is beyond its limit only if its whole interval is, so that chance alarms no small shop; a column has drifted only if it
moved by more than is usual and by more than chance.
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
"""A column must also pass this many times the usual PSI."""
UNSEEN_WATCH, UNSEEN_RETRAIN = 0.01, 0.05
"""Share of customers with a name that the model has never learned, and scores as if they had none: from a twentieth on
it guesses for more customers than the 95 % intervals leave out. Our choice."""
AUC_LOSS = 0.05
"""ROC-AUC that the ranking may lose against the gate: half of the step from one grade of the usual scale to the next,
0.7 acceptable, 0.8 excellent (Hosmer, Lemeshow & Sturdivant 2013, Applied Logistic Regression, 5.2.4)."""
ECE_LOSS = 0.02
"""Calibration error that may be added to the gate's, beside chance, where the sum is more than the gate allows. Our
choice."""
MAX_NAMED = 3
"""Columns named in a sentence."""


@dataclass(frozen=True)
class Reason:
    """Reason for a verdict: the finding with its limit, and the next step."""

    about: Literal["features", "scores", "ranking", "probabilities", "money", "log", "lifetime"]
    verdict: Literal["retrain", "watch"]
    found: str
    next: str

    @property
    def content(self) -> dict[str, Any]:
        return asdict(self)


def worst_verdict(reasons: Sequence[Reason]) -> Verdict:
    """The worst verdict of the reasons; "fine" without any."""
    verdicts = {reason.verdict for reason in reasons}
    return "retrain" if "retrain" in verdicts else "watch" if "watch" in verdicts else "fine"


def absence_reasons(absent: Sequence[str]) -> list[Reason]:
    """Reasons that follow from features that the log no longer gives; none without such a feature."""
    if not absent:
        return []
    named = ", ".join(absent[:MAX_NAMED]) + (", …" if len(absent) > MAX_NAMED else "")
    finding = f"the log no longer gives {len(absent)} of the model's features: {named}"
    next_step = "Check whether a table or a column is missing; if it is gone for good, retrain."
    return [Reason("log", "retrain", finding, next_step)]


def drift_reasons(drifts: Sequence[FeatureDrift], *, apart_days: int) -> list[Reason]:
    """Reasons that follow from feature drift: one for the features and one for the scores, at most."""
    reasons = []
    for about, is_score in (("features", False), ("scores", True)):
        columns = [(column, *_judge(column)) for column in drifts if column.is_score == is_score]
        for verdict in ("retrain", "watch"):
            beyond = [(column, evidence) for column, judged_as, evidence in columns if judged_as == verdict]
            if beyond:
                named = "; ".join(_in_words(column, evidence) for column, evidence in beyond[:MAX_NAMED])
                more = f"; and {len(beyond) - MAX_NAMED} more" if len(beyond) > MAX_NAMED else ""
                finding = (
                    f"{len(beyond)} of {len(columns)} {about} moved more than usual in {apart_days} "
                    f"day{'s' * (apart_days != 1)}: {named}{more}"
                )
                reasons.append(Reason(about, verdict, finding, NEXT_STEPS[about]))  # type: ignore[arg-type]
                break
    return reasons


NEXT_STEPS = {
    "features": "Check whether the data still come as they did (a source that fell silent, a new unit, a new name); "
    "if the customers have really changed, retrain.",
    "scores": "Check which features moved; if their values are right, retrain.",
}


def _judge(column: FeatureDrift) -> tuple[Verdict, str]:
    """The verdict on a column, and the numbers behind it in words."""
    verdicts: list[tuple[Verdict, str]] = []
    for psi, usual, customers in (
        (column.drift.all, column.usual_all, ""),
        (column.drift.rest, column.usual_rest, " of those who have it"),
    ):
        if psi is not None and usual is not None:
            numbers = f"{psi.value:.2f}, usual up to {usual:.2f}, at most {psi_limit(psi, usual):.2f}"
            verdicts.append((_judge_psi(psi, usual), f"PSI{customers} {numbers}"))
    if column.usual_unseen is not None:
        verdicts.append(_judge_unseen_names(column.drift.unseen_share, column.usual_unseen))
    worst = (pair for verdict in ("retrain", "watch") for pair in verdicts if pair[0] == verdict)
    return next(worst, ("fine", ""))


def _judge_unseen_names(share: float, usual: float) -> tuple[Verdict, str]:
    """The verdict on the share of customers with a name that the model has not learned."""
    most = max(UNSEEN_RETRAIN, USUAL_FACTOR * usual)
    verdict: Verdict = "fine"
    if share > max(UNSEEN_WATCH, USUAL_FACTOR * usual):
        verdict = "retrain" if share > most else "watch"
    return verdict, f"{share:.1%} of customers have a name the model never learned, at most {most:.1%}"


def _judge_psi(psi: Psi, usual: float) -> Verdict:
    if psi.value > psi_limit(psi, usual):
        return "retrain"
    return "watch" if psi.value > psi_limit(psi, usual, PSI_WATCH) else "fine"


def psi_limit(psi: Psi, usual: float, threshold: float = PSI_RETRAIN) -> float:
    """The PSI above which a column counts as drifted."""
    return max(threshold, USUAL_FACTOR * usual) + psi.chance


def _in_words(column: FeatureDrift, evidence: str) -> str:
    """A drifted column in words."""
    before, now = column.drift.missing
    missing = f", missing {before:.0%} → {now:.0%}" if abs(now - before) >= 0.01 else ""
    new = f", new: {', '.join(column.drift.unseen[:MAX_NAMED])}" if column.drift.unseen else ""
    return f"{column.column} ({evidence}{missing}{new})"


def matured_reasons(batch: Mapping[str, Any], at_gate: Mapping[str, float]) -> list[Reason]:
    """Reasons that follow from a matured batch. at_gate: the same metrics of the model at the gate."""
    metrics, day = batch["figures"], batch["as_of"]
    reasons = []
    is_comparable = not batch["own_campaigns"]["nobody_stands_for"]
    auc, gate_auc = metrics.get("roc_auc"), at_gate.get("roc_auc")
    if is_comparable and auc and gate_auc is not None and auc["high"] is not None and auc["high"] < gate_auc - AUC_LOSS:
        finding = (
            f"the model ranks worse: ROC-AUC {_with_interval(auc, '.3f')} for the scores of {day}, {gate_auc:.3f} at "
            f"the gate; it may lose at most {AUC_LOSS}"
        )
        reasons.append(Reason("ranking", "retrain", finding, "Retrain."))
    ece, chance = metrics.get("ece"), batch["ece_by_chance"]
    if ece and ece["value"] is not None:
        most = max(WORST_ECE, at_gate.get("ece", 0.0) + ECE_LOSS) + chance
        predicted, observed = metrics["churn_rate_said"]["value"], metrics["churn_rate"]["value"]
        if ece["value"] > most:
            finding = (
                f"the probabilities are off: the scores of {day} predicted that {predicted:.1%} would leave, and "
                f"{observed:.1%} did; ECE {ece['value']:.3f}, at most {most:.3f}, {chance:.3f} of it chance"
            )
            reasons.append(Reason("probabilities", "retrain", finding, "Retrain."))
    return reasons + _money_reasons(metrics.get("total_bias"), at_gate.get("total_bias"), day)


def _money_reasons(bias: Mapping[str, float | None] | None, at_gate: float | None, day: str) -> list[Reason]:
    if not bias or bias["value"] is None or bias["low"] is None or bias["high"] is None:
        return []
    most = max(WORST_BIAS, abs(at_gate or 0.0))
    finding = (
        f"money is off: the values predicted on {day} differ by {_with_interval(bias, '+.1%')} from those that came; "
        f"at most ±{most:.0%}"
    )
    if bias["low"] > most or bias["high"] < -most:
        return [Reason("money", "retrain", finding, "Retrain.")]
    if abs(bias["value"]) > most:
        return [Reason("money", "watch", f"{finding}, and it may be chance", "Look again when the next batch matures.")]
    return []


def _with_interval(estimate: Mapping[str, float | None], form: str) -> str:
    return f"{estimate['value']:{form}} ({estimate['low']:{form}} to {estimate['high']:{form}})"
