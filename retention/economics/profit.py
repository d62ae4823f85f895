"""The profit of contacting customers with an offer: one by one, and the save rate at which it is nothing.

Symbols: p the churn probability, q ≤ p that of a customer who leaves and can be saved, τ the effect: what the contact
adds to the probability of staying, r the redeem rate (share of would-be stayers that take the incentive all the same),
d the incentive, c the contact, g the gain (models/keeping/keeping.py), w = g / q what one saved customer adds, v their
CLV. Money is in currency units, rates are in [0, 1], and every argument broadcasts.

    would leave (p)   ── kept (τ) ─────────►  + w - d - c
                      └─ lost (p - τ) ─────►      - c
    would stay (1-p)  ── redeems (r) ──────►  - d - c
                      └─ does not (1 - r) ─►      - c

With one save rate s, the share of the savable whom the offer keeps, τ = q s: s (g - q d) - (1 - p) r d - c. An effect
below 0 drives -τ of the would-be stayers away, who redeem nothing and take their v with them:

    would leave (p)   ── lost ─────────────────────────►      - c
    would stay (1-p)  ── driven away (-τ) ─────────────►  - v - c
                      └─ stays, redeems ((1 - p + τ) r) ►  - d - c

Only the net effect is known: it does not show that a contact keeps some and drives away others at once.

Source: Neslin, Gupta, Kamakura, Lu and Mason (2006), "Defection Detection", JMR 43(2), and Verbraken, Verbeke
and Baesens (2013), "A Novel Profit Maximizing Metric", IEEE TKDE 25(5): theirs is the case that all who leave can be
saved (q = p), r = 1, and a saved customer is worth one CLV, the same for all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.evaluation.estimate import Z90

Numbers = Floats | Sequence[float] | float


def expected_cost(
    *,
    churn_probability: Numbers,
    effect: Numbers,
    redeem_rate: float,
    incentive_cost: Numbers,
    contact_cost: float,
) -> Floats:
    """Expected cost of contacting each customer: c + d (τ⁺ + (1 - p - τ⁻) r), τ = τ⁺ - τ⁻.

    The incentive is paid only where it is redeemed, by the kept and by the stayers. The bill of one campaign
    differs from the sum of these by chance: if everyone redeemed, it would be c + d a head.

    >>> float(expected_cost(churn_probability=0.4, effect=0.04, redeem_rate=0.3,
    ...                     incentive_cost=5, contact_cost=0.5))
    1.6
    """
    p, t, d = (np.asarray(values, dtype=float) for values in (churn_probability, effect, incentive_cost))
    return np.asarray(contact_cost + d * (np.maximum(t, 0) + (1 - p + np.minimum(t, 0)) * redeem_rate))


def expected_profit(
    *,
    churn_probability: Numbers,
    kept_worth: Numbers,
    clv: Numbers,
    effect: Numbers,
    redeem_rate: float,
    incentive_cost: Numbers,
    contact_cost: float,
) -> Floats:
    """Expected profit of contacting each customer, net of cost: τ⁺ (w - d) - τ⁻ v - (1 - p - τ⁻) r d - c.

    kept_worth: w. To drive away a customer whose CLV is below 0 counts as no gain: v is taken to be 0 in -τ⁻ v, so an
    effect of 0 or less never pays. Wrong where the incentive changes what the kept bring.

    >>> round(float(expected_profit(churn_probability=0.4, kept_worth=200, clv=300, effect=0.04, redeem_rate=0.3,
    ...                             incentive_cost=5, contact_cost=0.5)), 9)
    6.4
    """
    p, w, v, t, d = (
        np.asarray(values, dtype=float) for values in (churn_probability, kept_worth, clv, effect, incentive_cost)
    )
    away = np.minimum(t, 0)
    kept = np.maximum(t, 0) * (w - d) + away * np.maximum(v, 0)
    return np.asarray(kept - (1 - p + away) * redeem_rate * d - contact_cost)


def break_even_save_rate(
    *,
    churn_probability: Numbers,
    savable: Numbers,
    gain: Numbers,
    redeem_rate: float,
    incentive_cost: Numbers,
    contact_cost: float,
) -> float:
    """The save rate at which contacting all these customers earns nothing: Σ((1 - p) r d + c) / Σ(g - q d).

    For one save rate for all, τ = q s. Above 1, or infinite where those who can be saved add no more than the
    incentive, no save rate pays. NaN for nobody.

    >>> break_even_save_rate(churn_probability=[0.5], savable=[0.25], gain=[26.25], redeem_rate=0.2,
    ...                      incentive_cost=5, contact_cost=0.5)
    0.04
    """
    p, q, g, d = np.broadcast_arrays(
        *(np.asarray(values, float) for values in (churn_probability, savable, gain, incentive_cost))
    )
    if p.size == 0:
        return float("nan")
    spent_in_any_case = float(np.sum((1 - p) * redeem_rate * d + contact_cost))
    won_if_all_are_kept = float(np.sum(g - q * d))
    return spent_in_any_case / won_if_all_are_kept if won_if_all_are_kept > 0 else float("inf")


def spread(*, mean: Numbers, p10: Numbers, p90: Numbers) -> Floats:
    """Standard deviation of a value from its mean and its 10 % and 90 % points: (p90 − p10) / (2 Z90), as if normal.

    Where both points are 0, something comes in one case of ten at most, so the mean square is 10 times the square of
    the mean at least, and the deviation 3 times the mean: that is taken. Wrong in the tails, as values are skewed and
    often zero, but right in a total over many.

    >>> spread(mean=[300, 2], p10=[0, 0], p90=[256.32, 0]).round(9).tolist()
    [100.0, 6.0]
    """
    least = np.where((np.asarray(p10) == 0) & (np.asarray(p90) == 0), 3 * np.abs(np.asarray(mean, dtype=float)), 0.0)
    return np.maximum((np.asarray(p90, dtype=float) - np.asarray(p10, dtype=float)) / (2 * Z90), least)


def value_at_risk(scores: Mapping[str, Any] | pd.DataFrame) -> Any:
    """The gain of each customer: what saving them would add, the chance that they need it included; currency units.

    `scores` is a frame, a row or a dictionary with `gain`; the sum over customers is what saving every savable one
    would add to the worth of the base.

    >>> value_at_risk({"gain": np.array([50, 30])}).tolist()
    [50, 30]
    """
    return scores["gain"]
