"""Simulated campaigns whose effect is known: a shop whose customers leave, come back and spend very unequally."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

SCORES = ("churn_probability", "expected_orders", "expected_value", "clv")


@dataclass(frozen=True)
class Shop:
    """What is true of n chosen customers: who of them leaves with which chance, and what the others do."""

    leaving: np.ndarray
    orders: np.ndarray
    """Expected orders of who stays, at least 1."""
    margin: np.ndarray
    """Expected margin of one order: log-normal over customers."""
    scores: pd.DataFrame
    """What a model would say: churn is right, the margin is a noisy guess."""

    def expected_effect(self, save_rate: float, treated: np.ndarray) -> dict[str, float]:
        """The true effect per treated customer of keeping `save_rate` of those who would leave."""
        kept = save_rate * self.leaving[treated]
        orders = kept * self.orders[treated]
        return {
            "stayed": kept.mean(),
            "orders": orders.mean(),
            "margin": (orders * self.margin[treated]).mean(),
        }


def shop(rng: np.random.Generator, customers: int) -> Shop:
    leaving = rng.beta(4, 3, customers)
    orders = 1 + rng.gamma(1, 0.8, customers)
    margin = rng.lognormal(2.5, 1.0, customers)
    guess = margin * rng.lognormal(-0.125, 0.5, customers)
    expected = (1 - leaving) * orders
    scores = pd.DataFrame(
        {
            "churn_probability": leaving,
            "expected_orders": expected,
            "expected_value": expected * guess,
            "clv": expected * guess * rng.lognormal(1.5, 0.3, customers),
        }
    )
    return Shop(leaving, orders, margin, scores)


def lots(rng: np.random.Generator, customers: int, holdout_share: float) -> np.ndarray:
    """Who is treated: all but exactly round(n share), drawn at random."""
    treated = np.ones(customers, dtype=bool)
    treated[rng.permutation(customers)[: round(customers * holdout_share)]] = False
    return treated


def campaign(
    rng: np.random.Generator, of: Shop, treated: np.ndarray, *, save_rate: float, cost: float = 0.0
) -> pd.DataFrame:
    """What `readout` is handed: the scores, who was treated at which cost, and what came of it."""
    count = len(treated)
    stayed = rng.random(count) >= of.leaving * (1 - save_rate * treated)
    orders = np.where(stayed, 1 + rng.poisson(of.orders - 1), 0)
    margin = of.margin * rng.gamma(1.5 * np.maximum(orders, 1)) / 1.5 * stayed
    done = pd.DataFrame({"treated": treated, "offer": "voucher", "stayed": stayed * 1.0, "orders": orders * 1.0})
    return done.assign(margin=margin, cost=cost * treated).join(of.scores)
