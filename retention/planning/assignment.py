"""The best offer for every customer, one at most, within money and contacts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.arrays import Floats, Integers
from retention.planning import milp
from retention.planning.dual_prices import DualPrices, LagrangianDual, OfferIndexes, Options

MAX_EXACT_OPTIONS = 1_000
"""The most options that are decided exactly: with more, a solution takes longer than seconds."""
FIRST_OPTIONS = 60
"""Options decided first, to see how many can matter at all."""
MAX_LINEAR_OPTIONS = 20_000
"""The most options that a linear program decides beforehand, all but one or two."""
NEGLIGIBLE_GAP = 1e-4
"""Share of the bound that is not worth another look."""
ROUNDING = 1e-12
"""A share of a limit below which two sums are equal: a budget is kept to the cent, not to the last bit."""


@dataclass(frozen=True)
class Assignment:
    """The offer of each customer, its profit, an upper bound on the profit of any choice within the limits, and the
    dual prices it was made at."""

    choice: OfferIndexes
    worth: float
    bound: float
    prices: DualPrices


def assign_offers(market: LagrangianDual, limits: Floats) -> Assignment:
    """Assign offers within the limits: money, then contacts of each group, all > 0. Only profitable offers are
    assigned.

    At the dual prices (`LagrangianDual`) the offer of nearly everyone is clear. Any other offer loses something against
    the bound; if that is more than the bound is above the best choice found, it is in no better choice. The rest is
    decided exactly (`milp.select_options`). Where more than `MAX_EXACT_OPTIONS` options remain, as among many equals,
    only the closest calls are decided exactly, more of them by a linear program and the others by the prices, and the
    bound says what may be missing. Nothing remains where that is a ten-thousandth (`NEGLIGIBLE_GAP`).

    Equals are served in the order of their columns.
    """
    limits, options = limits * (1 + ROUNDING), market.options
    prices = market.prices(limits)
    clear, left = options.best(prices.at)
    losses = np.stack([left - options.priced(offer, prices.at) for offer in range(len(options.profit))])
    second = _second(losses, left, clear)
    closest = np.argsort(second, kind="stable")

    def rough(from_: OfferIndexes, size: int, *, whole: bool = True) -> tuple[float, OfferIndexes, float]:
        """The choice with that of the closest calls decided anew, as many as have so many options."""
        undecided = closest[: max(size // len(losses), 1)]
        fixed = from_.copy()
        fixed[undecided] = -1
        fixed = _within(options, fixed, limits, left)
        may = losses[:, undecided] <= second[undecided].max(initial=0)
        return _decided(options, fixed, limits, undecided, may, whole=whole)

    mixed = _mixed(options, prices)
    worth, choice, _ = rough(mixed, FIRST_OPTIONS)
    if worth < prices.bound * (1 - NEGLIGIBLE_GAP):
        _, settled, _ = rough(mixed, MAX_LINEAR_OPTIONS, whole=False)
        again = rough(settled, FIRST_OPTIONS)
        if again[0] > worth:
            worth, choice, _ = again
    bound, gap = prices.bound, prices.bound - worth
    open_ = np.flatnonzero(second <= gap)
    if gap <= NEGLIGIBLE_GAP * bound:
        again = worth, choice, bound
    elif len(open_) * len(losses) <= MAX_EXACT_OPTIONS:
        fixed = clear.copy()
        fixed[open_] = -1
        again = _decided(options, fixed, limits, open_, losses[:, open_] <= gap)
        bound = min(bound, max(worth, again[2]))
    else:
        again = rough(choice, MAX_EXACT_OPTIONS)
    if again[0] > worth:
        worth, choice, _ = again
    return Assignment(_equals_in_order(options, choice), worth, max(bound, worth), prices)


def _second(losses: Floats, left: Floats, clear: OfferIndexes) -> Floats:
    """The loss of each customer's second-best choice, be it another offer or none."""
    second = np.where(clear >= 0, left, np.inf)
    for offer, loss in enumerate(losses):
        np.minimum(second, loss, out=second, where=clear != offer)
    return second


def _mixed(options: Options, prices: DualPrices) -> OfferIndexes:
    """The best choice of each customer at one of the mixed prices, assigned by their shares, evenly over the
    columns."""
    edges = np.cumsum([share for _, share in prices.mixed])
    golden = (np.arange(options.customers) * ((5**0.5 - 1) / 2)) % 1 * edges[-1]
    follows = np.searchsorted(edges, golden, side="right")
    choice = np.full(options.customers, -1, dtype=np.int8)
    for place, (at, _) in enumerate(prices.mixed):
        np.copyto(choice, options.best(at)[0], where=follows == place)
    return choice


def _within(options: Options, choice: OfferIndexes, limits: Floats, left: Floats) -> OfferIndexes:
    """The choice without its least profitable customers, as far as it exceeded the limits."""
    for limit in range(len(limits)):
        while (over := options.use(choice)[limit] - limits[limit]) > 0:
            chosen = np.flatnonzero(choice >= 0)
            chosen = chosen[np.argsort(left[chosen], kind="stable")]
            offers = choice[chosen]
            used = np.cumsum(options.cost[offers, chosen] if limit == 0 else options.groups[limit - 1, offers])
            dropped = chosen[: np.searchsorted(used, over) + 1]
            if limit:
                dropped = dropped[options.groups[limit - 1, choice[dropped]]]
            choice[dropped] = -1
    return choice


def _decided(
    options: Options,
    fixed: OfferIndexes,
    limits: Floats,
    undecided: Integers,
    may: NDArray[np.bool_],
    *,
    whole: bool = True,
) -> tuple[float, OfferIndexes, float]:
    """Decide the offers of the customers in `undecided`, given the fixed choice of the others; returns its worth, the
    choice, and a bound of its worth.

    may: a row per offer, a column per undecided customer: true where the offer is considered. whole: see
    `milp.select_options`.
    """
    offer, place = np.nonzero(may & (options.profit[:, undecided] > 0))
    if not len(offer):
        return options.worth(fixed), fixed, options.worth(fixed)
    customer = undecided[place]
    uses = np.vstack([options.cost[offer, customer], options.groups[:, offer]])
    rest = np.maximum(limits - options.use(fixed), 0)
    selected, bound = milp.select_options(options.profit[offer, customer], uses, rest, customer, whole=whole)
    choice = fixed.copy()
    choice[customer[selected]] = offer[selected]
    return options.worth(choice), choice, options.worth(fixed) + bound


def _equals_in_order(options: Options, choice: OfferIndexes) -> OfferIndexes:
    """The same choice, where customers who are equal in everything swap so that the earlier are chosen first."""
    order = np.argsort(options.profit[0], kind="stable")
    alike = options.profit[0][order][1:] == options.profit[0][order][:-1]
    order = order[(np.append(alike, False) | np.append(False, alike))[: len(order)]]
    keys = np.vstack([options.profit, options.cost])[:, order]
    sorting = np.lexsort(keys)
    order, keys = order[sorting], keys[:, sorting]
    run = np.append(0, np.cumsum((keys[:, 1:] != keys[:, :-1]).any(axis=0))) if len(order) else np.zeros(0)
    given = choice[order]
    swapped = choice.copy()
    swapped[order] = given[np.lexsort((given, given < 0, run))]
    return swapped
