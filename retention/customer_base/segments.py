"""Value quadrants: what customers bring now against what they will bring."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.arrays import Floats
from features.errors import InputError
from retention.economics.offers import Offer

CURRENT_VALUE_FEATURE = "spend_last_365d"
"""The feature that is a customer's current value in all segments."""
SEGMENTS = VIP, GROW, MAINTAIN, LET_GO = "VIP", "grow", "maintain", "let go"
"""The best first."""
#: name by [current value is high][future value is high]
QUADRANTS = np.array([[LET_GO, GROW], [MAINTAIN, VIP]])
ROUNDING = 1e-9
"""The share of a contact's cost within which a gain counts as equal to it."""


def value_quadrants(
    current_value: ArrayLike,
    future_value: ArrayLike,
    gain: ArrayLike,
    *,
    current_cut: float,
    future_cut: float,
    gain_cut: float,
) -> NDArray[np.str_]:
    """Each customer's quadrant; values and cuts in currency units, high = strictly above the cut.

                         future low    future high
        current high     maintain      VIP
        current low      let go        grow

    A customer low in both whose gain is above its cut is to be maintained: a contact may pay with them. With the cut of
    `gain_cut` a plan contacts nobody who is let go. With the averages of `average_cuts` most customers are low, since
    values are skewed: the quadrants are a view, not four equal parts. Where all are worth the same, nobody is above the
    average, and everyone is let go with whom no contact can pay.

    >>> value_quadrants([50, 1, 50, 1, 1], [9, 9, 0, 0, 0], [3, 3, 0, 0, 3],
    ...                 current_cut=10, future_cut=5, gain_cut=2).tolist()
    ['VIP', 'grow', 'maintain', 'let go', 'maintain']
    """
    now, then = _finite(current_value, "current value"), _finite(future_value, "future value")
    quadrants = QUADRANTS[(now > current_cut).astype(int), (then > future_cut).astype(int)]
    worth_a_contact = _finite(gain, "gain") > gain_cut
    return np.where((quadrants == LET_GO) & worth_a_contact, MAINTAIN, quadrants)


def gain_cut(offers: Sequence[Offer]) -> float:
    """The gain up to which a contact pays with none of these offers, currency units; infinite without an offer.

    The cost of the cheapest contact, c. A contact adds at most the savable probability q to the chance of staying, by a
    save rate of 1 or an individual effect of q, and so earns at most (g - q d) - (1 - p) r d - c ≤ g - c
    (retention/economics/profit.py): whatever campaigns teach, one that pays has a gain g above c.

    >>> offer = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, redeem_rate=0.3, save_rate=0.1)
    >>> round(gain_cut([offer, offer.model_copy(update={"contact_cost": 0.2})]), 6), gain_cut([])
    (0.2, inf)
    """
    return min((offer.contact_cost for offer in offers), default=float("inf")) * (1 - ROUNDING)


def average_cuts(current_value: ArrayLike, future_value: ArrayLike) -> tuple[float, float]:
    """The customer base's average current and future value, in currency units: where `quadrant` cuts.

    >>> average_cuts([0, 10], [2, 4])
    (5.0, 3.0)
    """
    now, then = _finite(current_value, "current value"), _finite(future_value, "future value")
    if now.size == 0:
        raise InputError("no customers, so no average to cut at", where="value quadrants")
    return float(now.mean()), float(then.mean())


def _finite(value: ArrayLike, name: str) -> Floats:
    array = np.asarray(value, dtype=float)
    if missing := int((~np.isfinite(array)).sum()):
        raise InputError(
            f"the {name} of {missing:,} of {array.size:,} customers is missing or infinite",
            where="value quadrants",
            next="Score these customers first: a customer without a value has no quadrant.",
        )
    return array
