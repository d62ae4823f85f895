"""Customer lifetime value: the horizon model's expectation, carried on as orders fade in the years after.

Source: Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of
Marketing Research 42(4), 415-430: discounted expected transactions times an expected margin each, the two being
independent. Here by periods, and with the first period's margin from the horizon model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from features.arrays import Floats
from features.clock import YEAR_DAYS
from features.errors import InputError, Refusal
from models.btyd import bgnbd, pareto_nbd
from models.btyd.bgnbd import BGNBD
from models.btyd.maximum_likelihood import blocks
from models.btyd.pareto_nbd import ParetoNBD
from models.btyd.recency_frequency import checked

SHAPES: dict[str, type[BGNBD] | type[ParetoNBD]] = {"bgnbd": BGNBD, "pareto_nbd": ParetoNBD}


@dataclass(frozen=True)
class Tail:
    """How orders fade beyond the horizon: the expected orders of a customer alive, as a function of age alone.

    Under BG/NBD each order is an occasion to leave, so a customer with more orders fades faster; taken at its word it
    would make the better customer the less worth. All are therefore given the fade of one frequency, the base's mean.
    Under Pareto/NBD frequency cancels. Under both the older fade slower.
    """

    shape: BGNBD | ParetoNBD
    """Fitted in days."""
    frequency: float
    """Mean repeat orders of the base."""

    def expected_orders(self, t: ArrayLike, T: Floats) -> Floats:
        """Orders of such a customer, alive at age T, in (T, T + t]; only ratios between spans t mean anything.

        t, T: of shapes that go together.
        """
        return self.shape.expected_orders_if_alive(t, np.full_like(T, self.frequency), T)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, and `kind`: bgnbd or pareto_nbd."""
        (kind,) = (kind for kind, shape in SHAPES.items() if isinstance(self.shape, shape))
        return {"kind": kind, **asdict(self)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Tail:
        """What `to_json` made; raises KeyError or TypeError on anything else."""
        return cls(SHAPES[content["kind"]](**content["shape"]), content["frequency"])


def fit_tail(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Tail:
    """The likelier of BG/NBD and Pareto/NBD (four parameters each, densities of the same data); ages in days.

    One whose maximum cannot be found is left out; if that is so of both, BG/NBD's refusal is raised.
    """
    found: list[BGNBD | ParetoNBD] = []
    refused: list[Refusal] = []
    fits: tuple[Callable[..., BGNBD | ParetoNBD], ...] = (bgnbd.fit, pareto_nbd.fit)
    for fit in fits:
        try:
            found.append(fit(frequency, recency, T))
        except Refusal as refusal:
            refused.append(refusal)
    if not found:
        raise refused[0]
    return Tail(max(found, key=lambda shape: shape.log_likelihood), float(np.asarray(frequency, dtype=float).mean()))


def clv(
    expected_value: ArrayLike,
    *,
    horizon_days: float,
    lifetime_days: float,
    annual_discount_rate: float,
    tail: Tail,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
) -> Floats:
    """Discounted expected margin of each customer over the next `lifetime_days`, in currency units.

    Periods of h = `horizon_days` follow one another, the last one cut off at the lifetime's end:

        CLV = Σ_k expected_value · (E_k / E_0) / (1 + annual_discount_rate)^(m_k / 365)

    E_k is the tail's expected number of orders in period k, m_k the middle of that period in days. The first period is
    `expected_value` itself, so the tail joins it without a jump, and a lifetime of one horizon leaves only it. P(alive)
    cancels in E_k / E_0: what a customer is worth is the horizon model's to say, the tail says how it fades, by age
    alone. At equal `expected_value` and days since the last order, repeat buyers are the older, and are worth no less
    than those who ordered once. `frequency`, `recency`, `T`: the history in days, all three checked.

    Wrong where the horizon is a season: a Christmas quarter is carried on as if every quarter were one.
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
    _, _, age = checked(frequency, recency, T, where="lifetime")
    if first_value.shape != age.shape:
        raise InputError(
            f"{first_value.size} expected values for {age.size} customers",
            where="lifetime",
            next="give one per customer",
        )
    ends = np.append(np.arange(1, np.ceil(lifetime_days / horizon_days)) * horizon_days, lifetime_days)
    middles = (np.append(0.0, ends[:-1]) + ends) / 2
    discounts = (1 + annual_discount_rate) ** (-middles / YEAR_DAYS)
    worth = []
    for value, T in blocks(first_value, age):
        until = tail.expected_orders(ends[:, None], T)
        orders = np.diff(until, axis=0, prepend=0)
        worth.append(value * (discounts[:, None] * orders).sum(axis=0) / until[0])
    return np.concatenate(worth)
