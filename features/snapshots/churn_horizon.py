"""After how long a silence a customer has left: what each horizon would get wrong.

Where the log says who left (contractual churn), no horizon calls anybody gone who is not: there is only a churn rate.
"""

from dataclasses import dataclass
from datetime import timedelta

from features.histories.columns import Histories
from features.snapshots.labels import has_left, orders_and_margin
from features.snapshots.snapshot import snapshot

HORIZON_CANDIDATES = (30, 60, 90, 120, 180, 270, 365)
FOLLOW_UP_DAYS = 180
MAX_FALSE_CHURN_RATE = 0.10
"""Share of false churners up to which the adviser takes a horizon."""


@dataclass(frozen=True)
class HorizonCandidate:
    """One horizon: how many customers it calls gone, and how many of those come back all the same."""

    horizon_days: int
    churn_rate: float
    """Share of the customers who had been silent for the horizon on the day of judgement."""
    false_churn_rate: float
    """Share of those who ordered within the follow-up after that day."""
    trainable: bool
    """Whether the history is long enough to train and test with it (four horizons)."""


@dataclass(frozen=True)
class ContractualChurnRate:
    """One horizon where churn is contractual: how many leave within it."""

    horizon_days: int
    churn_rate: float
    """Share who left in the last such window of the data, of the customers at its beginning."""
    trainable: bool
    """As of `HorizonCandidate`."""


def churn_rates(histories: Histories) -> list[ContractualChurnRate]:
    """The churn rate of each horizon that fits into the data, each over the window that ends with it."""
    have = (histories.end - histories.first_day).days
    rates = []
    for horizon in (one for one in HORIZON_CANDIDATES if one < have):
        rows = snapshot(histories, as_of=[histories.end - timedelta(days=horizon)], features=["recency_days"])
        if rows.num_rows:
            rate = float(has_left(histories, rows, horizon_days=horizon).mean())
            rates.append(ContractualChurnRate(horizon, rate, have >= 4 * horizon))
    return rates


def compare_horizons(histories: Histories) -> tuple[list[HorizonCandidate], int]:
    """The horizons compared on one day, and the days of follow-up after it.

    The follow-up is 180 days or a third of the history, and the same for every horizon, so that the rates compare: a
    longer silence can only be a surer one. Wrong in level where the follow-up falls into another season.
    """
    have = (histories.end - histories.first_day).days
    follow_up = max(min(FOLLOW_UP_DAYS, have // 3), 1)
    rows = snapshot(histories, as_of=[histories.end - timedelta(days=follow_up)], features=["recency_days"])
    recency = rows["recency_days"].to_numpy()
    returned = orders_and_margin(histories, rows, from_days=0, to_days=follow_up)[0] > 0
    judged = [
        HorizonCandidate(horizon, float(silent.mean()), float(returned[silent].mean()), have >= 4 * horizon)
        for horizon in HORIZON_CANDIDATES
        if (silent := recency >= horizon).any()
    ]
    return judged, follow_up


def advise_horizon(judged: list[HorizonCandidate]) -> HorizonCandidate | None:
    """The shortest trainable horizon with few false churners; failing that, the trainable one with the fewest."""
    trainable = [one for one in judged if one.trainable]
    good = [one for one in trainable if one.false_churn_rate <= MAX_FALSE_CHURN_RATE]
    return good[0] if good else min(trainable, key=lambda one: one.false_churn_rate, default=None)
