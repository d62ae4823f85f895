"""How far a log lets the horizon asked for be judged: for metrics.json, the model card, the report and HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from scipy.special import ndtri

from models.training.temporal_splits import JudgedWindow, days_to_judge, judged_window, learned_horizon
from pipelines.config import Config
from pipelines.training.training_set import TrainingSet
from retention.economics.customer_equity import total_interval

INTERVAL = 0.8
"""Of a total: the share of logs whose total is to lie inside."""


@dataclass(frozen=True)
class Judgement:
    """What of the horizon is learned and judged."""

    horizon_days: int
    """Asked for."""
    judged_days: int
    """The days after the test day on which the metrics rest; fewer than asked for where the horizon is not judged."""
    learned_days: int
    """Days of the windows that the model that serves has learned on."""
    in_words: str

    @property
    def is_judged(self) -> bool:
        return self.judged_days == self.horizon_days

    @property
    def content(self) -> dict[str, Any]:
        return asdict(self) | {"is_judged": self.is_judged}


def judgement(first_day: date, end: date, *, horizon_days: int) -> tuple[JudgedWindow, Judgement]:
    """The window on which a recipe is judged, and what it judges; raises InputError if nothing follows from the log."""
    window = judged_window(first_day, end, horizon_days=horizon_days)
    learned = learned_horizon(first_day, as_of=end, horizon_days=horizon_days)
    words = _in_words(window, learned, have=(end - first_day).days, horizon_days=horizon_days)
    return window, Judgement(horizon_days, window.horizon_days, learned, words)


def _in_words(window: JudgedWindow, learned: int, *, have: int, horizon_days: int) -> str:
    extended = f"the model learns on windows of {learned} days, extended to {horizon_days} by ranking and counting"
    if window.horizon_days < horizon_days:
        return (
            f"not judged over {horizon_days} days: the log has {have} days, and judging takes "
            f"{days_to_judge(horizon_days)}; {extended}, and its metrics are those of {window.horizon_days} days"
        )
    if learned < horizon_days:
        return f"judged over {horizon_days} days on a short log: {extended}"
    return f"judged over {horizon_days} days"


def with_horizon(config: Config, days: int) -> Config:
    """The config with another horizon, in which what can be judged is judged."""
    if days == config.time.horizon_days:
        return config
    return config.model_copy(update={"time": config.time.model_copy(update={"horizon_days": days})})


def horizon_doubt(metrics: Mapping[str, Any]) -> str | None:
    """What a reader of the scores should know of their horizon, in words; None where it is judged on a long log.

    metrics: as in metrics.json.
    """
    judged = metrics.get("judgement")
    if not judged or (judged["is_judged"] and judged["learned_days"] == judged["horizon_days"]):
        return None
    total, words = judged["expected_total"], str(judged["in_words"])
    if "low" not in total:
        return words
    return (
        f"{words}; the margin expected of all customers, {total['value']:,.0f}, may come out anywhere between "
        f"{total['low']:,.0f} and {total['high']:,.0f} in {INTERVAL:.0%} of such logs"
    )


def expected_total(training: TrainingSet, total: float) -> dict[str, float]:
    """The margin expected of all customers over the horizon, and its interval where the log is short.

    total: Σ expected value, currency units. The interval is that of a common level with the training set's spread.
    """
    if not training.level_spread:
        return {"value": total}
    low, high = total_interval(total, float(ndtri((1 + INTERVAL) / 2)) * training.level_spread)
    return {"value": total, "low": low, "high": high}
