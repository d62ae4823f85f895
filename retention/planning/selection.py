"""Selection of customers and offers: the most profit that fits money and contacts, with a random holdout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from retention.planning.assignment import ROUNDING, Assignment, assign_offers
from retention.planning.dual_prices import LagrangianDual, OfferIndexes, Options
from retention.planning.holdout import draw_holdout

Flags = NDArray[np.bool_]

MAX_ROUNDS = 6
"""The most lists tried, with a holdout, to find one whose treated customers spend the budget."""
SPARED = 5e-4
"""Share of the budget that may stay unspent; so may what one contact costs on average."""


@dataclass(frozen=True)
class CustomerSelection:
    """The chosen customers, best first: their places, the place of each customer's offer, and who is held out.

    gap: how much more, as a share, another list of the same length and cost could be worth at most. price: what one
    more unit of budget would earn (λ).
    """

    rows: Integers
    offers: NDArray[np.int8]
    held_out: Flags
    gap: float
    price: float


def select_customers(
    profit: Floats,
    cost: Floats,
    ranks: Integers,
    *,
    budget: float,
    capacity: int | None = None,
    channels: Sequence[int] | None = None,
    capacities: Sequence[int | None] = (),
    holdout_share: float,
) -> CustomerSelection:
    """Select customers (columns) and their offers (rows); a customer without a profitable offer is never chosen.

    `profit` and `cost` >= 0 in currency units; `channels` is the place of each offer's channel, default one of its own,
    `capacities` the most contacts of each channel, None without limit, `capacity` that of all. `ranks` decide the
    holdout (`holdout.draw_holdout`), whose customers cost nothing and are not contacted: the treated cost at most
    `budget` and count at most the capacities. Of equals the earlier column is chosen.

    The list is the best (`assign_offers`) for more money and contacts, of which the holdout's share is not used. A few
    rounds find how much more, since it depends on who is drawn: only there the selection looks at a rank, to see where
    the money ends, so the holdout stays a fair sample of the chosen.
    """
    channels = range(len(profit)) if channels is None else channels
    groups, most = _groups(channels, capacity, capacities, holdout_share)
    options = Options(profit, cost, groups)
    market = LagrangianDual(options)
    budget *= 1 + ROUNDING

    def held_out(rows: Integers, choice: OfferIndexes) -> Flags:
        return draw_holdout(ranks[rows], choice[rows], np.asarray(channels), share=holdout_share)

    def spent(rows: Integers, choice: OfferIndexes) -> float:
        treated = rows[~held_out(rows, choice)]
        return float(cost[choice[treated], treated].sum())

    low, high, wanted = 0.0, np.inf, budget / (1 - holdout_share)
    fits: Assignment | None = None
    for _ in range(MAX_ROUNDS if holdout_share else 1):
        assignment = assign_offers(market, np.array([wanted, *most]))
        listed = np.flatnonzero(assignment.choice >= 0)
        bill = spent(listed, assignment.choice)
        spared = max(SPARED * budget, bill / max(len(listed), 1))
        if bill <= budget:
            fits, low = assignment, wanted
            if assignment.prices.at[0] == 0 or bill >= budget - spared:
                break
        else:
            high = wanted
        guess = wanted * (budget - spared / 2) / bill if bill else np.inf
        wanted = guess if low < guess < high else (low + high) / 2 if high < np.inf else 2 * wanted
    best = fits or assignment
    rows = _ranked(options, best)
    if fits is None:
        rows = rows[: _last_that_fits(lambda count: spent(rows[:count], best.choice) <= budget, len(rows))]
    is_held_out = held_out(rows, best.choice)
    worth = float(profit[best.choice[rows], rows].sum())
    gap = 1 - worth / best.bound if best.bound > 0 else 0.0
    return CustomerSelection(rows, best.choice[rows], is_held_out, max(gap, 0.0), float(best.prices.at[0]))


def _groups(
    channels: Sequence[int], capacity: int | None, capacities: Sequence[int | None], holdout_share: float
) -> tuple[Flags, list[int]]:
    """The limits on contacts: the offers that count in each, and the longest list that keeps it.

    Of a list of n, n - round(n share) are treated; of the n of a channel, at most n - floor(n share).
    """
    groups, most = [], []
    if capacity is not None:
        groups.append([True] * len(channels))
        most.append(_longest(capacity, lambda count: round(count * holdout_share), holdout_share))
    for channel, limit in enumerate(capacities):
        if limit is not None:
            groups.append([offer_channel == channel for offer_channel in channels])
            most.append(_longest(limit, lambda count: int(count * holdout_share), holdout_share))
    return np.array(groups, dtype=bool).reshape(len(most), len(channels)), most


def _longest(capacity: int, held_out: Callable[[int], int], holdout_share: float) -> int:
    """The longest list of which no more than `capacity` are treated."""
    length = int(capacity / (1 - holdout_share)) + 2
    while length - held_out(length) > capacity:
        length -= 1
    return length


def _ranked(options: Options, assignment: Assignment) -> Integers:
    """The chosen customers by falling profit at the dual prices; of equals the earlier first."""
    rows = np.flatnonzero(assignment.choice >= 0)
    left = np.zeros(len(rows))
    for offer in range(len(options.profit)):
        with_offer = assignment.choice[rows] == offer
        left[with_offer] = options.priced(offer, assignment.prices.at)[rows[with_offer]]
    return rows[np.argsort(-left, kind="stable")]


def _last_that_fits(fits: Callable[[int], bool], end: int) -> int:
    """A count of 0, 1, … end that fits, as 0 does, where the next tried does not. Doubles its stride, then halves."""
    last, first_false, stride = 0, end + 1, 1
    while last + 1 < first_false:
        count = min(last + stride, end) if first_false > end else (last + first_false) // 2
        if fits(count):
            last, stride = count, 2 * stride
        else:
            first_false = count
    return last
