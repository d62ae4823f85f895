"""Expected costs to serve: the delivery of each order, and the service of each complaint and support ticket.

An engaged customer complains and asks at one rate a day, one who is cooling at another, whether they order or not:

    E[service in [0, h)]             = ∫ Σ s(stage) P(stage at u) du
    E[service in [0, h); leaves]     = ∫ Σ s(stage) P(stage at u, no order before) P(leaves in [u, h) | stage) du

where to leave is to order nothing in the span, or under a contract to end it. The integrals are of smooth functions, by
Gauss and Legendre's rule in panels of at most `PANEL_DAYS`.
"""

from collections.abc import Iterator
from math import ceil, log1p

import numpy as np

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS
from pipelines.simulator import parameters
from pipelines.simulator.contract_payments import leaving_probability, risk_at, risk_days
from pipelines.simulator.customers import Customers
from pipelines.simulator.lifetimes import COOLING, ENGAGED, GONE
from pipelines.simulator.silence import silence

PANEL_DAYS = 91.3
PLACES, WEIGHTS = np.polynomial.legendre.leggauss(4)
PLACES, WEIGHTS = (PLACES + 1) / 2, WEIGHTS / 2


def service_cost(customers: Customers, stage: Integers, *, day: float, days: float, annual_rate: float = 0.0) -> Floats:
    """Cost of the service of each customer in `[day, day + days)`, given their stage on `day`, discounted to it."""
    falls = log1p(annual_rate) / YEAR_DAYS
    cost = np.zeros(len(customers))
    for after, weight in _nodes(days):
        likely = stage_probabilities(customers, stage, day=day, after=after)
        cost += weight * np.exp(-falls * after) * _daily_cost(customers, likely, day=day + after)
    return cost


def leavers_service_cost(
    customers: Customers, stage: Integers, *, day: float, days: float, annual_rate: float = 0.0
) -> Floats:
    """The same, together with leaving in the span: E[cost; leaves in it], not divided by its chance."""
    falls = log1p(annual_rate) / YEAR_DAYS
    cost = np.zeros(len(customers))
    for after, weight in _nodes(days):
        left = [
            _leaving(customers, np.full(len(customers), then), day=day + after, days=days - after)
            for then in (ENGAGED, COOLING)
        ]
        likely = _still_to_leave(customers, stage, day=day, after=after)
        together = (likely[0] * left[0], likely[1] * left[1])
        cost += weight * np.exp(-falls * after) * _daily_cost(customers, together, day=day + after)
    return cost


def stage_probabilities(customers: Customers, stage: Integers, *, day: float, after: float) -> tuple[Floats, Floats]:
    """The probabilities of being engaged, and of cooling, so many days after `day`, given the stage on it."""
    passed = np.full(len(customers), after)
    if customers.world.contract is not None:
        tenure = day - customers.joined
        passed = risk_days(customers.world.contract, tenure + after) - risk_days(customers.world.contract, tenure)
    cooling, leaving = customers.cooling, customers.leaving_apart
    engaged_still, cooling_still = np.exp(-cooling * passed), np.exp(-leaving * passed)
    turned = (1 - customers.world.sudden) * cooling / (leaving - cooling) * (engaged_still - cooling_still)
    return (
        np.where(stage == ENGAGED, engaged_still, 0.0),
        np.choose(stage, [turned, cooling_still, np.zeros(len(customers))]),
    )


def _nodes(days: float) -> Iterator[tuple[float, float]]:
    """The days at which a span is looked at, and how many days each stands for."""
    panels = max(ceil(days / PANEL_DAYS), 1)
    length = days / panels
    for panel in range(panels):
        for place, weight in zip(PLACES, WEIGHTS, strict=True):
            yield float((panel + place) * length), float(weight * length)


def _daily_cost(customers: Customers, likely: tuple[Floats, Floats], *, day: float) -> Floats:
    """Expected cost of a day, given the probabilities of being engaged and of cooling on it."""
    tickets, complaining = parameters.TICKETS_PER_YEAR / parameters.SEASON_YEAR, customers.complaining
    contract = customers.world.contract
    risk = 1.0 if contract is None else risk_at(contract, day - customers.joined)
    # Complaints that make a customer cool come with cooling: more often at a higher risk, never with sudden leaving.
    cools = parameters.COMPLAINT_COOLS * risk * (1 - customers.world.sudden)
    engaged = tickets + (1 - parameters.COMPLAINT_COOLS + cools) * complaining
    cooling = tickets + parameters.COOL_COMPLAINTS * complaining
    return np.asarray(parameters.SERVICE_COST * (likely[0] * engaged + likely[1] * cooling))


def _leaving(customers: Customers, stage: Integers, *, day: float, days: float) -> Floats:
    if customers.world.contract is not None:
        return leaving_probability(customers, stage, day=day, days=days)
    return silence(customers, stage, day=day, days=days).total


def _still_to_leave(customers: Customers, stage: Integers, *, day: float, after: float) -> tuple[Floats, Floats]:
    """The probabilities of either stage so many days on, together with no order until then; under a contract without.

    Those who are gone at once leave whatever follows, and are served no more.
    """
    if customers.world.contract is not None:
        return stage_probabilities(customers, stage, day=day, after=after)
    silent = silence(customers, stage, day=day, days=after)
    there = stage != GONE
    return np.where(there, silent.engaged, 0.0), np.where(there, silent.cooling, 0.0)
