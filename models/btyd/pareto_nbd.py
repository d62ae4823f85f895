"""Pareto/NBD: orders of a customer until they silently stop, possibly between two orders.

While alive a customer orders at random with their own rate lambda ~ Gamma(r, alpha), and leaves for good at random
with their own rate mu ~ Gamma(s, beta), order or no order: this distinguishes it from BG/NBD, in which customers leave
only after an order. `frequency`, `recency` and `T` as models/btyd/recency_frequency.py has them; `alpha` and `beta`
come out in their unit of time.

Source: Schmittlein, Morrison & Colombo (1987), Counting Your Customers, Management Science 33(1), 1-24; derivations in
Fader & Hardie (2005), A Note on Deriving the Pareto/NBD Model, brucehardie.com/notes/009 (FH below).
Wrong where orders are regular (a subscription, a weekly shop) and where seasons move everyone at once; s and beta are
known badly where few have left.

All formulas here are of competing risks. For a customer alive at age y with x repeat orders, the rates are
lambda ~ Gamma(r + x, alpha + y) and mu ~ Gamma(s, beta + y), independently; the next order and leaving compete, and
everything follows from which of them happens first, and when.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, exprel, gammaln, psi

from features.arrays import Floats
from models.btyd.competing_risks import NEGLIGIBLE, first_within, nodes_and_weights
from models.btyd.maximum_likelihood import blocks, distinct_counts, maximise
from models.btyd.recency_frequency import check_learnable, checked, positive

WHERE = "Pareto/NBD"
BOUNDS = [(-7, 4.5), (-7, 7), (-7, 4.5), (-7, 7)]  # of the logs of r, alpha / mean T, s, beta / mean T in the search
CUSTOMERS = 256
"""Customers whose integrals are computed at once: 32 nodes of each stay in the processor's cache."""


