"""How long a customer stays: engaged, then cooling, then gone for good. And what happens on the way.

    engaged ── rate `cooling` ──► cooling ── rate `leaving` ──► gone

A life is a stretch of a customer's story with its own random numbers, its `branch`. Branch 0 is the story without any
contact; a contact that changes it ends the life on that day and begins another
(pipelines/simulator/contact_response.py).
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from pipelines.simulator.customers import Customers
from pipelines.simulator.draws import uniform, uniforms
from pipelines.simulator.parameters import COMPLAINT_COOLS, SEASON_PEAK, STAGES
from pipelines.simulator.season import OMEGA

ENGAGED, COOLING, GONE = range(3)
STAGE_NAMES = ("engaged", "cooling", "gone")


@dataclass(frozen=True)
class Lifetimes:
    """Lives, a row each; days since 1970."""

    person: Integers
    """Place among the people."""
    branch: Integers
    start: Floats
    cooled: Floats
    """Day of cooling; the start of who was cooling from the start."""
    gone: Floats
    until: Floats
    """The life counts before this day, and before `gone`."""
    complained: NDArray[np.bool_]
    """Whether a complaint is what cooled him, on the day he cooled."""

    def __len__(self) -> int:
        return len(self.person)

    def stage(self, day: float) -> Integers:
        """The stage on a day of the life."""
        return np.where(day < self.cooled, ENGAGED, np.where(day < self.gone, COOLING, GONE))

    def ended(self, at: Floats | float) -> "Lifetimes":
        return replace(self, until=np.minimum(self.until, at))

    def take(self, rows: Integers | NDArray[np.bool_]) -> "Lifetimes":
        return Lifetimes(*(getattr(self, field.name)[rows] for field in fields(self)))

    def and_then(self, others: "Lifetimes") -> "Lifetimes":
        joined = [np.concatenate([getattr(self, one.name), getattr(others, one.name)]) for one in fields(self)]
        return Lifetimes(*joined)


@dataclass(frozen=True)
class LifetimeEvents:
    """What happened, a row each: in which life, when (days since 1970), and its number in that life, from 0."""

    life: Integers
    at: Floats
    number: Integers

    def __len__(self) -> int:
        return len(self.life)


def lifetimes(
    people: Customers, person: Integers, *, seed: int, branch: Integers | int, start: Floats | float, stage: Integers
) -> Lifetimes:
    """A life of each person from a day on, of somebody engaged or cooling on that day; without end but its own."""
    numbers = people.number[person]
    waits = [-np.log(uniforms(seed, numbers, STAGES, branch=branch, number=place)) for place in range(2)]
    begin = np.broadcast_to(np.asarray(start, dtype=float), person.shape)
    cooled = np.where(stage == ENGAGED, begin + waits[0] / people.cooling[person], begin)
    by_complaint = COMPLAINT_COOLS * people.complaining[person] / people.cooling[person]
    return Lifetimes(
        person=person,
        branch=np.array(np.broadcast_to(branch, person.shape), dtype=np.int64),
        start=np.array(begin),
        cooled=cooled,
        gone=cooled + waits[1] / people.leaving[person],
        until=np.full(len(person), np.inf),
        complained=(stage == ENGAGED) & (uniforms(seed, numbers, STAGES, branch=branch, number=2) < by_complaint),
    )


def events(
    people: Customers, of: Lifetimes, purpose: int, *, seed: int, engaged: Floats, cooling: Floats, swing: float = 0.0
) -> LifetimeEvents:
    """A Poisson process along each life, at one rate per day while engaged and another while cooling.

    engaged, cooling: by person. swing: how far the season sways the rates. Made by thinning (Lewis and Shedler 1979),
    in the order of time, so that a life cut off earlier has the same events up to there.
    """
    ends = np.minimum(of.gone, of.until)
    where = (people.number[of.person], of.branch, of.start, of.cooled, ends)
    return LifetimeEvents(*_thinned(seed, purpose, *where, engaged[of.person], cooling[of.person], swing))


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
    life, at, number = np.empty(1024, np.int64), np.empty(1024), np.empty(1024, np.int64)
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
                    life, number = np.concatenate((life, more)), np.concatenate((number, more))
                    at = np.concatenate((at, np.empty(count)))
                life[count], at[count], number[count] = i, t, nth
                count, nth = count + 1, nth + 1
            k += 2
    return life[:count].copy(), at[:count].copy(), number[:count].copy()


def latest(of: Lifetimes, people: int) -> Lifetimes:
    """The last life of each of so many people, in their order: of lives one after the other."""
    place = np.empty(people, np.int64)
    place[of.person] = np.arange(len(of))
    return of.take(place)
