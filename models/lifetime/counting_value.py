"""The lifetime value of a log too short to learn later years from: the horizon's value, declining as customers age.

    CLV = (1 − costs) · expected_value · (γ_0 + level ÷ season · Σ_k γ_k E_k(T) / E_0(T))

E_k(T): expected orders of a customer alive at age T in period k after the horizon, mean of BG/NBD and Pareto/NBD, which
err on different sides. season: what the day has put into expected_value. level: half-way between the horizon's model
and counting models: the root of what these expect of all customers in a horizon ÷ what it expects without season.
costs: those of serving as a share of margin.

Source: Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of Marketing
Research 42(4), 415-430: discounted expected transactions times an expected margin each, the two being independent. Here
by periods, and with the horizon model's margin. Knows no contract, and nothing of who cools faster than others.
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
from models.btyd.maximum_likelihood import blocks
from models.btyd.purchase_model import PurchaseModel, bound_of, published_name
from models.ensemble.baselines import purchase_history, repeat_spend
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction

COUNTED_MISS = 0.25
"""How far a total of counting models usually is from what comes, as a standard deviation on the log scale: .24 on CDNOW
and Online Retail II."""


@dataclass(frozen=True)
class CountingValue:
    """Counting models that extend the horizon's value.

    Under BG/NBD each order is an occasion to leave, so orders of a customer with more of them decline faster; taken
    literally, the better customer would be worth less. All customers are therefore given the decline of one frequency,
    the base's mean. Under Pareto/NBD frequency cancels. Under both, orders of older customers decline more slowly.
    """

    orders: Sequence[PurchaseModel]
    """Fitted in days; the mean of their declines is taken."""
    frequency: float
    """Mean repeat orders of the customer base."""
    level: float | None
    """Of the periods after the horizon; None, in bundles made before format 5: the horizon's value goes on as it is, a
    season included."""
    log_odds: float = 0.0
    """Of no order, before calibration: the mean of the base, each customer counting as they are worth."""
    cost_share: float = 0.0
    """Costs to serve ÷ margin, of all customers."""
    doubts: tuple[str, ...] = ()
    """What a reader of its values should know, a sentence each."""
    miss: float = COUNTED_MISS
    """How far the total usually is from what comes: more, where the log is short."""

    @property
    def derivation(self) -> str:
        """How the values are made, in words for people who decide."""
        names = " and ".join(published_name(model) for model in self.orders)
        return f"the horizon's value, declining with age as {names} {'say' if len(self.orders) > 1 else 'says'}"

    def value(
        self,
        expected_value: Floats,
        season: Floats,
        frame: pd.DataFrame,
        *,
        horizon_days: float,
        lifetime_days: float,
        annual_discount_rate: float,
    ) -> Floats:
        """Discounted expected margin over the lifetime, currency units, (rows,).

        season: what the day of each row has put into its expected value, as a factor. Periods of `horizon_days` follow
        one another, the last one cut off at the lifetime's end; each is discounted from its middle.
        """
        ends = np.append(np.arange(1, np.ceil(lifetime_days / horizon_days)) * horizon_days, lifetime_days)
        middles = (np.append(0.0, ends[:-1]) + ends) / 2
        discounts = (1 + annual_discount_rate) ** (-middles / YEAR_DAYS)
        expected_value = expected_value * (1 - self.cost_share)
        whole = self._declining(expected_value, frame, ends, discounts)
        if self.level is None:
            return whole
        soon = discounts[0] * expected_value
        return soon + (whole - soon) * self.level / season

    def _declining(self, value: Floats, frame: pd.DataFrame, ends: Floats, discounts: Floats) -> Floats:
        """The discounted sum over all periods of a value in the first one."""
        sums = []
        for first, T in blocks(value, purchase_history(frame)[2]):
            by_model = []
            for model in self.orders:
                until = model.expected_orders_if_alive(ends[:, None], np.full_like(T, self.frequency), T)
                orders = np.diff(until, axis=0, prepend=0)
                by_model.append(first * (discounts[:, None] * orders).sum(axis=0) / until[0])
            sums.append(np.mean(by_model, axis=0))
        return np.concatenate(sums)


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
    orders: Sequence[PurchaseModel],
    known: pd.DataFrame,
    blended: LogPrediction,
    calibration: SeasonalCalibration,
    *,
    horizon_days: float,
    margin_rate: float,
    cost_share: float,
    doubts: Sequence[str],
    miss: float = COUNTED_MISS,
) -> CountingValue:
    """The value by these counting models, at a level from the customers known today.

    blended, calibration: their prediction over the horizon, and what calibrates it to a day; margin_rate: margin as a
    share of revenue, 0 … 1; cost_share: costs to serve ÷ margin.
    """
    days = known["as_of"].to_numpy()
    value = calibration.calibrate(blended, as_of=days).expected_value
    log_odds = float(np.average(blended.log_odds, weights=value))
    told = float((value / calibration.season_of(log_odds, as_of=days)).sum())
    counted = _counted(orders, known, horizon_days) * margin_rate
    level = float(np.sqrt(counted / told)) if counted > 0 else 1.0
    return CountingValue(
        orders, float(np.mean(purchase_history(known)[0])), level, log_odds, cost_share, tuple(doubts), miss
    )


def _counted(orders: Sequence[PurchaseModel], known: pd.DataFrame, horizon_days: float) -> float:
    """What counting models with Gamma-Gamma expect these customers to spend in a horizon; 0 where nobody came back."""
    frequency, mean_spend = repeat_spend(known)
    if not (mean_spend[frequency > 0] > 0).any():
        return 0.0
    expected = sum(model.expected_orders(horizon_days, *purchase_history(known)) for model in orders)
    spend = gamma_gamma.fit(frequency, mean_spend).expected_value(frequency, mean_spend)
    return float((expected * spend).sum()) / len(orders)
