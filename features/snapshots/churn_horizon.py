"""Choose a churn horizon: the length of silence that means a customer has left, and the errors of each choice.

Where the log says who left (contractual churn), no horizon misjudges a customer: there is only a churn rate.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from features.histories.columns import Histories
from features.snapshots.labels import has_left, orders_and_margin
from features.snapshots.snapshot import snapshot

HORIZON_CANDIDATES = (30, 60, 90, 120, 180, 270, 365)
FOLLOW_UP_DAYS = 180
MAX_FALSE_CHURN_RATE = 0.10
"""The largest share of false churners in a horizon that is advised."""


class Answered(NamedTuple):
    """What a log gives for a horizon."""

    trainable: bool
    """True if a model can be trained for it."""
    judged: bool
    """True if the log leaves a window of it on which the model is judged."""


@dataclass(frozen=True)
class HorizonCandidate:
    """One horizon: the share of customers it counts as churned, and the share of those who come back."""

    horizon_days: int
    churn_rate: float
    """Share of the customers who had been silent for the horizon on the day of comparison."""
    false_churn_rate: float
    """Share of those who ordered within the follow-up after that day."""
    trainable: bool
    judged: bool
    """See `Answered`, as for `trainable`."""


@dataclass(frozen=True)
class ContractualChurnRate:
    """One horizon where churn is contractual: the share of customers who leave within it."""

    horizon_days: int
    churn_rate: float
    """Share of the customers at the start of the last such window of the data who left within it."""
    trainable: bool
    judged: bool
    """See `Answered`, as for `trainable`."""


def churn_rates(histories: Histories, *, answered: Callable[[int], Answered]) -> list[ContractualChurnRate]:
    """The churn rate of each horizon that fits into the data, each over the window that ends with it.

    answered: what the log gives for a horizon of so many days.
    """
    history_days = (histories.end - histories.first_day).days
    rates = []
    for horizon in (days for days in HORIZON_CANDIDATES if days < history_days):
        rows = snapshot(histories, as_of=[histories.end - timedelta(days=horizon)], features=["recency_days"])
        if rows.num_rows:
            rate = float(has_left(histories, rows, horizon_days=horizon).mean())
            rates.append(ContractualChurnRate(horizon, rate, *answered(horizon)))
    return rates


def compare_horizons(
    histories: Histories, *, answered: Callable[[int], Answered]
) -> tuple[list[HorizonCandidate], int]:
    """The horizons compared on one day, and the days of follow-up after it.

    The follow-up is 180 days or a third of the history, and the same for every horizon, so that the rates can
    be compared: a longer silence can only be a surer sign. Biased where the follow-up falls into another season.
    answered: what the log gives for a horizon of so many days.
    """
    history_days = (histories.end - histories.first_day).days
    follow_up = max(min(FOLLOW_UP_DAYS, history_days // 3), 1)
    rows = snapshot(histories, as_of=[histories.end - timedelta(days=follow_up)], features=["recency_days"])
    recency = rows["recency_days"].to_numpy()
    returned = orders_and_margin(histories, rows, from_days=0, to_days=follow_up)[0] > 0
    compared = [
        HorizonCandidate(horizon, float(silent.mean()), float(returned[silent].mean()), *answered(horizon))
        for horizon in HORIZON_CANDIDATES
        if (silent := recency >= horizon).any()
    ]
    return compared, follow_up


def advise_horizon(compared: list[HorizonCandidate]) -> HorizonCandidate | None:
    """The shortest horizon with few false churners; failing that, the one with the fewest.

    Of those that are judged; where none is, of those that can be trained.
    """
    trainable = [candidate for candidate in compared if candidate.trainable]
    choice = [candidate for candidate in trainable if candidate.judged] or trainable
    good = [candidate for candidate in choice if candidate.false_churn_rate <= MAX_FALSE_CHURN_RATE]
    return good[0] if good else min(choice, key=lambda candidate: candidate.false_churn_rate, default=None)
