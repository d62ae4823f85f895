"""Traits of customers: a customer's number alone decides them, whatever other customers there are."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, ndtri

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.draws import uniforms
from pipelines.simulator.parameters import TRAITS
from pipelines.simulator.worlds import World


@dataclass(frozen=True)
class Customers:
    """Some customers, an array each; rates are per day."""

    number: Integers
    kind: Integers
    """Place among the kinds of their world."""
    joined: Floats
    """Day of the first order, days since 1970."""
    ordering: Floats
    """Orders while engaged, over a whole year; under a contract the visits alone depend on it."""
    cooling: Floats
    """Rate at which an engaged customer cools, by a complaint or without, or leaves at once (`World.sudden`); under a
    contract at a risk of 1, as the next."""
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
    world: World
    """The world of all of them."""

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: Integers | NDArray[np.bool_]) -> "Customers":
        return replace(self, **{name: getattr(self, name)[rows] for name in ARRAYS})

    @property
    def leaving_apart(self) -> Floats:
        """The rate of leaving, a hundred-thousandth higher where it equals that of cooling: some formulas divide by
        their difference."""
        cooling, leaving = self.cooling, self.leaving
        return np.where(np.abs(leaving - cooling) < 1e-6 * leaving, leaving * (1 + 1e-5), leaving)

    def of_kind(self, name: str) -> Floats:
        """A parameter of each customer's kind."""
        return np.array([getattr(kind, name) for kind in self.world.kinds], dtype=float)[self.kind]


ARRAYS = [field.name for field in fields(Customers) if field.name != "world"]


def draw_customers(numbers: Integers, *, seed: int, first_day: int, days: int, world: World) -> Customers:
    """The customers of these numbers, who joined in `[first_day, first_day + days)`, evenly over it."""
    drawn = iter(uniforms(seed, numbers, TRAITS, number=place) for place in range(9))
    kind = draw_categories(next(drawn), [kind.share for kind in world.kinds])

    def of_kind(name: str) -> Floats:
        return np.array([getattr(each, name) for each in world.kinds], dtype=float)[kind]

    def varied() -> Floats:
        return np.asarray(gammaincinv(world.rate_shape, next(drawn)) / world.rate_shape)

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
        acquired=draw_categories(next(drawn), np.array([each.acquired for each in world.kinds])[kind]),
        world=world,
    )


def draw_categories(drawn: Floats, shares: Sequence[float] | Floats) -> Integers:
    """The category that each number of (0, 1) falls into; the shares sum to 1, for all rows or in each row."""
    ends = np.cumsum(np.asarray(shares, dtype=float), axis=-1)[..., :-1]
    return np.asarray((drawn[:, None] > ends).sum(axis=1), dtype=np.int64)
