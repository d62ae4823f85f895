"""Gamma-Gamma: the expected value of a customer's average order, given few observed orders.

A customer's orders vary by Gamma(p, nu) around their own mean p / nu, and nu varies between customers by
Gamma(q, gamma); it is independent of how often they order. So an average of few orders is shrunk towards that of all
customers; an average of many orders stays.

Source: Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, brucehardie.com/notes/025 (FH below).
Wrong where big spenders order more (or less) often than others, and where the spread of single orders differs
between customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, psi

from features.arrays import Floats
from features.errors import InputError
from models.btyd.maximum_likelihood import blocks, distinct_counts, maximise

BOUNDS = [(-7, 7), (-4, 7), (-14, 14)]  # of the logs of p, q − 1, gamma / mean value in the search


@dataclass(frozen=True)
class GammaGamma:
    """Fitted parameters: shapes `p`, `q` (above 1), scale `gamma` in currency units; total log-likelihood."""

    p: float
    q: float
    gamma: float
    log_likelihood: float

    def expected_value(self, frequency: ArrayLike, monetary_value: ArrayLike) -> Floats:
        """Expected mean value of a customer's orders, in currency units (FH eq. 5).

        p · (gamma + x z) / (p x + q − 1) for `frequency` x orders of mean `monetary_value` z ≥ 0: a weighted mean of
        z and the population's. Without such an order (x = 0) it is the population's, p · gamma / (q − 1)
        (eq. 3): z is not read, and may be NaN.
        """
        x, z = _checked(frequency, monetary_value)
        return self.p * (self.gamma + x * z) / (self.p * x + self.q - 1)


def fit(frequency: ArrayLike, monetary_value: ArrayLike) -> GammaGamma:
    """Maximum likelihood (FH eq. 1a) on one row per customer: `frequency` orders of mean `monetary_value`.

    To be independent of the purchase that made the customer, both are of *repeat* orders. Two kinds of customers are
    uninformative and left out: those without a repeat order (frequency 0), and those whose repeat orders were all free
    (mean 0, to which a Gamma gives no density). q is kept above 1 (by 0.02 at least), for a mean to exist: spending
    with a heavier tail than that is fitted badly, with a huge population mean.
    """
    x, z = _checked(frequency, monetary_value)
    known = z > 0
    if not known.any():
        raise InputError(
            f"none of the {x.size} customers has a repeat order with a value above 0",
            where="Gamma-Gamma",
            next="give it a longer history",
        )
    x, z = x[known], z[known]
    unit = float(z.mean())
    parameters, loss = maximise(_mean_loss, _summarise, x, z / unit, bounds=BOUNDS, where="Gamma-Gamma")
    p, above_one, gamma = parameters
    total = -(loss + np.log(unit)) * x.size  # the likelihood is a density per currency unit
    return GammaGamma(p=p, q=1 + above_one, gamma=gamma * unit, log_likelihood=float(total))


class _Summary(NamedTuple):
    orders: Floats
    """The distinct x, and how many customers have each."""
    customers: Floats
    x: Floats
    spent: Floats
    """x z, the total value of a customer's orders."""
    of_values: tuple[float, float]
    """Σ x ln(x z) and Σ ln z, which no parameter changes."""


def _summarise(x: Floats, z: Floats) -> _Summary:
    spent = x * z
    return _Summary(*distinct_counts(x), x, spent, (float(x @ np.log(spent)), float(np.log(z).sum())))


def _mean_loss(logs: Floats, summary: _Summary) -> tuple[float, Floats]:
    """Minus the mean log-likelihood (FH eq. 1a) and its gradient in the logs of (p, q − 1, gamma)."""
    p, above_one, gamma = np.exp(logs)
    q = 1 + above_one
    orders, customers, n = summary.orders, summary.customers, summary.x.size
    # Σ ln(gamma + x z) and Σ 1/(gamma + x z), bare and weighted with x
    log_total = log_total_by_x = per_total = per_total_by_x = 0.0
    for x, spent in blocks(summary.x, summary.spent):
        total = gamma + spent
        log, per = np.log(total), 1 / total
        log_total, log_total_by_x = log_total + log.sum(), log_total_by_x + x @ log
        per_total, per_total_by_x = per_total + per.sum(), per_total_by_x + x @ per
    px = p * orders
    by_log_spent, log_value = summary.of_values
    value = customers @ (gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(gamma))
    value += p * by_log_spent - log_value - p * log_total_by_x - q * log_total
    by_q = psi(px + q)
    gradient = [
        customers @ (orders * (by_q - psi(px))) + by_log_spent - log_total_by_x,
        customers @ (by_q - psi(q) + np.log(gamma)) - log_total,
        n * q / gamma - p * per_total_by_x - q * per_total,
    ]
    return -value / n, -np.array([p, above_one, gamma]) * gradient / n


def _checked(frequency: ArrayLike, monetary_value: ArrayLike) -> tuple[Floats, Floats]:
    """Return both columns as float arrays of one length, the value 0 without orders; raises InputError with counts."""
    x, z = (np.atleast_1d(np.asarray(column, dtype=float)) for column in (frequency, monetary_value))
    if x.shape != z.shape:
        raise InputError(
            f"frequency and monetary_value have {x.size} and {z.size} values",
            where="Gamma-Gamma",
            next="give one of each per customer",
        )
    z = np.where(x == 0, 0.0, z)
    wrong = {
        "frequencies are not whole numbers from 0": ~(np.isfinite(x) & (x >= 0) & (x % 1 == 0)),
        "values are negative or not finite": ~(np.isfinite(z) & (z >= 0)),
    }
    for problem, rows in wrong.items():
        if rows.any():
            first = np.flatnonzero(rows)[0]
            raise InputError(
                f"{rows.sum()} of {x.size} {problem}; the first is frequency {x[first]:g}, value {z[first]:g}",
                where="Gamma-Gamma",
                next="net refunds into their orders, and average over repeat orders",
            )
    return x, z
