"""Who the customers are: for each number the same customer, whoever else there is."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.draws import uniforms
from pipelines.simulator.parameters import KINDS, RATE_SHAPE, TRAITS


@dataclass(frozen=True)
class Customers:
    """Some customers, an array each; rates are per day."""

    number: Integers
    kind: Integers
    """Place among `world.KINDS`."""
    joined: Floats
    """Day of the first order, days since 1970."""
    ordering: Floats
    """Orders while engaged, over a whole year."""
    cooling: Floats
    """Rate at which somebody engaged cools, by a complaint or without."""
    leaving: Floats
    """Rate at which somebody cooling is gone for good."""
    mean_order: Floats
    """Currency units."""
    complaining: Floats
    """Complaints while engaged."""
    responsive: Floats
    """0 to 1, hidden: how readily mail is opened and offers are taken."""
    acquired: Integers
    """Place among `world.ACQUIRED`."""

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: Integers | NDArray[np.bool_]) -> "Customers":
        return Customers(*(getattr(self, field.name)[rows] for field in fields(self)))

    def of_kind(self, name: str) -> Floats:
        """A number of each one's kind."""
        return np.array([getattr(kind, name) for kind in KINDS], dtype=float)[self.kind]


def draw_customers(numbers: Integers, *, seed: int, first_day: int, days: int) -> Customers:
    """The customers of these numbers, who joined in `[first_day, first_day + days)`, evenly over it."""
    drawn = iter(uniforms(seed, numbers, TRAITS, number=place) for place in range(9))
    kind = draw_categories(next(drawn), [one.share for one in KINDS])

    def of(name: str) -> Floats:
        return np.array([getattr(one, name) for one in KINDS], dtype=float)[kind]

    def varied() -> Floats:
        return np.asarray(gammaincinv(RATE_SHAPE, next(drawn)) / RATE_SHAPE)

    complaining = of("complaints_per_year") / parameters.SEASON_YEAR * varied()
    spread = parameters.MEAN_ORDER_SPREAD
    return Customers(
        number=numbers,
        kind=kind,
        joined=first_day + days * next(drawn),
        ordering=varied() / of("days_between_orders"),
        cooling=varied() / of("days_engaged") + parameters.COMPLAINT_COOLS * complaining,
        leaving=varied() / of("days_cooling"),
        mean_order=of("mean_order") * np.exp(spread * ndtri(next(drawn)) - spread**2 / 2),
        complaining=complaining,
        responsive=next(drawn),
        acquired=draw_categories(next(drawn), np.array([one.acquired for one in KINDS])[kind]),
    )


def draw_categories(drawn: Floats, shares: Sequence[float] | Floats) -> Integers:
    """Which of several things each number of (0, 1) falls on; shares sum to 1, of all or of each row."""
    ends = np.cumsum(np.asarray(shares, dtype=float), axis=-1)[..., :-1]
    return np.asarray((drawn[:, None] > ends).sum(axis=1), dtype=np.int64)
