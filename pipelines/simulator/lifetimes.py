"""Lifetimes of customers: engaged, then cooling, then gone for good, and the events on the way.

    engaged ── rate `cooling` ──► cooling ── rate `leaving` ──► gone

In some worlds a share of the engaged leaves for good where others cool, and under a contract both rates fall with
tenure (worlds.py).

A lifetime has random numbers of its own, those of its `branch`. Branch 0 is the customer's lifetime without any
contact; a contact that changes it ends it on that day and begins another (pipelines/simulator/contact_response.py).
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from pipelines.simulator.contract_payments import day_after
from pipelines.simulator.customers import Customers
from pipelines.simulator.draws import uniform, uniforms
from pipelines.simulator.parameters import COMPLAINT_COOLS, SEASON_PEAK, STAGES
from pipelines.simulator.season import OMEGA

ENGAGED, COOLING, GONE = range(3)
STAGE_NAMES = ("engaged", "cooling", "gone")


@dataclass(frozen=True)
class Lifetimes:
    """Lives, a row each; days since 1970."""

    customer: Integers
    """Place among the customers."""
    branch: Integers
    start: Floats
    cooled: Floats
    """Day of cooling; the start for customers who were cooling from the start, the last day for those who never do."""
    gone: Floats
    until: Floats
    """The lifetime counts before this day, and before `gone`."""
    complained: NDArray[np.bool_]
    """A complaint made the customer cool, on the day of cooling."""
    begins_with_order: NDArray[np.bool_]
    """An order is placed on the first day, beside those of the Poisson process."""

    def __len__(self) -> int:
        return len(self.customer)

    def stage(self, day: float) -> Integers:
        """The stage on a day of the lifetime."""
        return np.where(day < self.cooled, ENGAGED, np.where(day < self.gone, COOLING, GONE))

    def ended(self, at: Floats | float) -> "Lifetimes":
        return replace(self, until=np.minimum(self.until, at))

    def take(self, rows: Integers | NDArray[np.bool_]) -> "Lifetimes":
        return Lifetimes(*(getattr(self, field.name)[rows] for field in fields(self)))

    def and_then(self, others: "Lifetimes") -> "Lifetimes":
        joined = [np.concatenate([getattr(self, field.name), getattr(others, field.name)]) for field in fields(self)]
        return Lifetimes(*joined)


@dataclass(frozen=True)
class LifetimeEvents:
    """Events, a row each: the lifetime, the day (since 1970), and the event's number in that lifetime, from 0."""

    lifetime: Integers
    at: Floats
    number: Integers

    def __len__(self) -> int:
        return len(self.lifetime)


def draw_lifetimes(
    customers: Customers,
    customer: Integers,
    *,
    seed: int,
    branch: Integers | int,
    start: Floats | float,
    stage: Integers,
) -> Lifetimes:
    """Draw a lifetime of each customer, engaged or cooling on its first day; `until` is infinite."""
    numbers = customers.number[customer]
    waits = [-np.log(uniforms(seed, numbers, STAGES, branch=branch, number=place)) for place in range(2)]
    begin = np.broadcast_to(np.asarray(start, dtype=float), customer.shape)
    cools = day_after(customers, customer, begin, waits[0] / customers.cooling[customer])
    cooled = np.where(stage == ENGAGED, cools, begin)
    at_once = (stage == ENGAGED) & (uniforms(seed, numbers, STAGES, branch=branch, number=3) < customers.world.sudden)
    leaves = day_after(customers, customer, cooled, waits[1] / customers.leaving[customer])
    by_complaint = COMPLAINT_COOLS * customers.complaining[customer] / customers.cooling[customer]
    return Lifetimes(
        customer=customer,
        branch=np.array(np.broadcast_to(branch, customer.shape), dtype=np.int64),
        start=np.array(begin),
        cooled=cooled,
        gone=np.where(at_once, cooled, leaves),
        until=np.full(len(customer), np.inf),
        complained=(stage == ENGAGED) & (uniforms(seed, numbers, STAGES, branch=branch, number=2) < by_complaint),
        begins_with_order=np.array(np.broadcast_to(np.asarray(branch) == 0, customer.shape)),
    )


def single_orders(customer: Integers, *, branch: Integers, at: Floats) -> Lifetimes:
    """Lifetimes that are one order and nothing else, placed on the days `at`."""
    yes = np.ones(len(customer), bool)
    return Lifetimes(
        customer, branch, start=at, cooled=at, gone=at, until=yes * np.inf, complained=~yes, begins_with_order=yes
    )


def draw_events(
    customers: Customers,
    lifetimes: Lifetimes,
    purpose: int,
    *,
    seed: int,
    engaged: Floats,
    cooling: Floats,
    swing: float = 0.0,
) -> LifetimeEvents:
    """A Poisson process along each lifetime, at one rate per day while engaged and another while cooling.

    engaged, cooling: by customer. swing: how far the season sways the rates. Made by thinning (Lewis and Shedler 1979),
    in the order of time, so that a lifetime cut off earlier has the same events up to there.
    """
    ends = np.minimum(lifetimes.gone, lifetimes.until)
    where = (customers.number[lifetimes.customer], lifetimes.branch, lifetimes.start, lifetimes.cooled, ends)
    return LifetimeEvents(
        *_thinned(seed, purpose, *where, engaged[lifetimes.customer], cooling[lifetimes.customer], swing)
    )


@njit(cache=True, nogil=True)
def _thinned(
    seed: int,
    purpose: int,
    customer: Integers,
    branch: Integers,
    start: Floats,
    cooled: Floats,
    end: Floats,
    engaged: Floats,
    cooling: Floats,
    swing: float,
) -> tuple[Integers, Floats, Integers]:
    lifetime, at, number = np.empty(1024, np.int64), np.empty(1024), np.empty(1024, np.int64)
    count = 0
    for i in range(len(customer)):
        fastest = max(engaged[i], cooling[i]) * (1 + swing)
        if fastest <= 0:
            continue
        t, k, nth = start[i], 0, 0
        while True:
            t -= np.log(uniform(seed, customer[i], purpose, branch[i], k)) / fastest
            if t >= end[i]:
                break
            rate = engaged[i] if t < cooled[i] else cooling[i]
            if swing > 0:
                rate *= 1 + swing * np.cos(OMEGA * (t - SEASON_PEAK))
            if uniform(seed, customer[i], purpose, branch[i], k + 1) * fastest < rate:
                if count == len(at):
                    more = np.empty(count, np.int64)
                    lifetime, number = np.concatenate((lifetime, more)), np.concatenate((number, more))
                    at = np.concatenate((at, np.empty(count)))
                lifetime[count], at[count], number[count] = i, t, nth
                count, nth = count + 1, nth + 1
            k += 2
    return lifetime[:count].copy(), at[:count].copy(), number[:count].copy()


def latest_lifetimes(lifetimes: Lifetimes, customers: int) -> Lifetimes:
    """The last lifetime of each customer, in the order of the customers; single orders are none. customers: how many
    there are.
    """
    place, rows = np.empty(customers, np.int64), np.flatnonzero(lifetimes.gone > lifetimes.start)
    place[lifetimes.customer[rows]] = rows
    return lifetimes.take(place)
