"""The lifetime value of a log too short to learn later years from: counting models of orders, Gamma-Gamma for money.

    CLV = margin_rate · E(spend per order) · Σ_k γ_k E(orders in window k)

Orders: the mean of BG/NBD and Pareto/NBD, which err on different sides. Source: Fader, Hardie & Lee (2005), RFM and
CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of Marketing Research 42(4), 415-430. Knows no season,
no interactions, and no contract.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.clock import YEAR_DAYS
from features.errors import Refusal
from models.btyd import bgnbd, gamma_gamma, pareto_nbd
from models.btyd.gamma_gamma import GammaGamma
from models.btyd.maximum_likelihood import blocks
from models.btyd.purchase_model import PurchaseModel, bound_of, published_name
from models.ensemble.baselines import purchase_history, repeat_spend
from models.lifetime.lattice import MONTH_DAYS, QUARTER

WINDOW_DAYS = QUARTER * MONTH_DAYS
"""The length of a window, within which a discount is that of its middle."""


@dataclass(frozen=True)
class CountingValue:
    """Fitted counting models and what an order brings."""

    orders: Sequence[PurchaseModel]
    """Whose mean is taken; in days."""
    spend: GammaGamma
    margin_rate: float
    """Margin as a share of revenue, 0 … 1."""
    doubts: tuple[str, ...] = ()
    """What a reader of its values should know, a sentence each."""

    @property
    def derivation(self) -> str:
        """How the values are made, in words for people who decide."""
        names = " and ".join(published_name(model) for model in self.orders)
        return f"counted by {names}, with Gamma-Gamma"

    def value(self, frame: pd.DataFrame, *, lifetime_days: float, annual_discount_rate: float) -> Floats:
        """Discounted expected margin over the lifetime, currency units, (rows,)."""
        ends = np.append(np.arange(1, np.ceil(lifetime_days / WINDOW_DAYS)) * WINDOW_DAYS, lifetime_days)
        middles = (np.append(0.0, ends[:-1]) + ends) / 2
        discounts = (1 + annual_discount_rate) ** (-middles / YEAR_DAYS)
        orders = [
            sum((discounts[:, None] * _orders_in(model, ends, *history)).sum(axis=0) for model in self.orders)
            / len(self.orders)
            for history in blocks(*purchase_history(frame))
        ]
        return np.concatenate(orders) * self.spend.expected_value(*repeat_spend(frame)) * self.margin_rate


def _orders_in(model: PurchaseModel, ends: Floats, frequency: Floats, recency: Floats, T: Floats) -> Floats:
    """Expected orders in each window, (windows, rows)."""
    until = np.array([model.expected_orders(end, frequency, recency, T) for end in ends])
    return np.diff(until, axis=0, prepend=0)


def fit_orders(known: pd.DataFrame) -> tuple[list[PurchaseModel], list[str]]:
    """Fit both counting models on the customers known; returns those that may be used, and the doubts about them.

    A model whose maximum lies at a bound (nobody leaves; all are alike) is used only if the other one's does too. One
    whose maximum cannot be found is left out; if neither has one, its Refusal is raised.
    """
    fitted: list[PurchaseModel] = []
    refusals: list[Refusal] = []
    fits: tuple[Callable[..., PurchaseModel], ...] = (bgnbd.fit, pareto_nbd.fit)
    for fit in fits:
        try:
            fitted.append(fit(*purchase_history(known)))
        except Refusal as refusal:
            refusals.append(refusal)
    if not fitted:
        raise refusals[0]
    bounds = [bound_of(model) for model in fitted]
    doubts = [
        f"{published_name(model)} has its best fit at a bound, where {bound}"
        for model, bound in zip(fitted, bounds, strict=True)
        if bound
    ]
    free = [model for model, bound in zip(fitted, bounds, strict=True) if not bound]
    return free or fitted, doubts


def fit(
    orders: Sequence[PurchaseModel], known: pd.DataFrame, *, margin_rate: float, doubts: Sequence[str]
) -> CountingValue:
    """The value by these counting models, with spending fitted on the customers known today."""
    return CountingValue(orders, gamma_gamma.fit(*repeat_spend(known)), margin_rate, tuple(doubts))
