"""Responses to contacts: what a contact with an offer changes for each customer.

On a day every customer has a future without contact: branch 0 of their lifetimes. A *would-be leaver* of the horizon
is a customer who is not gone on that day and orders nothing in the horizon in that future; under a contract, one who
leaves in it, and for "order" read "stay to its end" in what follows. A contact with an offer
works on would-be leavers alone: with probability `keeps`, which each customer has for each offer, the silence is
undone. From that day on the customer has another future: one drawn from their own process (their rates, their stage on
that day) among those with an order in the horizon; where the world says so (`parameters.KEPT`), one drawn as if they
were engaged, or the future without contact and one order on some day of the horizon. With the other probability, and
for all other customers, the future without contact comes as it would have. So

- the probability of staying rises by exactly  P(silent) · keeps;
- a kept customer brings what they bring when they stay, less what they would have brought later all the same;
- a customer who is gone hears nothing: a contact with them costs, and changes nothing.

Kept customers redeem the incentive, and so does the share `redeems` of those who would have stayed. The random numbers
for all this are the same whichever campaign is run: two campaigns differ where their contacts do, and nowhere else.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from pipelines.simulator import parameters
from pipelines.simulator.buying import orders
from pipelines.simulator.customers import Customers
from pipelines.simulator.draws import uniforms
from pipelines.simulator.lifetimes import ENGAGED, GONE, Lifetimes, draw_lifetimes, single_orders
from pipelines.simulator.parameters import ANSWERS, FRESH_START, ONE_ORDER, TrueOffer

Flags = NDArray[np.bool_]

NO_OFFER = -1
"""The place of no offer."""
FUTURES = 1_000_000
"""Branches reserved for one future: its own, and those drawn for the customers kept in it."""


@dataclass(frozen=True)
class ContactResponse:
    """Responses to a campaign, a row per customer; a kept customer's lifetime is ended and another one begun, or
    one order added to it."""

    lifetimes: Lifetimes
    stays: Flags
    """Without a contact the customer orders in the horizon; under a contract, is still there at its end."""
    kept: Flags
    """The customer does so because of the contact."""
    redeemed: Flags
    cost: Floats
    """Currency units; 0 for customers who are not contacted."""


def keeps(customers: Customers, stage: Integers, offer: TrueOffer) -> Floats:
    """The probability that a contact keeps each customer who would leave; 0 for customers who are gone."""
    least, most = parameters.RESPONSE
    response = least + (most - least) * customers.responsive
    return np.where(stage == GONE, 0.0, np.array(offer.keeps)[customers.kind] * response)


def redeems(customers: Customers, stage: Integers, offer: TrueOffer) -> Floats:
    """The probability that each customer redeems who would stay anyway; 0 for customers who are gone."""
    return np.where(stage == GONE, 0.0, np.array(offer.redeems)[customers.kind])


def respond_to_contacts(
    customers: Customers, lifetimes: Lifetimes, offer: Integers, *, seed: int, day: float, days: float
) -> ContactResponse:
    """Contact each customer with an offer on `day` and return what follows.

    lifetimes: one per customer, in their order, all of one branch and not ended. offer: the place of each customer's
    offer in `parameters.OFFERS`, or `NO_OFFER`.
    """
    stage = lifetimes.stage(day)
    stays = _stay(customers, lifetimes, seed=seed, day=day, days=days)
    shares, redeemed_shares, contact, incentive = _terms(customers, stage, offer)
    draws = [uniforms(seed, customers.number, ANSWERS, branch=lifetimes.branch, number=number) for number in range(2)]
    treated = offer != NO_OFFER
    kept = treated & ~stays & (draws[0] < shares)
    redeemed = kept | (treated & stays & (draws[1] < redeemed_shares))
    until = np.full(len(kept), np.inf)
    if customers.world.kept == ONE_ORDER:
        anew = _one_order(customers, lifetimes.take(kept), seed=seed, day=day, days=days)
    else:
        begins = np.full(len(stage), ENGAGED) if customers.world.kept == FRESH_START else stage
        anew = kept_lifetimes(customers, lifetimes.take(kept), begins[kept], seed=seed, day=day, days=days)
        until[kept] = day
    return ContactResponse(lifetimes.ended(until).and_then(anew), stays, kept, redeemed, contact + redeemed * incentive)


def kept_lifetimes(
    customers: Customers, lifetimes: Lifetimes, stage: Integers, *, seed: int, day: float, days: float
) -> Lifetimes:
    """Draw another lifetime for each, from `day` on, again and again until the customer stays in the horizon."""
    branch = lifetimes.branch * FUTURES + 1
    drawn = draw_lifetimes(customers, lifetimes.customer, seed=seed, branch=branch, start=day, stage=stage)
    while len(again := np.flatnonzero(~_stay(customers, drawn, seed=seed, day=day, days=days))):
        branch[again] += 1
        more = draw_lifetimes(
            customers, lifetimes.customer[again], seed=seed, branch=branch[again], start=day, stage=stage[again]
        )
        turn = np.arange(len(drawn))
        turn[again] = len(drawn) + np.arange(len(again))
        drawn = drawn.and_then(more).take(turn)
    return drawn


def _one_order(customers: Customers, lifetimes: Lifetimes, *, seed: int, day: float, days: float) -> Lifetimes:
    """One order of each, on a day of the horizon."""
    when = uniforms(seed, customers.number[lifetimes.customer], ANSWERS, branch=lifetimes.branch, number=2)
    return single_orders(lifetimes.customer, branch=lifetimes.branch * FUTURES + 1, at=day + days * when)


def _stay(customers: Customers, lifetimes: Lifetimes, *, seed: int, day: float, days: float) -> Flags:
    """Lifetimes with an order in the horizon; under a contract, those that reach its end."""
    if customers.world.contract is not None:
        return lifetimes.gone >= day + days
    placed = orders(customers, lifetimes.ended(day + days), seed=seed)
    stays = np.zeros(len(lifetimes), dtype=bool)
    stays[placed.lifetime[placed.at >= day]] = True
    return stays


def _terms(customers: Customers, stage: Integers, offer: Integers) -> tuple[Floats, Floats, Floats, Floats]:
    """True terms of each customer's offer: the share kept, the share redeemed, contact and incentive cost."""
    terms = np.zeros((4, len(customers)))
    for place, true_offer in enumerate(parameters.OFFERS):
        is_offered = offer == place
        rates = keeps(customers, stage, true_offer), redeems(customers, stage, true_offer)
        costs = (np.full(len(customers), cost) for cost in (true_offer.contact_cost, true_offer.incentive_cost))
        terms[:, is_offered] = np.stack([*rates, *costs])[:, is_offered]
    return terms[0], terms[1], terms[2], terms[3]
