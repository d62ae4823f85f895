"""Refunds: a part of a line, some days after its order."""

from dataclasses import dataclass

import numpy as np

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.buying import OrderLines, order_draws
from pipelines.simulator.customers import Customers
from pipelines.simulator.lifetimes import LifetimeEvents, Lifetimes


@dataclass(frozen=True)
class SimulatedRefunds:
    """Refunds, a row each; money in minor units, above 0."""

    line: Integers
    """Place among the lines."""
    at: Floats
    """Days since 1970."""
    cents: Integers
    cost_cents: Integers
    """Cost of the goods that come back."""

    def __len__(self) -> int:
        return len(self.line)

    @property
    def margin_cents(self) -> Integers:
        return self.cents - self.cost_cents


def refunds(
    customers: Customers, lifetimes: Lifetimes, placed: LifetimeEvents, bought: OrderLines, *, seed: int
) -> SimulatedRefunds:
    """The refunds of lines, whenever they come; less than the line, so that no order vanishes."""
    each = LifetimeEvents(placed.lifetime[bought.order], placed.at[bought.order], placed.number[bought.order])

    def draw(what: int) -> Floats:
        return order_draws(customers, lifetimes, each, seed=seed, what=16 * (bought.place + 1) + what)

    (low, high), (soon, late) = parameters.REFUND_SHARE, parameters.REFUND_LAG_DAYS
    share = low + (high - low) * draw(7)
    cents = np.rint(bought.cents * share).astype(np.int64)
    likely = customers.of_kind("refunded")[lifetimes.customer[each.lifetime]]
    line = np.flatnonzero((draw(6) < likely) & (cents > 0) & (cents < bought.cents))
    return SimulatedRefunds(
        line=line,
        at=(each.at + soon + (late - soon) * draw(8))[line],
        cents=cents[line],
        cost_cents=np.rint(bought.cost_cents * share).astype(np.int64)[line],
    )