@dataclass(frozen=True)
class ParetoNBD:
    """Fitted parameters: `r`, `alpha` of the rate of orders, `s`, `beta` of that of leaving (alpha and beta in units
    of time); total log-likelihood."""

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability in [0, 1] that the customer has not left by T (FH): below 1 without a repeat order too.

        Neither event since t_x, against leaving having happened first.
        """
        return self._alive(*checked(frequency, recency, T, where=WHERE))

    def _alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        m, order, s, leave = self._rates(x, t_x)
        log_silence = -m * np.log1p((age - t_x) / order) - s * np.log1p((age - t_x) / leave)
        with np.errstate(divide="ignore"):
            return expit(log_silence - np.log(_chance(age - t_x, m, order, s, leave)))

    def probability_was_alive(self, at: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability in [0, 1] that the customer had not left by the age `at`, given the whole history up to T.

        1 up to the last order; after it 1 less the chance that leaving came first, and by `at`, against the same by T
        or neither event: at T it is `probability_alive`.
        """
        x, t_x, age = checked(frequency, recency, T, where=WHERE)
        m, order, s, leave = self._rates(x, t_x)
        span = age - t_x
        silence = np.exp(-m * np.log1p(span / order) - s * np.log1p(span / leave))
        until = np.clip(np.asarray(at, dtype=float) - t_x, 0, span)
        left = _chance(until, m, order, s, leave)
        return np.asarray(np.clip(1 - left / (silence + _chance(span, m, order, s, leave)), 0, 1))

    def expected_orders(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected number of orders in (T, T + t], given the history (FH)."""
        return self.probability_alive(frequency, recency, T) * self.expected_orders_if_alive(t, frequency, T)

    def probability_of_order(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of at least one order in (T, T + t], given the history; 1 minus it is the churn probability.

        P(alive) times the chance that an order happens before leaving, and by T + t: an integral of positive terms. It
        is 1 − P(X(T, T + t) = 0 | history) of Fader & Hardie (2014), Deriving the Conditional PMF of the Pareto/NBD
        Model, brucehardie.com/notes/028.
        """
        x, t_x, age = checked(frequency, recency, T, where=WHERE)
        m, order, s, leave = self._rates(x, age)
        orders = _chance(positive(t, where=WHERE), s, leave, m, order)
        return self._alive(x, t_x, age) * orders

    def expected_orders_if_alive(self, t: ArrayLike, frequency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected number of orders in (T, T + t] of a customer known to be alive at T (FH).

        (r + x) (beta + T) / ((alpha + T) (s − 1)) · (1 − ((beta + T) / (beta + T + t))^(s − 1)), written so that s = 1
        needs no special case.
        """
        x, age = np.asarray(frequency, dtype=float), np.asarray(T, dtype=float)
        span = np.log1p(positive(t, where=WHERE) / (self.beta + age))
        return (self.r + x) * (self.beta + age) / (self.alpha + age) * span * exprel((1 - self.s) * span)

    def _rates(self, x: Floats, age: Floats) -> tuple[Floats, Floats, float, Floats]:
        """Gamma parameters of lambda, then of mu, of customers alive at an age with x repeat orders."""
        return self.r + x, self.alpha + age, self.s, self.beta + age


def _chance(span: Floats, p: Floats | float, A: Floats, q: Floats | float, B: Floats) -> Floats:
    """The chance that the second of two competing events happens first, and within `span`."""
    columns = np.broadcast_arrays(span, p, A, q, B)
    starts = range(0, len(columns[0]), CUSTOMERS)
    chances = [_integrate(*(column[start : start + CUSTOMERS] for column in columns)) for start in starts]
    return np.minimum(np.concatenate(chances), 1)


def _integrate(span: Floats, p: Floats, A: Floats, q: Floats, B: Floats) -> Floats:
    """The chance of `first_within` at 32 nodes, all at once, without the integrals for derivatives."""
    roots, weights = (numbers[:, None] for numbers in nodes_and_weights(32))
    slow = bool((A <= B).all())
    near, far, by_near, by_far = (A, B, p, q) if slow else (B, A, q, p)
    with np.errstate(over="ignore"):
        end = np.minimum(span, np.minimum(A * np.expm1(NEGLIGIBLE / p), B * np.expm1(NEGLIGIBLE / q)))
    length = np.log1p(end / near)
    w = (roots + 1) / 2 * length
    at_near = near * np.exp(w)
    at_far = at_near + (far - near)
    part = np.exp(-by_near * w - by_far * (np.log(at_far) - np.log(far))) * (weights / 2 * q * length)
    return np.sum(part * (at_near / at_far) if slow else part, axis=0)


def fit(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> ParetoNBD:
    """Maximum likelihood on one row per customer: `frequency` in orders, `recency` and `T` in one unit.

    Works on distinct histories with their counts (in whole days many are alike) and an analytic gradient in the logs of
    the parameters; a million customers take one to three seconds. A parameter at its bound means that customers differ
    too little for the data to tell.
    """
    x, t_x, age = checked(frequency, recency, T, where=WHERE)
    check_learnable(x, t_x, where=WHERE)
    unit = float(age.mean())
    parameters, loss = maximise(_mean_loss, _summarise, x, t_x / unit, age / unit, bounds=BOUNDS, where=WHERE)
    r, alpha, s, beta = parameters
    # the likelihood is a density of x order times per customer: scaling time back costs log(unit) for each
    total = -loss * x.size - x.sum() * np.log(unit)
    return ParetoNBD(r=r, alpha=alpha * unit, s=s, beta=beta * unit, log_likelihood=float(total))


class _Summary(NamedTuple):
    orders: Floats
    """The distinct x, and how many customers have each."""
    customers: Floats
    histories: tuple[Floats, Floats, Floats, Floats]
    """The distinct (x, t_x, T), and how many customers have each."""


def _summarise(x: Floats, t_x: Floats, T: Floats) -> _Summary:
    alike = np.argsort(x * 100 + t_x * np.sqrt(2) + T * np.pi)  # equal histories side by side
    histories = x[alike], t_x[alike], T[alike]
    first = np.flatnonzero(np.append(True, np.any([np.diff(column) != 0 for column in histories], axis=0)))
    counts = np.diff(np.append(first, x.size)).astype(float)
    return _Summary(*distinct_counts(x), (histories[0][first], histories[1][first], histories[2][first], counts))


def _mean_loss(logs: Floats, summary: _Summary) -> tuple[float, Floats]:
    """Minus the mean log-likelihood and its gradient in the logs of (r, alpha, s, beta).

    With m = r + x a customer's likelihood (FH) is

        Γ(r+x)/Γ(r) · alpha^r beta^s · (alpha+t_x)^−m (beta+t_x)^−s · (N + D)

    N = ((alpha+t_x)/(alpha+T))^m ((beta+t_x)/(beta+T))^s: neither event since t_x; D: leaving happened first, by T.
    """
    r, alpha, s, beta = np.exp(logs)
    orders, customers, histories = summary
    n = customers.sum()
    value = customers @ (gammaln(r + orders) - gammaln(r)) + n * (r * np.log(alpha) + s * np.log(beta))
    gradient = np.array(
        [customers @ (psi(r + orders) - psi(r)) + n * np.log(alpha), n * r / alpha, n * np.log(beta), n * s / beta]
    )
    for x, t_x, T, counts in blocks(*histories):
        m, order, leave = r + x, alpha + t_x, beta + t_x
        log_order, log_leave = np.log(order), np.log(leave)
        late_order, late_leave = np.log(alpha + T) - log_order, np.log(beta + T) - log_leave
        silent = np.exp(-m * late_order - s * late_leave)
        left = first_within(T - t_x, m, order, s, leave, nodes=16)
        either = silent + left.chance
        share = counts / either
        value += counts @ (np.log(either) - m * log_order - s * log_leave)
        gradient -= (
            share @ (late_order * silent + left.log_first) + counts @ log_order,
            (m * share) @ (silent / (alpha + T) + left.per_first),
            share @ (late_leave * silent + left.log_second - left.chance / s) + counts @ log_leave,
            share @ (s * silent / (beta + T) + (s + 1) * left.per_second),
        )
    return -value / n, -np.exp(logs) * gradient / n
