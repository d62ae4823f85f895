"""The profit of contacting customers with an offer: one by one, in total, and its standard deviation.

Symbols: p the churn probability, τ the effect: what the contact adds to the probability of staying, r the redeem
rate (share of would-be stayers that take the incentive all the same), d the incentive, c the contact, v the
customer's CLV. Money is in currency units, rates are in [0, 1], and every argument broadcasts.

    would leave (p)   ── kept (τ) ─────────►  + v - d - c
                      └─ lost (p - τ) ─────►      - c
    would stay (1-p)  ── redeems (r) ──────►  - d - c
                      └─ does not (1 - r) ─►      - c

With one save rate s, the share of would-be leavers the offer keeps, τ = p s. An effect below 0 drives -τ of the
would-be stayers away, who redeem nothing and take their v with them:

    would leave (p)   ── lost ─────────────────────────►      - c
    would stay (1-p)  ── driven away (-τ) ─────────────►  - v - c
                      └─ stays, redeems ((1 - p + τ) r) ►  - d - c

Only the net effect is known: it does not show that a contact keeps some and drives away others at once.

Source: Neslin, Gupta, Kamakura, Lu and Mason (2006), "Defection Detection", JMR 43(2), and Verbraken, Verbeke
and Baesens (2013), "A Novel Profit Maximizing Metric", IEEE TKDE 25(5): theirs is the case τ = p s, r = 1 with one
CLV for all.
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
    clv: Numbers,
    effect: Numbers,
    redeem_rate: float,
    incentive_cost: Numbers,
    contact_cost: float,
) -> Floats:
    """Expected profit of contacting each customer, net of cost: τ⁺ (v - d) - τ⁻ v - (1 - p - τ⁻) r d - c.

    To drive away a customer whose CLV is below 0 counts as no gain: v is taken to be 0 in -τ⁻ v, so an effect of 0
    or less never pays. Wrong where the kept customer is worth less than v: v is taken to be unchanged by the
    incentive.

    >>> round(float(expected_profit(churn_probability=0.4, clv=200, effect=0.04, redeem_rate=0.3,
    ...                             incentive_cost=5, contact_cost=0.5)), 9)
    6.4
    """
    p, v, t, d = (np.asarray(values, dtype=float) for values in (churn_probability, clv, effect, incentive_cost))
    away = np.minimum(t, 0)
    kept = np.maximum(t, 0) * (v - d) + away * np.maximum(v, 0)
    return np.asarray(kept - (1 - p + away) * redeem_rate * d - contact_cost)


def break_even_save_rate(
    *,
    churn_probability: Numbers,
    clv: Numbers,
    redeem_rate: float,
    incentive_cost: Numbers,
    contact_cost: float,
) -> float:
    """The save rate at which contacting all these customers earns nothing: Σ((1 - p) r d + c) / Σ p (v - d).

    For one save rate for all, τ = p s. Above 1, or infinite where those who leave are worth no more than the
    incentive, no save rate pays. NaN for nobody.

    >>> break_even_save_rate(churn_probability=[0.5], clv=[105], redeem_rate=0.2,
    ...                      incentive_cost=5, contact_cost=0.5)
    0.02
    """
    p, v, d = np.broadcast_arrays(*(np.asarray(values, float) for values in (churn_probability, clv, incentive_cost)))
    if p.size == 0:
        return float("nan")
    spent_in_any_case = float(np.sum((1 - p) * redeem_rate * d + contact_cost))
    won_if_all_are_kept = float(np.sum(p * (v - d)))
    return spent_in_any_case / won_if_all_are_kept if won_if_all_are_kept > 0 else float("inf")


def spread(*, mean: Numbers, p10: Numbers, p90: Numbers) -> Floats:
    """Standard deviation of a value from its mean and its 10 % and 90 % points: (p90 − p10) / (2 Z90), as if normal.

    Where both points are 0, something comes in one case of ten at most, so the mean square is 10 times the square of
    the mean at least, and the deviation 3 times the mean: that is taken. Wrong in the tails, as values are skewed and
    often zero, but right in a total over many.

    >>> spread(mean=[300, 2], p10=[0, 0], p90=[256.32, 0]).tolist()
    [100.0, 6.0]
    """
    least = np.where((np.asarray(p10) == 0) & (np.asarray(p90) == 0), 3 * np.abs(np.asarray(mean, dtype=float)), 0.0)
    return np.maximum((np.asarray(p90, dtype=float) - np.asarray(p10, dtype=float)) / (2 * Z90), least)


def profit_sd(
    *,
    effect: Numbers,
    effect_doubt: float,
    clv: Numbers,
    clv_sd: Numbers,
    incentive_cost: Numbers,
) -> Floats:
    """Standard deviation of each customer's expected profit where effect and CLV are uncertain; effects of 0 or more.

    The profit is K W + constant with W = τ (V - d) and K, by which the effects are wrong, of mean 1 and standard
    deviation `effect_doubt` (of one save rate: its own, divided by its mean); K and W are independent. It is the
    spread of an expectation. Not in it: who of the contacted happens to leave, a churn probability that is wrong,
    and effects that are wrong otherwise than all by one factor.
    """
    t = np.asarray(effect, dtype=float)
    mean = t * (np.asarray(clv, dtype=float) - np.asarray(incentive_cost, dtype=float))
    return product_sd(1, effect_doubt, mean, t * np.asarray(clv_sd, dtype=float))


def total_profit_sd(
    *,
    effect: Floats,
    effect_doubt: float,
    clv: Floats,
    clv_sd: Floats,
    incentive_cost: Numbers,
) -> float:
    """Standard deviation of the expected profit of contacting all these customers together.

    Their effects are wrong by one factor, whose error does not average out; their values are independent, so theirs
    does: `profit_sd` with W = Σ τ (V - d), var(W) = Σ τ² var(V). Wrong where values move together (a recession).
    """
    mean = np.sum(effect * (clv - np.asarray(incentive_cost, dtype=float)))
    return float(product_sd(1, effect_doubt, mean, np.sqrt(np.sum((effect * clv_sd) ** 2))))


def product_sd(mean_a: Numbers, sd_a: Numbers, mean_b: Numbers, sd_b: Numbers) -> Floats:
    """Standard deviation of a product of two independent variables, exact for any two distributions.

    var(AB) = mean(A)² var(B) + mean(B)² var(A) + var(A) var(B). Source: Goodman (1960), "On the Exact Variance of
    Products", JASA 55(292).

    >>> float(product_sd(2, 0, 10, 3))
    6.0
    """
    var_a, var_b = np.square(sd_a), np.square(sd_b)
    return np.asarray(np.sqrt(np.square(mean_a) * var_b + np.square(mean_b) * var_a + var_a * var_b))


def value_at_risk(scores: Mapping[str, Any] | pd.DataFrame) -> Any:
    """The CLV of each customer that is expected to leave within the horizon: p v, in the currency units of v.

    `scores` is a frame, a row or a dictionary with `churn_probability` and `clv`; the result is of their type. The v
    of a customer already weighs the chance that they leave, so this understates what a leaver would have brought by
    staying: a floor, and the convention of the retention literature, not a loss in the books.

    >>> value_at_risk({"churn_probability": np.array([0.5, 0.1]), "clv": np.array([100, 300])}).tolist()
    [50.0, 30.0]
    """
    return scores["churn_probability"] * scores["clv"]
