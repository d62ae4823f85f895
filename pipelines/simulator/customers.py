"""Traits of customers: a customer's number alone decides them, whatever other customers there are."""

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
    """Place among `parameters.KINDS`."""
    joined: Floats
    """Day of the first order, days since 1970."""
    ordering: Floats
    """Orders while engaged, over a whole year."""
    cooling: Floats
    """Rate at which an engaged customer cools, by a complaint or without."""
    leaving: Floats
    """Rate at which a cooling customer leaves for good."""
    mean_order: Floats
    """Currency units."""
    complaining: Floats
    """Complaints while engaged."""
    responsive: Floats
    """0 to 1, hidden: how readily mail is opened and offers are taken."""
    acquired: Integers
    """Place among `parameters.ACQUIRED`."""

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: Integers | NDArray[np.bool_]) -> "Customers":
        return Customers(*(getattr(self, field.name)[rows] for field in fields(self)))

    def of_kind(self, name: str) -> Floats:
        """A parameter of each customer's kind."""
        return np.array([getattr(kind, name) for kind in KINDS], dtype=float)[self.kind]


def draw_customers(numbers: Integers, *, seed: int, first_day: int, days: int) -> Customers:
    """The customers of these numbers, who joined in `[first_day, first_day + days)`, evenly over it."""
    drawn = iter(uniforms(seed, numbers, TRAITS, number=place) for place in range(9))
    kind = draw_categories(next(drawn), [kind.share for kind in KINDS])

    def of_kind(name: str) -> Floats:
        return np.array([getattr(each, name) for each in KINDS], dtype=float)[kind]

    def varied() -> Floats:
        return np.asarray(gammaincinv(RATE_SHAPE, next(drawn)) / RATE_SHAPE)

    complaining = of_kind("complaints_per_year") / parameters.SEASON_YEAR * varied()
    spread = parameters.MEAN_ORDER_SPREAD
    return Customers(
        number=numbers,
        kind=kind,
        joined=first_day + days * next(drawn),
        ordering=varied() / of_kind("days_between_orders"),
        cooling=varied() / of_kind("days_engaged") + parameters.COMPLAINT_COOLS * complaining,
        leaving=varied() / of_kind("days_cooling"),
        mean_order=of_kind("mean_order") * np.exp(spread * ndtri(next(drawn)) - spread**2 / 2),
        complaining=complaining,
        responsive=next(drawn),
        acquired=draw_categories(next(drawn), np.array([each.acquired for each in KINDS])[kind]),
    )


def draw_categories(drawn: Floats, shares: Sequence[float] | Floats) -> Integers:
    """The category that each number of (0, 1) falls into; the shares sum to 1, for all rows or in each row."""
    ends = np.cumsum(np.asarray(shares, dtype=float), axis=-1)[..., :-1]
    return np.asarray((drawn[:, None] > ends).sum(axis=1), dtype=np.int64)
