"""Customer lifetime value: the horizon model's expectation, carried on by the shape BG/NBD gives to the years after.

Source: Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of
Marketing Research 42(4), 415-430: discounted expected transactions times an expected margin each, the two being
independent. Here by periods, and with the first period's margin from the horizon model.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from features.clock import YEAR_DAYS
from features.errors import InputError
from models.bgnbd import BGNBD, checked
from models.likelihood import Floats


def clv(
    expected_value: ArrayLike,
    *,
    horizon_days: float,
    lifetime_days: float,
    annual_discount_rate: float,
    bgnbd: BGNBD,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
) -> Floats:
    """Discounted expected margin of each customer over the next `lifetime_days`, in currency units.

    Periods of h = `horizon_days` follow one another, the last one cut off at the lifetime's end:

        CLV = Σ_k expected_value · (E_k / E_0) / (1 + annual_discount_rate)^(m_k / 365)

    E_k is BG/NBD's expected number of orders in period k, m_k the middle of that period in days. The first period is
    `expected_value` itself, so the tail joins it without a jump, and a lifetime of one horizon leaves only it. P(alive)
    cancels in E_k / E_0: what a customer is worth is the horizon model's to say, BG/NBD says how it fades.
    `bgnbd`, `frequency`, `recency`, `T` in days.

    Wrong where the horizon is a season: a Christmas quarter is carried on as if every quarter were one. At an equal
    `expected_value` a customer who orders more often fades faster, as each order is an occasion to leave.
    """
    if not (horizon_days > 0 and lifetime_days >= horizon_days):
        raise InputError(
            f"a lifetime of {lifetime_days:g} days does not hold one horizon of {horizon_days:g} days",
            where="lifetime",
            next="set lifetime_days to at least horizon_days",
        )
    if not annual_discount_rate > -1:
        raise InputError(f"annual_discount_rate is {annual_discount_rate:g}", where="lifetime", next="e.g. 0.10")
    first_value = np.asarray(expected_value, dtype=float)
    orders, _, age = checked(frequency, recency, T)
    if first_value.shape != orders.shape:
        raise InputError(
            f"{first_value.size} expected values for {orders.size} customers",
            where="lifetime",
            next="give one per customer",
        )
    ends = np.append(np.arange(1, np.ceil(lifetime_days / horizon_days)) * horizon_days, lifetime_days)
    middles = (np.append(0.0, ends[:-1]) + ends) / 2
    discounts = (1 + annual_discount_rate) ** (-middles / YEAR_DAYS)
    first = until = bgnbd.expected_orders_if_alive(ends[0], orders, age)
    worth = discounts[0] * first
    for end, discount in zip(ends[1:], discounts[1:], strict=True):
        before, until = until, bgnbd.expected_orders_if_alive(end, orders, age)
        worth = worth + discount * (until - before)
    return first_value * worth / first
