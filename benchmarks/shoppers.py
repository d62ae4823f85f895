"""Simulated customers for the fits (BG/NBD orders, Gamma-Gamma values), and the likelihood of each model."""

from typing import Any

import numpy as np
from scipy.special import betaln, gammaln

from features.arrays import Floats
from models.btyd.competing_risks import first_within

Customers = dict[str, Floats]


def shoppers(count: int, *, seed: int) -> Customers:
    """frequency, recency and T (days) of customers of up to two years, monetary_value of repeat orders (0 without).

    CDNOW's parameters: four customers in ten come back. Times are as exact as floats, so that almost no two histories
    are equal.
    """
    rng = np.random.default_rng(seed)
    T, rate, leaves = rng.uniform(1, 730, count), rng.gamma(0.25, 1 / 31, count), rng.beta(0.8, 2.4, count)
    x, t_x, now, here = np.zeros(count), np.zeros(count), np.zeros(count), np.arange(count)
    while here.size:
        now[here] += rng.exponential(size=here.size) / rate[here]
        here = here[now[here] <= T[here]]
        x[here] += 1
        t_x[here] = now[here]
        here = here[rng.random(here.size) >= leaves[here]]
    orders = np.maximum(x, 1)
    mean = rng.gamma(6 * orders) / rng.gamma(3.7, 1 / 15, count) / orders
    return {"frequency": x, "recency": t_x, "T": T, "monetary_value": np.where(x > 0, mean, 0.0)}


def log_likelihood(model: str, parameters: dict[str, float], customers: Customers) -> float:
    """Log-likelihood of parameters from any library, by the papers' formulas rather than the fit's own sums."""
    return float(
        np.sum({"bgnbd": _bgnbd, "pareto_nbd": _pareto_nbd, "gamma_gamma": _gamma_gamma}[model](parameters, customers))
    )


def _bgnbd(theta: dict[str, float], customers: Customers) -> Any:
    r, alpha, a, b = (theta[name] for name in ("r", "alpha", "a", "b"))
    x, t_x, T = customers["frequency"], customers["recency"], customers["T"]
    alive = betaln(a, b + x) - (r + x) * np.log(alpha + T)
    with np.errstate(invalid="ignore"):
        gone = np.where(x > 0, betaln(a + 1, np.maximum(b + x - 1, 1e-300)) - (r + x) * np.log(alpha + t_x), -np.inf)
    orders = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - betaln(a, b)
    return orders + np.logaddexp(alive, gone)


def _pareto_nbd(theta: dict[str, float], customers: Customers) -> Any:
    r, alpha, s, beta = (theta[name] for name in ("r", "alpha", "s", "beta"))
    x, t_x, T = customers["frequency"], customers["recency"], customers["T"]
    silent = np.exp((r + x) * np.log((alpha + t_x) / (alpha + T)) + s * np.log((beta + t_x) / (beta + T)))
    left = first_within(T - t_x, r + x, alpha + t_x, s, beta + t_x, nodes=32).chance
    orders = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return orders - (r + x) * np.log(alpha + t_x) - s * np.log(beta + t_x) + np.log(silent + left)


def _gamma_gamma(theta: dict[str, float], customers: Customers) -> Any:
    p, q, gamma = (theta[name] for name in ("p", "q", "gamma"))
    again = customers["frequency"] > 0
    x, z = customers["frequency"][again], customers["monetary_value"][again]
    by_x = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
    return by_x + (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(gamma + x * z)
