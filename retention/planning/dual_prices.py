"""Dual prices of the limits: the prices at which the best choices of all customers use no more than the limits."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from features.arrays import Floats

Flags = NDArray[np.bool_]
OfferIndexes = NDArray[np.int8]
"""The offer of each customer by its place; -1 is none."""

TOLERANCE = 1e-8
"""Relative distance of the bound to what can be reached in fractions, at which the prices are good enough."""
MOST_ROUNDS = 200


@dataclass(frozen=True)
class Options:
    """Profit and cost of each offer with each customer: a row per offer, a column per customer, currency units.

    groups: a row per limit on contacts, a column per offer: true where the offer's contacts count.
    """

    profit: Floats
    cost: Floats
    groups: Flags

    @cached_property
    def customers(self) -> int:
        return self.profit.shape[1]

    def use(self, choice: OfferIndexes) -> Floats:
        """The use of each limit by a choice: money, then the contacts of each group."""
        counts = np.array([np.count_nonzero(choice == offer) for offer in range(len(self.cost))], dtype=float)
        money = sum(float(cost[choice == offer].sum()) for offer, cost in enumerate(self.cost))
        return np.concatenate([[money], self.groups @ counts])

    def worth(self, choice: OfferIndexes) -> float:
        """The profit of a choice."""
        return sum(float(profit[choice == offer].sum()) for offer, profit in enumerate(self.profit))

    def priced(self, offer: int, prices: Floats) -> Floats:
        """The profit of an offer with each customer, less what it uses at these prices."""
        return self.profit[offer] - prices[0] * self.cost[offer] - prices[1:] @ self.groups[:, offer]

    def best(self, prices: Floats) -> tuple[OfferIndexes, Floats]:
        """Each customer's best choice at these prices and its priced profit, at least 0; of equals the earlier
        offer."""
        choice, left = np.full(self.customers, -1, dtype=np.int8), np.zeros(self.customers)
        for offer in range(len(self.profit)):
            priced = self.priced(offer, prices)
            better = priced > left
            choice[better] = offer
            np.copyto(left, priced, where=better)
        return choice, left


@dataclass(frozen=True)
class DualPrices:
    """The prices of the limits, and an upper bound on the profit of any choice within them.

    mixed: prices and shares, of which the best choices, so mixed, use no more than the limits.
    """

    at: Floats
    bound: float
    mixed: list[tuple[Floats, float]]


class LagrangianDual:
    """The Lagrangian dual of the assignment: where a customer may take a part of an offer, prices decide all.

    Lagrange's dual, min over prices π >= 0 of π·limits + Σ max(0, best profit at π), by cutting planes: each round
    finds the best choices at some prices, and a small linear program over the choices so far gives the next
    (Dantzig and Wolfe 1960, "Decomposition principle for linear programs", Operations Research 8(1)), half-way
    towards the best prices yet, which calms the first rounds. A choice holds for any limits, so the next limits
    start with all of them.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._tried_prices: list[Floats] = []
        self._earned: list[float] = []
        self._used: list[Floats] = []
        self._try(np.zeros(1 + len(options.groups)))

    def prices(self, limits: Floats) -> DualPrices:
        """The prices where these limits (money, then contacts of each group, all > 0) hold."""
        if (self._used[0] <= limits).all():
            return DualPrices(self._tried_prices[0], self._earned[0], [(self._tried_prices[0], 1.0)])
        for _ in range(MOST_ROUNDS):
            bounds = np.array(self._earned) + np.array(self._tried_prices) @ limits - self._paid()
            best = int(np.argmin(bounds))
            # Nobody chosen (the last column) is always possible.
            earned = np.array([*self._earned, 0.0])
            used = np.array([*self._used, np.zeros(len(limits))]) / limits
            scale = max(float(bounds[best]), np.finfo(float).tiny)
            solved = linprog(
                -earned / scale,
                A_ub=used.T,
                b_ub=np.ones(len(limits)),
                A_eq=np.ones((1, len(earned))),
                b_eq=[1.0],
                method="highs",
            )
            if 1 + solved.fun <= TOLERANCE:
                break
            proposed = np.maximum(-solved.ineqlin.marginals, 0) * scale / limits
            self._try((proposed + self._tried_prices[best]) / 2 if len(self._tried_prices) % 8 else proposed)
        shares = [
            (prices, float(share))
            for prices, share in zip(self._tried_prices, solved.x, strict=False)
            if share > TOLERANCE
        ]
        return DualPrices(self._tried_prices[best], float(bounds[best]), shares)

    def _paid(self) -> Floats:
        """The payment of each choice for its use of the limits, at its own prices."""
        return np.einsum("ij,ij->i", np.array(self._tried_prices), np.array(self._used))

    def _try(self, prices: Floats) -> None:
        choice, _ = self.options.best(prices)
        self._tried_prices.append(prices)
        self._earned.append(self.options.worth(choice))
        self._used.append(self.options.use(choice))
