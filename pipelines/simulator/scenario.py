"""Scenario of a simulated shop: its customers and their lifetimes as long as no campaign contacts them.

A scenario is four numbers, the name of a world and that of what kept customers do; everything else follows from them
and from `parameters`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from features.clock import DAY, microseconds
from features.errors import InputError
from pipelines.simulator import parameters
from pipelines.simulator.customers import Customers, draw_customers
from pipelines.simulator.lifetimes import ENGAGED, Lifetimes, draw_lifetimes
from pipelines.simulator.parameters import ANOTHER_FUTURE, KEPT, ONE_ORDER
from pipelines.simulator.shop_tables import ID_DIGITS
from pipelines.simulator.worlds import STANDARD, WORLDS, World


@dataclass(frozen=True)
class Scenario:
    """A simulated shop as of a day: its customers joined in the `days` before it."""

    customers: int
    days: int
    seed: int
    as_of: date
    world_name: str = STANDARD
    kept: str = ANOTHER_FUTURE
    """What customers do whom a contact keeps: a name of `parameters.KEPT`."""

    @property
    def world(self) -> World:
        return replace(WORLDS[self.world_name], kept=self.kept)

    @property
    def day(self) -> int:
        """The day, in days since 1970."""
        return microseconds(self.as_of) // DAY

    @property
    def end(self) -> date:
        """The day on which the horizon closes."""
        return self.as_of + timedelta(days=parameters.HORIZON_DAYS)

    def checked(self) -> "Scenario":
        """The scenario itself; raises InputError for a number out of range or an unknown world."""
        most = 10**ID_DIGITS - 1
        limits = {"customers": (1, most), "days": (1, 36_500), "seed": (0, 2**62)}
        for name, (least, highest) in limits.items():
            if not least <= getattr(self, name) <= highest:
                raise InputError(
                    f"{getattr(self, name):,} is not from {least:,} to {highest:,}",
                    where=f"--{name}",
                    next=f"Example: --{name} {min(1000, highest):,}".replace(",", ""),
                )
        if self.world_name not in WORLDS:
            raise InputError(
                f"there is no world '{self.world_name}'", where="--world", next=f"The worlds are {', '.join(WORLDS)}."
            )
        if self.kept not in KEPT:
            raise InputError(f"kept customers do not do '{self.kept}'", where="--kept", next=f"Name {', '.join(KEPT)}.")
        if self.kept == ONE_ORDER and self.world.contract is not None:
            raise InputError(
                "under a contract customers are kept until the end of the horizon, not for one order",
                where="--kept",
                next="Name another world, or leave --kept out.",
            )
        return self


@dataclass(frozen=True)
class CustomerChunk:
    """Some customers of a shop; their lifetimes without any campaign, a row each."""

    customers: Customers
    lifetimes: Lifetimes


def customer_chunks(shop: Scenario, *, size: int) -> Iterator[CustomerChunk]:
    """All customers of a shop, in chunks of `size`."""
    for first in range(0, shop.customers, size):
        yield customer_chunk(shop, np.arange(first, min(first + size, shop.customers)))


def newcomer_chunks(shop: Scenario, *, size: int) -> Iterator[CustomerChunk]:
    """Customers who join in the horizon after the shop's day, as many a day as before it; in chunks of `size`."""
    count = round(shop.customers / shop.days * parameters.HORIZON_DAYS)
    for first in range(shop.customers, shop.customers + count, size):
        numbers = np.arange(first, min(first + size, shop.customers + count))
        yield _part(shop, numbers, first_day=shop.day, days=parameters.HORIZON_DAYS)


def customer_chunk(shop: Scenario, numbers: np.ndarray) -> CustomerChunk:
    """The customers of these numbers."""
    return _part(shop, numbers, first_day=shop.day - shop.days, days=shop.days)


def _part(shop: Scenario, numbers: np.ndarray, *, first_day: int, days: int) -> CustomerChunk:
    customers = draw_customers(numbers, seed=shop.seed, first_day=first_day, days=days, world=shop.world)
    rows, engaged = np.arange(len(customers)), np.full(len(customers), ENGAGED)
    lifetimes = draw_lifetimes(customers, rows, seed=shop.seed, branch=0, start=customers.joined, stage=engaged)
    return CustomerChunk(customers, lifetimes)
