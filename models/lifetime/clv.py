"""Customer lifetime value: the horizon model's expected value, extended over the years after as orders decline.

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
from models.btyd.maximum_likelihood import blocks
from models.btyd.purchase_model import KINDS, PurchaseModel
from models.btyd.recency_frequency import checked


@dataclass(frozen=True)
class Tail:
    """The decline of orders beyond the horizon: expected orders of a customer alive, as a function of age alone.

    Under BG/NBD each order is an occasion to leave, so orders of a customer with more of them decline faster; taken
    literally, the better customer would be worth less. All customers are therefore given the decline of one frequency,
    the base's mean. Under Pareto/NBD frequency cancels. Under both, orders of older customers decline more slowly.
    """

    purchase_model: PurchaseModel
    """Fitted in days."""
    frequency: float
    """Mean repeat orders of the customer base."""

    def expected_orders(self, t: ArrayLike, T: Floats) -> Floats:
        """Expected orders in (T, T + t] of a customer alive at age T; only ratios between spans t mean anything.

        t, T: arrays that broadcast together.
        """
        return self.purchase_model.expected_orders_if_alive(t, np.full_like(T, self.frequency), T)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers, and `kind`: bgnbd or pareto_nbd."""
        (kind,) = (kind for kind, model in KINDS.items() if isinstance(self.purchase_model, model))
        return {"kind": kind, "shape": asdict(self.purchase_model), "frequency": self.frequency}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Tail:
        """Read the output of `to_json`; raises KeyError or TypeError on anything else."""
        return cls(KINDS[content["kind"]](**content["shape"]), content["frequency"])


def fit_tail(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Tail:
    """Fit BG/NBD and Pareto/NBD and keep the likelier (four parameters each, densities of the same data); ages in days.

    A model whose maximum cannot be found is left out; if neither has one, BG/NBD's refusal is raised.
    """
    fitted: list[PurchaseModel] = []
    refusals: list[Refusal] = []
    fits: tuple[Callable[..., PurchaseModel], ...] = (bgnbd.fit, pareto_nbd.fit)
    for fit in fits:
        try:
            fitted.append(fit(frequency, recency, T))
        except Refusal as refusal:
            refusals.append(refusal)
    if not fitted:
        raise refusals[0]
    return Tail(max(fitted, key=lambda model: model.log_likelihood), float(np.asarray(frequency, dtype=float).mean()))


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
    cancels in E_k / E_0: the horizon model gives the value of a customer, the tail its decline, by age alone. At equal
    `expected_value` and days since the last order, repeat buyers are older, and are worth no less than those who
    ordered once. `frequency`, `recency`, `T`: the history in days, all three checked.

    Wrong where the horizon is a season: a Christmas quarter is extended as if every quarter were one.
    """
    if not (horizon_days > 0 and lifetime_days >= horizon_days):
        raise InputError(
            f"a lifetime of {lifetime_days:g} days is shorter than one horizon of {horizon_days:g} days",
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
    values = []
    for value, T in blocks(first_value, age):
        until = tail.expected_orders(ends[:, None], T)
        orders = np.diff(until, axis=0, prepend=0)
        values.append(value * (discounts[:, None] * orders).sum(axis=0) / until[0])
    return np.concatenate(values)
