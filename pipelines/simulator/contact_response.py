"""What a contact with an offer changes, and what each customer would answer to each offer.

On a day every customer has a future without contact: branch 0 of his story. A *would-be leaver* of the horizon is a
customer who is not gone on that day and orders nothing in the horizon in that future. A contact with an offer works on
would-be leavers alone: with probability `keeps`, his own for that offer, the silence is undone. From that day on he
lives another future: one drawn from his own process (his rates, his stage on that day) among those with an order in the
horizon. With the other probability, and for everybody else, the future without contact comes as it would have. So

- his probability of staying rises by exactly  P(silent) · keeps;
- what a kept customer brings is what he brings when he stays, less what he would have brought later all the same;
- who is gone hears nothing: a contact with him costs, and changes nothing.

Who is kept redeems the incentive, and so does one in `redeems` of those who would have stayed. The lots of all this are
the same whichever campaign is run: two campaigns differ where their contacts do, and nowhere else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.buying import orders
from pipelines.simulator.customers import Customers
from pipelines.simulator.draws import uniforms
from pipelines.simulator.lifetimes import GONE, Lifetimes, lifetimes
from pipelines.simulator.parameters import ANSWERS, TrueOffer

Flags = NDArray[np.bool_]

NOBODY = -1
"""The place of no offer."""
FUTURES = 1_000_000
"""Branches kept for one future: its own, and those drawn for who is kept in it."""


@dataclass(frozen=True)
class Contacted:
    """What came of a campaign, a row per person; lives as they then are, those of the kept ended and begun anew."""

    lifetimes: Lifetimes
    stays: Flags
    """Orders in the horizon without contact."""
    kept: Flags
    """Orders in it because of the contact."""
    redeemed: Flags
    cost: Floats
    """Currency units; 0 of who is not contacted."""


def keeps(people: Customers, stage: Integers, offer: TrueOffer) -> Floats:
    """The probability that a contact keeps each customer, if he would leave; 0 of who is gone."""
    least, most = parameters.RESPONSE
    answer = least + (most - least) * people.responsive
    return np.where(stage == GONE, 0.0, np.array(offer.keeps)[people.kind] * answer)


def redeems(people: Customers, stage: Integers, offer: TrueOffer) -> Floats:
    """The probability that each customer redeems, if he would stay anyway; 0 of who is gone."""
    return np.where(stage == GONE, 0.0, np.array(offer.redeems)[people.kind])


def contacted(people: Customers, of: Lifetimes, offer: Integers, *, seed: int, day: float, days: float) -> Contacted:
    """The lives of a campaign: on `day` each person is contacted with an offer, a place among `world.OFFERS`.

    of: one life per person, in their order, all of one branch and not ended; offer: NOBODY for who is not contacted.
    """
    stage = of.stage(day)
    placed = orders(people, of.ended(day + days), seed=seed)
    stays = np.zeros(len(people), dtype=bool)
    stays[of.person[placed.life[placed.at >= day]]] = True
    shares, redeemed_shares, contact, incentive = _terms(people, stage, offer)
    lot = [uniforms(seed, people.number, ANSWERS, branch=of.branch, number=number) for number in range(2)]
    treated = offer != NOBODY
    kept = treated & ~stays & (lot[0] < shares)
    redeemed = kept | (treated & stays & (lot[1] < redeemed_shares))
    anew = kept_lives(people, of.take(kept), stage[kept], seed=seed, day=day, days=days)
    until = np.where(kept, day, np.inf)
    return Contacted(of.ended(until).and_then(anew), stays, kept, redeemed, contact + redeemed * incentive)


def kept_lives(people: Customers, of: Lifetimes, stage: Integers, *, seed: int, day: float, days: float) -> Lifetimes:
    """For each life another one from `day` on, drawn until it has an order in the horizon."""
    branch = of.branch * FUTURES + 1
    drawn = lifetimes(people, of.person, seed=seed, branch=branch, start=day, stage=stage)
    while len(again := _silent(people, drawn, seed=seed, end=day + days)):
        branch[again] += 1
        more = lifetimes(people, of.person[again], seed=seed, branch=branch[again], start=day, stage=stage[again])
        turn = np.arange(len(drawn))
        turn[again] = len(drawn) + np.arange(len(again))
        drawn = drawn.and_then(more).take(turn)
    return drawn


def _silent(people: Customers, of: Lifetimes, *, seed: int, end: float) -> Integers:
    """The lives without an order before `end`."""
    has = np.zeros(len(of), dtype=bool)
    has[orders(people, of.ended(end), seed=seed).life] = True
    return np.flatnonzero(~has)


def _terms(people: Customers, stage: Integers, offer: Integers) -> tuple[Floats, Floats, Floats, Floats]:
    """What is true of each person's offer: the share kept, the share redeemed, contact and incentive cost."""
    told = np.zeros((4, len(people)))
    for place, one in enumerate(parameters.OFFERS):
        mine = offer == place
        rates = keeps(people, stage, one), redeems(people, stage, one)
        costs = (np.full(len(people), cost) for cost in (one.contact_cost, one.incentive_cost))
        told[:, mine] = np.stack([*rates, *costs])[:, mine]
    return told[0], told[1], told[2], told[3]
