"""Probability that a customer orders nothing over a span, by the stage at its end.

With Λ(a, b) the orders expected in [a, b) while engaged, x the share of them that is left while cooling, ε and δ the
rates of cooling and of leaving, over the span [0, h):

    engaged throughout         e^(−Λ(0,h) − εh)
    leaves on day u at once    σ ∫ ε e^(−εu − Λ(0,u)) du,  σ the share who do (worlds.py)
    cools on day u, stays      (1 − σ) ∫ ε e^(−εu − Λ(0,u)) · e^(−δ(h−u) − xΛ(u,h)) du
    cooling at 0, stays        e^(−δh − xΛ(0,h))
    cooling at u, silent       e^(−δ(h−u) − xΛ(u,h)) + ∫ δ e^(−δ(w−u) − xΛ(u,w)) dw,  w from u to h: gone on day w

The integrals are of smooth functions, by Gauss and Legendre's rule: exact to eight digits at `NODES` nodes over a
quarter of a year for customers who order every other day or less often.
"""

from typing import NamedTuple

import numpy as np

from features.arrays import Floats, Integers
from pipelines.simulator.customers import Customers
from pipelines.simulator.lifetimes import COOLING, ENGAGED, GONE
from pipelines.simulator.parameters import COOL_ORDERS
from pipelines.simulator.season import season_integral

NODES = 24
PLACES, WEIGHTS = np.polynomial.legendre.leggauss(NODES)
PLACES, WEIGHTS = (PLACES + 1) / 2, WEIGHTS / 2


class Silence(NamedTuple):
    """The probability of no order in the span and, at its end, of each stage together with it; they sum to it."""

    engaged: Floats
    cooling: Floats
    gone: Floats

    @property
    def total(self) -> Floats:
        return self.engaged + self.cooling + self.gone


def silence(customers: Customers, stage: Integers, *, day: float, days: float) -> Silence:
    """The silence of each customer over `[day, day + days)`, given their stage on the first day."""
    parts = np.zeros((3, len(customers)))
    parts[GONE, stage == GONE] = 1.0
    for start, probabilities in ((ENGAGED, _from_engaged), (COOLING, _from_cooling)):
        rows = np.flatnonzero(stage == start)
        for first in range(0, len(rows), 4096):
            chunk = rows[first : first + 4096]
            parts[:, chunk] = probabilities(customers.take(chunk), day, days)
    return Silence(parts[ENGAGED], parts[COOLING], parts[GONE])


def _from_engaged(customers: Customers, day: float, days: float) -> Floats:
    swing, sudden = customers.world.season_swing, customers.world.sudden
    still = np.exp(-customers.ordering * season_integral(day, day + days, swing=swing) - customers.cooling * days)
    cools = days * PLACES
    cooled = customers.cooling[:, None] * np.exp(
        -np.outer(customers.cooling, cools)
        - np.outer(customers.ordering, season_integral(day, day + cools, swing=swing))
    )
    then = np.stack([_from_cooling(customers, day + after, days - after) for after in cools], axis=2)
    cooling, gone = ((days * WEIGHTS * cooled * then[at]).sum(axis=1) for at in (COOLING, GONE))
    at_once = (days * WEIGHTS * cooled).sum(axis=1)
    return np.stack([still, (1 - sudden) * cooling, (1 - sudden) * gone + sudden * at_once])


def _from_cooling(customers: Customers, day: float, days: float) -> Floats:
    ordering, swing = COOL_ORDERS * customers.ordering, customers.world.season_swing
    still = np.exp(-ordering * season_integral(day, day + days, swing=swing) - customers.leaving * days)
    leaves = days * PLACES
    left = customers.leaving[:, None] * np.exp(
        -np.outer(customers.leaving, leaves) - np.outer(ordering, season_integral(day, day + leaves, swing=swing))
    )
    return np.stack([np.zeros(len(customers)), still, (days * WEIGHTS * left).sum(axis=1)])
