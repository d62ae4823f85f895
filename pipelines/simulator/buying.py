"""What customers buy: orders along their lives, and the lines of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.customers import Customers, chosen
from pipelines.simulator.draws import uniforms
from pipelines.simulator.lifetimes import LifetimeEvents, Lifetimes, events
from pipelines.simulator.parameters import LINES, ORDERS

SECOND_LINE, THIRD_LINE = 0.45, 0.15
"""Share of orders with so many lines at least."""
ADDRESSES = 64
"""Random numbers kept for an order: 16 for itself, and 16 for each line."""


@dataclass(frozen=True)
class OrderLines:
    """Lines of orders, a row each; money in minor units."""

    order: Integers
    """Place among the orders."""
    place: Integers
    """Of the line in its order."""
    category: Integers
    product: Integers
    """Within its category."""
    quantity: Integers
    cents: Integers
    """Paid, at least 1."""
    cost_cents: Integers
    discount_cents: Integers

    def __len__(self) -> int:
        return len(self.order)

    @property
    def margin_cents(self) -> Integers:
        return self.cents - self.cost_cents


def orders(people: Customers, of: Lifetimes, *, seed: int) -> LifetimeEvents:
    """The orders of each life: the one a customer's story begins with, and those that follow as he likes."""
    rates = {"engaged": people.ordering, "cooling": people.ordering * parameters.COOL_ORDERS}
    later = events(people, of, ORDERS, seed=seed, swing=parameters.SEASON_SWING, **rates)
    first = np.flatnonzero((of.branch == 0) & (of.start < of.until))
    life = np.concatenate([first, later.life])
    at = np.concatenate([of.start[first], later.at])
    number = np.concatenate([np.zeros(len(first), np.int64), later.number + 1])
    turn = np.lexsort((number, life))
    return LifetimeEvents(life[turn], at[turn], number[turn])


def drawn(people: Customers, of: Lifetimes, placed: LifetimeEvents, *, seed: int, what: Integers | int) -> Floats:
    """The random number `what` (0 to 63) of each order."""
    customer = people.number[of.person[placed.life]]
    where = {"branch": of.branch[placed.life], "number": placed.number * ADDRESSES + what}
    return uniforms(seed, customer, LINES, **where)


def lines(people: Customers, of: Lifetimes, placed: LifetimeEvents, *, seed: int) -> OrderLines:
    """The lines of orders: 1 to 3 of them share a log-normal amount, each of a category that the kind likes."""

    def one(what: Integers | int) -> Floats:
        return drawn(people, of, placed, seed=seed, what=what)

    person = of.person[placed.life]
    spread = parameters.ORDER_SPREAD
    total = people.mean_order[person] * np.exp(spread * ndtri(one(0)) - spread**2 / 2)
    more = one(1)
    count = 1 + (more < SECOND_LINE) + (more < THIRD_LINE)
    order = np.repeat(np.arange(len(placed)), count)
    place = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    each = LifetimeEvents(placed.life[order], placed.at[order], placed.number[order])

    def line(what: int) -> Floats:
        return drawn(people, of, each, seed=seed, what=16 * (place + 1) + what)

    kind = people.kind[person[order]]
    weight = 0.5 + line(0)
    share = weight / np.bincount(order, weight, minlength=len(placed))[order]
    category = chosen(line(1), np.array([one.basket for one in parameters.KINDS])[kind])
    cents = np.maximum(1, np.rint(100 * total[order] * share)).astype(np.int64)
    off = np.where(line(3) < people.of_kind("discounted")[person[order]], 0.1 + 0.2 * line(4), 0.0)
    return OrderLines(
        order=order,
        place=place,
        category=category,
        product=(line(2) * parameters.PRODUCTS).astype(np.int64),
        quantity=1 + (3 * line(5) ** 2).astype(np.int64),
        cents=cents,
        cost_cents=np.rint(cents * (1 - np.array(parameters.MARGINS)[category])).astype(np.int64),
        discount_cents=np.rint(cents * off / (1 - off)).astype(np.int64),
    )


def channel(people: Customers, of: Lifetimes, placed: LifetimeEvents, *, seed: int) -> Integers:
    """Where each order came from: a place among `world.CHANNELS`."""
    shares = np.array([one.channels for one in parameters.KINDS])[people.kind[of.person[placed.life]]]
    return chosen(drawn(people, of, placed, seed=seed, what=2), shares)


def known_at(
    people: Customers, of: Lifetimes, placed: LifetimeEvents, *, seed: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """When each order became known (days since 1970), and whether that was late. A first order is known at once."""
    late = (drawn(people, of, placed, seed=seed, what=3) < parameters.LATE_SHARE) & (placed.number > 0)
    low, high = parameters.LATE_DAYS
    after = low + (high - low) * drawn(people, of, placed, seed=seed, what=4)
    return placed.at + np.where(late, after, 0.0), late
