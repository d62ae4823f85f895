"""Orders of customers along their lifetimes, and the lines of each order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.customers import Customers, draw_categories
from pipelines.simulator.draws import uniforms
from pipelines.simulator.lifetimes import LifetimeEvents, Lifetimes, draw_events
from pipelines.simulator.parameters import LINES, ORDERS

SECOND_LINE, THIRD_LINE = 0.45, 0.15
"""Shares of orders with at least two lines and with at least three."""
ADDRESSES = 64
"""Random numbers reserved for an order: 16 for itself, and 16 for each line."""


@dataclass(frozen=True)
class OrderLines:
    """Lines of orders, a row each; money in minor units."""

    order: Integers
    """Place among the orders."""
    place: Integers
    """Place of the line in its order."""
    category: Integers
    product: Integers
    """Place within its category."""
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


def orders(customers: Customers, lifetimes: Lifetimes, *, seed: int) -> LifetimeEvents:
    """The orders of each lifetime: one at the start of some, and those of the Poisson process after it.

    Under a contract they are its payments.
    """
    if customers.world.contract is not None:
        return payments(customers, lifetimes, every=customers.world.contract.days_between_payments)
    rates = {"engaged": customers.ordering, "cooling": customers.ordering * parameters.COOL_ORDERS}
    later = draw_events(customers, lifetimes, ORDERS, seed=seed, swing=customers.world.season_swing, **rates)
    first = np.flatnonzero(lifetimes.begins_with_order & (lifetimes.start < lifetimes.until))
    lifetime = np.concatenate([first, later.lifetime])
    at = np.concatenate([lifetimes.start[first], later.at])
    number = np.concatenate([np.zeros(len(first), np.int64), later.number + 1])
    order = np.lexsort((number, lifetime))
    return LifetimeEvents(lifetime[order], at[order], number[order])


def payments(customers: Customers, lifetimes: Lifetimes, *, every: float) -> LifetimeEvents:
    """Payments in each lifetime, one every so many days from the day of joining on, numbered from there."""
    joined = customers.joined[lifetimes.customer]
    first, after_last = (
        np.ceil((day - joined) / every).astype(np.int64)
        for day in (lifetimes.start, np.minimum(lifetimes.gone, lifetimes.until))
    )
    count = np.maximum(after_last - first, 0)
    lifetime = np.repeat(np.arange(len(lifetimes)), count)
    number = first[lifetime] + np.arange(len(lifetime)) - np.repeat(np.cumsum(count) - count, count)
    return LifetimeEvents(lifetime, joined[lifetime] + every * number, number)


def order_draws(
    customers: Customers, lifetimes: Lifetimes, placed: LifetimeEvents, *, seed: int, what: Integers | int
) -> Floats:
    """The random number `what` (0 to 63) of each order."""
    customer_number = customers.number[lifetimes.customer[placed.lifetime]]
    where = {"branch": lifetimes.branch[placed.lifetime], "number": placed.number * ADDRESSES + what}
    return uniforms(seed, customer_number, LINES, **where)


def lines(customers: Customers, lifetimes: Lifetimes, placed: LifetimeEvents, *, seed: int) -> OrderLines:
    """The lines of orders: 1 to 3 share a log-normal amount, each of a category drawn by the customer's kind."""

    def order_draw(what: Integers | int) -> Floats:
        return order_draws(customers, lifetimes, placed, seed=seed, what=what)

    customer = lifetimes.customer[placed.lifetime]
    spread = customers.world.order_spread
    total = customers.mean_order[customer] * np.exp(spread * ndtri(order_draw(0)) - spread**2 / 2)
    more = order_draw(1)
    count = 1 + (more < SECOND_LINE) + (more < THIRD_LINE)
    order = np.repeat(np.arange(len(placed)), count)
    place = np.arange(len(order)) - np.repeat(np.cumsum(count) - count, count)
    each = LifetimeEvents(placed.lifetime[order], placed.at[order], placed.number[order])

    def line_draw(what: int) -> Floats:
        return order_draws(customers, lifetimes, each, seed=seed, what=16 * (place + 1) + what)

    kind = customers.kind[customer[order]]
    weight = 0.5 + line_draw(0)
    share = weight / np.bincount(order, weight, minlength=len(placed))[order]
    category = draw_categories(line_draw(1), np.array([kind.basket for kind in customers.world.kinds])[kind])
    cents = np.maximum(1, np.rint(100 * total[order] * share)).astype(np.int64)
    off = np.where(line_draw(3) < customers.of_kind("discounted")[customer[order]], 0.1 + 0.2 * line_draw(4), 0.0)
    return OrderLines(
        order=order,
        place=place,
        category=category,
        product=(line_draw(2) * parameters.PRODUCTS).astype(np.int64),
        quantity=1 + (3 * line_draw(5) ** 2).astype(np.int64),
        cents=cents,
        cost_cents=np.rint(cents * (1 - np.array(parameters.MARGINS)[category])).astype(np.int64),
        discount_cents=np.rint(cents * off / (1 - off)).astype(np.int64),
    )


def channel(customers: Customers, lifetimes: Lifetimes, placed: LifetimeEvents, *, seed: int) -> Integers:
    """The channel of each order: a place among `parameters.CHANNELS`."""
    kind = customers.kind[lifetimes.customer[placed.lifetime]]
    shares = np.array([kind.channels for kind in customers.world.kinds])[kind]
    return draw_categories(order_draws(customers, lifetimes, placed, seed=seed, what=2), shares)


def known_at(
    customers: Customers, lifetimes: Lifetimes, placed: LifetimeEvents, *, seed: int
) -> tuple[Floats, NDArray[np.bool_]]:
    """The day each order became known (days since 1970), and a mark on the late ones; first orders never are."""
    late = (order_draws(customers, lifetimes, placed, seed=seed, what=3) < parameters.LATE_SHARE) & (placed.number > 0)
    low, high = parameters.LATE_DAYS
    after = low + (high - low) * order_draws(customers, lifetimes, placed, seed=seed, what=4)
    return placed.at + np.where(late, after, 0.0), late
