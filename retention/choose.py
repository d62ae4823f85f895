"""Whom to choose: the most profit that fits a budget and a number of contacts, a random holdout aside."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from retention.holdout import smallest

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

#: A share of a sum of money below which two sums are equal: a budget is kept to the cent, not to the last bit.
ROUNDING = 1e-12


def choose(
    profit: Floats, cost: Floats, lots: Places, *, budget: float, capacity: int | None, holdout_share: float
) -> tuple[Places, float]:
    """Rows to choose, best first, and the price λ of money: what one more unit of budget would earn.

    `profit` > 0 and `cost` >= 0 are in currency units, one per customer; `lots` decide the holdout (the
    round(n share) smallest of the n chosen), whose members cost nothing. Who is treated then costs at most
    `budget` and counts at most `capacity`. Among equals the earlier row wins.

    A budget that does not bind has λ = 0. Else λ is bisected until the best by profit - λ cost (Lagrange) turn from too
    dear to affordable; from the affordable set we swap towards the too dear one as far as the money goes, and what is
    left buys the best that still fit. Not exact: against an exact solver, without a holdout, it falls short by less
    than the largest profit of one customer (tests/retention/test_plan_earns_most.py; why that is the size to expect of
    a rounded relaxation: Caprara, Kellerer, Pferschy and Pisinger 2000, "Approximation algorithms for knapsack
    problems with cardinality constraints", EJOR 123).

    The choice never looks at a lot but to see where the money ends: the holdout stays a fair sample of the
    chosen.
    """
    most = len(profit) if capacity is None else _list_length(capacity, holdout_share)
    budget *= 1 + ROUNDING

    def spent(chosen: Places) -> float:
        return float(cost[chosen[~smallest(lots[chosen], share=holdout_share)]].sum())

    def fits(chosen: Places) -> bool:
        return spent(chosen) <= budget

    def more(chosen: Places, rest: Places) -> int:
        return _last(lambda count: fits(np.concatenate([chosen, rest[:count]])), len(rest))

    def best(price: float) -> NDArray[np.bool_]:
        return _top(profit - price * cost, most)

    def ranked(rows: Places, price: float) -> Places:
        return rows[np.argsort(price * cost[rows] - profit[rows], kind="stable")]

    dear = best(0.0)
    if fits(np.flatnonzero(dear)):
        return ranked(np.flatnonzero(dear), 0.0), 0.0

    price, affordable, dear = _bisect(best, fits, dear, highest=2 * float((profit[cost > 0] / cost[cost > 0]).max()))
    stay, leave = np.flatnonzero(affordable & dear), ranked(np.flatnonzero(affordable & ~dear), price)[::-1]
    come = ranked(np.flatnonzero(dear & ~affordable), price)

    def swapped(count: int) -> Places:
        return np.concatenate([stay, come[:count], leave[count:]])

    chosen = swapped(_last(lambda count: fits(swapped(count)), len(come)))
    left = np.ones(len(profit), dtype=bool)
    left[chosen] = False
    rest = ranked(np.flatnonzero(left), price)
    while len(chosen) < most:
        rest = rest[cost[rest] <= budget - spent(chosen)][: most - len(chosen)]
        if not (added := more(chosen, rest)):
            break
        chosen, rest = np.concatenate([chosen, rest[:added]]), rest[added:]
    return ranked(np.sort(chosen), price), price


def _list_length(capacity: int, holdout_share: float) -> int:
    """The longest list whose treated part, n - round(n share), is at most `capacity`."""
    length = int(capacity / (1 - holdout_share)) + 2
    while length - round(length * holdout_share) > capacity:
        length -= 1
    return length


def _top(score: Floats, most: int) -> NDArray[np.bool_]:
    """True for the `most` highest scores above zero, of equals the earlier."""
    top = score > 0
    if np.count_nonzero(top) > most:
        threshold = np.partition(score, -most)[-most]
        top = score > threshold
        top[np.flatnonzero(score == threshold)[: most - np.count_nonzero(top)]] = True
    return top


def _bisect(
    best: Callable[[float], NDArray[np.bool_]],
    fits: Callable[[Places], bool],
    dear: NDArray[np.bool_],
    *,
    highest: float,
) -> tuple[float, NDArray[np.bool_], NDArray[np.bool_]]:
    """The price at which the best become affordable, who they are, and who were best just below it."""
    low, high, affordable = 0.0, highest, best(highest)
    while np.count_nonzero(dear != affordable) > 2 and high - low > ROUNDING * high:
        price = (low + high) / 2
        rows = best(price)
        if fits(np.flatnonzero(rows)):
            high, affordable = price, rows
        else:
            low, dear = price, rows
    return high, affordable, dear


def _last(true_at: Callable[[int], bool], end: int) -> int:
    """The last count of 0, 1, … end at which it is still true; true at 0. Doubles its stride, then halves."""
    last, first_false, stride = 0, end + 1, 1
    while last + 1 < first_false:
        count = min(last + stride, end) if first_false > end else (last + first_false) // 2
        if true_at(count):
            last, stride = count, 2 * stride
        else:
            first_false = count
    return last
