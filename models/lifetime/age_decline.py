"""The lifetime value of bundles before format 5: the horizon's expected value, extended as orders decline with age.

Nothing is fitted so any more (models/lifetime/clv.py); a model that was made so can still be read and rolled back to.

Source: Fader, Hardie & Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of
Marketing Research 42(4), 415-430: discounted expected transactions times an expected margin each, the two being
independent. Here by periods, and with the first period's margin from the horizon model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from features.arrays import Floats
from features.clock import YEAR_DAYS
from models.btyd.maximum_likelihood import blocks
from models.btyd.purchase_model import KINDS, PurchaseModel
from models.ensemble.baselines import purchase_history


@dataclass(frozen=True)
class AgeDecline:
    """The decline of orders beyond the horizon: expected orders of a customer alive, as a function of age alone.

    Under BG/NBD each order is an occasion to leave, so orders of a customer with more of them decline faster; taken
    literally, the better customer would be worth less. All customers are therefore given the decline of one frequency,
    the base's mean. Under Pareto/NBD frequency cancels. Under both, orders of older customers decline more slowly.
    """

    purchase_model: PurchaseModel
    """Fitted in days."""
    frequency: float
    """Mean repeat orders of the customer base."""
    doubts: tuple[str, ...] = ()

    @property
    def derivation(self) -> str:
        """How the values are made, in words for people who decide."""
        return "the horizon's value, declining with age"

    def expected_orders(self, t: ArrayLike, T: Floats) -> Floats:
        """Expected orders in (T, T + t] of a customer alive at age T; only ratios between spans t mean anything.

        t, T: arrays that broadcast together.
        """
        return self.purchase_model.expected_orders_if_alive(t, np.full_like(T, self.frequency), T)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> AgeDecline:
        """Read `tail` of such a bundle; raises KeyError or TypeError on anything else."""
        return cls(KINDS[content["kind"]](**content["shape"]), content["frequency"])

    def value(
        self,
        expected_value: Floats,
        frame: pd.DataFrame,
        *,
        horizon_days: float,
        lifetime_days: float,
        annual_discount_rate: float,
    ) -> Floats:
        """Discounted expected margin of each customer over the lifetime, currency units, (rows,).

        Periods of h = `horizon_days` follow one another, the last one cut off at the lifetime's end:

            CLV = Σ_k expected_value · (E_k / E_0) / (1 + annual_discount_rate)^(m_k / 365)

        E_k is the expected number of orders in period k, m_k the middle of that period in days. Wrong where the horizon
        is a season, and for customers who are leaving: the decline is the same for all of an age.
        """
        ends = np.append(np.arange(1, np.ceil(lifetime_days / horizon_days)) * horizon_days, lifetime_days)
        middles = (np.append(0.0, ends[:-1]) + ends) / 2
        discounts = (1 + annual_discount_rate) ** (-middles / YEAR_DAYS)
        values = []
        for value, T in blocks(expected_value, purchase_history(frame)[2]):
            until = self.expected_orders(ends[:, None], T)
            orders = np.diff(until, axis=0, prepend=0)
            values.append(value * (discounts[:, None] * orders).sum(axis=0) / until[0])
        return np.concatenate(values)
