"""Does the model beat the simple ones? Said in words, from the evaluation, for people who decide."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

MODELS = {
    "stayworth": "Stayworth",
    "bgnbd_gamma_gamma": "BG/NBD + Gamma-Gamma",
    "rfm_logistic": "RFM logistic regression",
    "last_period": "Same as last period",
    "hiatus": "Hiatus rule",
}


@dataclass(frozen=True)
class Metric:
    """How to name, write and judge one figure of the evaluation."""

    label: str
    form: str
    better: Literal["higher", "lower", "nearer zero", "nearer 80%"]
    means: str


METRICS = {
    "roc_auc": Metric("ROC-AUC", ".3f", "higher", "chance that a leaver is ranked above a stayer; 0.5 is a coin"),
    "pr_auc": Metric("PR-AUC", ".3f", "higher", "precision averaged over recall; the churn rate is a coin's"),
    "top_decile_lift": Metric("top-decile lift", ".2f", "higher", "leavers among the riskiest tenth against all"),
    "log_loss": Metric("log loss", ".4f", "lower", "surprise per customer at what happened"),
    "brier": Metric("Brier score", ".4f", "lower", "mean squared error of the churn probability"),
    "ece": Metric("calibration error", ".3f", "lower", "mean gap between predicted and observed churn rate (ECE)"),
    "normalized_gini": Metric("normalised Gini", ".3f", "higher", "ranking of customers by value; 1 is perfect"),
    "spearman": Metric("Spearman", ".3f", "higher", "rank correlation of predicted and realised value"),
    "decile_mape": Metric("decile error", ".1%", "lower", "mean error of the predicted value of a tenth (MAPE)"),
    "mae": Metric("MAE", ".2f", "lower", "mean absolute error of a customer's value, in currency units"),
    "rmse": Metric("RMSE", ".2f", "lower", "root mean squared error of a customer's value, in currency units"),
    "r2": Metric("R²", ".3f", "higher", "share of the variance of value explained"),
    "total_bias": Metric("total bias", "+.1%", "nearer zero", "predicted total value against realised"),
    "interval_coverage": Metric("interval coverage", ".1%", "nearer 80%", "customers inside their 80% interval"),
}
LEAVING = ("roc_auc", "pr_auc", "top_decile_lift", "log_loss", "brier", "ece")
BRINGING = tuple(name for name in METRICS if name not in LEAVING)

#: What decides whether an opponent is beaten: ranking, probability and calibration; ranking and level of value.
DECISIVE = ("roc_auc", "log_loss", "ece", "normalized_gini", "spearman", "decile_mape")

Word = Literal["better", "worse", "mixed", "no clear difference", "not compared"]


@dataclass(frozen=True)
class Verdict:
    """Stayworth against one opponent: a word, and the metrics behind it."""

    opponent: str
    word: Word
    better: tuple[str, ...]
    worse: tuple[str, ...]
    unclear: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """One honest sentence: better at what, worse at what, not told apart by what, not compared in what."""
        parts = [
            f"{says} {_listed(names)}"
            for says, names in [
                ("better in", self.better),
                ("worse in", self.worse),
                ("no clear difference in", self.unclear),
                ("not comparable in", self.missing),
            ]
            if names
        ]
        text = "; ".join(parts)
        return text[:1].upper() + text[1:] + "."


def verdicts(metrics: Mapping[str, Any]) -> list[Verdict]:
    """One verdict per opponent in `metrics["differences"]` (Stayworth minus opponent, paired resamples).

    A difference is clear if its interval excludes zero. Wrong by chance now and then: at 95 %, one clear difference
    in twenty comparisons of equals.
    """
    return [_verdict(opponent, differences) for opponent, differences in metrics["differences"].items()]


def tally(verdicts: Sequence[Verdict]) -> str:
    """How many opponents are beaten: "clearly better than 2 of 4 simple models, not clearly different from 2 of 4"."""
    words: Counter[str] = Counter(verdict.word for verdict in verdicts)
    says = {
        "better": "clearly better than {} of {} simple models",
        "worse": "clearly worse than {} of {}",
        "mixed": "better in some ways and worse in others than {} of {}",
        "no clear difference": "not clearly different from {} of {}",
        "not compared": "not compared with {} of {}",
    }
    parts = [says[word].format(words[word], len(verdicts)) for word in says if words[word] or word == "better"]
    return ", ".join(parts)


def _verdict(opponent: str, differences: Mapping[str, Mapping[str, float | None]]) -> Verdict:
    found: dict[str, list[str]] = {"better": [], "worse": [], "unclear": [], "missing": []}
    for name in DECISIVE:
        found[_side(differences.get(name), METRICS[name])].append(name)
    better, worse = bool(found["better"]), bool(found["worse"])
    word: Word
    if not (better or worse):
        word = "no clear difference" if found["unclear"] else "not compared"
    else:
        word = "mixed" if better and worse else "better" if better else "worse"
    return Verdict(opponent, word, **{side: tuple(names) for side, names in found.items()})


def _side(difference: Mapping[str, float | None] | None, metric: Metric) -> str:
    low, high = (None, None) if difference is None else (difference.get("low"), difference.get("high"))
    if low is None or high is None or low != low or high != high:
        return "missing"
    if low <= 0 <= high:
        return "unclear"
    return "better" if (low > 0) == (metric.better == "higher") else "worse"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(METRICS[name].label for name in names)
