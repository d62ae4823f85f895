"""BG/NBD: how often a customer orders until they quietly stop.

While alive a customer orders at random with their own rate lambda ~ Gamma(r, alpha); after each repeat order they
leave for good with their own probability p ~ Beta(a, b). Three numbers per customer say all the model needs:
`frequency` (repeat orders x), `recency` (age at the last order t_x; 0 without a repeat order) and `T` (age now),
both counted from the first order. Any unit of time does, as long as it is one: `alpha` comes out in that unit.

Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284
(FHL below); P(alive) from their note of 2008, brucehardie.com/notes/021.
Wrong where orders keep a beat (a subscription, a weekly shop), where seasons move everyone at once, and for the
one-time buyer, whom it holds alive for certain: rank by `probability_of_order`, never by `probability_alive`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, gammaln, hyp2f1, psi

from features.errors import InputError, Refusal
from models.likelihood import Floats, maximise

BOUNDS = [(-7, 4.5), (-7, 7), (-7, 4.5), (-7, 7)]  # of the logs of r, alpha / mean T, a, b in the search
NEAR_ONE = 1e-5  # how close to its removable singularity a = 1 the closed form is trusted


@dataclass(frozen=True)
class BGNBD:
    """Fitted parameters: `r`, `alpha` (in units of time) of the rate, `a`, `b` of leaving; total log-likelihood."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability in (0, 1] that the customer has not left by T: exactly 1 without a repeat order.

        1 / (1 + a / (b + x − 1) · ((alpha + T) / (alpha + t_x))^(r + x)) for x > 0 (note 021), in logs.
        """
        x, t_x, age = checked(frequency, recency, T)
        odds = np.log((self.b + np.maximum(x, 1) - 1) / self.a)
        odds = odds - (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        return np.where(x > 0, expit(odds), 1.0)

    def expected_orders(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected number of orders in (T, T + t], given the history (FHL eq. 10)."""
        return self.probability_alive(frequency, recency, T) * self.expected_orders_if_alive(t, frequency, T)

    def probability_of_order(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of at least one order in (T, T + t], given the history; 1 minus it is the churn probability.

        P(alive) · (1 − ((alpha + T) / (alpha + T + t))^(r + x)): one leaves only *after* an order, so a customer
        alive at T orders by T + t with certainty 1 − e^(−lambda t), and lambda is then Gamma(r + x, alpha + T),
        whose transform at t is the power.
        """
        x, _, age = checked(frequency, recency, T)
        span = np.log1p(_positive(t) / (self.alpha + age))
        return self.probability_alive(frequency, recency, T) * -np.expm1(-(self.r + x) * span)

    def expected_orders_if_alive(self, t: ArrayLike, frequency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected number of orders in (T, T + t] of a customer known to be alive at T (FHL eq. 10, numerator).

        c / (a − 1) · (1 − (1 − z)^(a − 1) · 2F1(a + b − 1 − r, a − 1; c; z)), c = a + b + x − 1 and
        z = t / (alpha + T + t): FHL's formula after Euler's transformation, which takes x out of the upper
        parameters, so that 2F1 neither overflows nor cancels for thousands of orders. At a = 1 it is 0 / 0: between
        1 ± 1e-5 we interpolate. Within 1e-8 of the sum over orders (the test's oracle) for every parameter `fit` can
        return and t < 180 (alpha + T); beyond, 2F1 may overflow, which is an error.
        """
        x = np.asarray(frequency, dtype=float)
        w = _positive(t) / (self.alpha + np.asarray(T, dtype=float))
        below, above = 1 - NEAR_ONE, 1 + NEAR_ONE
        if below < self.a < above:
            share = (self.a - below) / (above - below)
            orders = (1 - share) * self._closed_form(below, x, w) + share * self._closed_form(above, x, w)
        else:
            orders = self._closed_form(self.a, x, w)
        if not np.isfinite(orders).all():
            raise Refusal(
                f"expected orders of {np.sum(~np.isfinite(orders))} customers are beyond floating point for {self}",
                where="BG/NBD",
                next="shorten the span, or look at what makes these parameters",
            )
        return orders

    def _closed_form(self, a: float, x: Floats, w: Floats) -> Floats:
        """The formula above with w = t / (alpha + T), so that 1 − z = 1 / (1 + w)."""
        c = a + self.b + x - 1
        c = np.where(c == 0, 1e-12, c)  # a removable singularity too
        with np.errstate(over="ignore", invalid="ignore"):
            powers: Floats = hyp2f1(a + self.b - 1 - self.r, a - 1, c, w / (1 + w)) * (1 + w) ** (1 - a)
            return c / (a - 1) * (1 - powers)


def fit(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> BGNBD:
    """Maximum likelihood (FHL eq. 6) on one row per customer: `frequency` in orders, `recency` and `T` in one unit.

    Works on sufficient statistics (distinct rows with their counts) and an analytic gradient in the logs of the
    parameters, with time scaled by the mean T. r or a at its bound of 90 means that customers differ too little for
    the data to tell; the likelihood is flat there, and the predictions are those of the limit within about 1 %.
    """
    x, t_x, age = checked(frequency, recency, T)
    if not (x * t_x).any():
        raise InputError(
            f"none of the {x.size} customers came back after the first order: rates cannot be learnt",
            where="BG/NBD",
            next="give it a longer history",
        )
    unit = float(age.mean())
    rows, counts = _distinct(x, t_x / unit, age / unit)
    orders, customers = np.unique(x, return_counts=True)
    parameters, loss = maximise(_mean_loss, rows, counts, orders, customers, bounds=BOUNDS, where="BG/NBD")
    r, alpha, a, b = parameters
    # the likelihood is a density of x order times per customer: scaling time back costs log(unit) for each
    total = -loss * x.size - x.sum() * np.log(unit)
    return BGNBD(r=r, alpha=alpha * unit, a=a, b=b, log_likelihood=float(total))


def _mean_loss(logs: Floats, rows: Floats, counts: Floats, orders: Floats, customers: Floats) -> tuple[float, Floats]:
    """Minus the mean log-likelihood (FHL eq. 6) and its gradient in the logs of (r, alpha, a, b)."""
    r, alpha, a, b = np.exp(logs)
    x, t_x, T = rows
    # what depends on x alone: Γ(r+x)/Γ(r) · alpha^r · B(a, b+x)/B(a, b)
    by_x = gammaln(r + orders) - gammaln(r) + r * np.log(alpha)
    by_x += gammaln(b + orders) - gammaln(b) + gammaln(a + b) - gammaln(a + b + orders)
    lost = psi(a + b) - psi(a + b + orders)
    # the rest: (alpha+T)^-(r+x) if still alive + [x > 0] · a/(b+x−1) · (alpha+t_x)^-(r+x) if gone since t_x
    log_T, log_t_x = np.log(alpha + T), np.log(alpha + t_x)
    alive = -(r + x) * log_T
    last = b + np.maximum(x, 1) - 1
    gone = np.where(x > 0, np.log(a / last) - (r + x) * log_t_x, -np.inf)
    either = np.logaddexp(alive, gone)
    p, q = counts * np.exp(alive - either), counts * np.exp(gone - either)
    gradient = [
        customers @ (psi(r + orders) - psi(r) + np.log(alpha)) - p @ log_T - q @ log_t_x,
        customers.sum() * r / alpha - p @ ((r + x) / (alpha + T)) - q @ ((r + x) / (alpha + t_x)),
        customers @ lost + q.sum() / a,
        customers @ (lost + psi(b + orders) - psi(b)) - q @ (1 / last),
    ]
    n = customers.sum()
    return -(customers @ by_x + counts @ either) / n, -np.exp(logs) * np.array(gradient) / n


def _distinct(*columns: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The distinct rows of equally long columns, as a stack of columns, and how often each occurs."""
    table = np.stack(columns)
    table = table[:, np.lexsort(table)]
    first = np.append(True, (table[:, 1:] != table[:, :-1]).any(axis=0))
    return table[:, first], np.diff(np.append(np.flatnonzero(first), table.shape[1]))


def checked(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """The three columns as float arrays of one length, or an error that counts what is wrong."""
    x, t_x, age = (np.atleast_1d(np.asarray(column, dtype=float)) for column in (frequency, recency, T))
    if not x.shape == t_x.shape == age.shape:
        raise InputError(
            f"frequency, recency and T have {x.size}, {t_x.size} and {age.size} values",
            where="BG/NBD",
            next="give one of each per customer",
        )
    if not x.size:
        raise InputError("no customers", where="BG/NBD", next="give at least one")
    wrong = {
        "values are not finite": ~np.isfinite(x + t_x + age),
        "values are negative": (x < 0) | (t_x < 0) | (age < 0),
        "frequencies are not whole numbers": x % 1 != 0,
        "recencies are later than T": t_x > age,
        "customers without a repeat order have a recency above 0": (x == 0) & (t_x > 0),
    }
    for what, rows in wrong.items():
        if rows.any():
            first = np.flatnonzero(rows)[0]
            raise InputError(
                f"{rows.sum()} of {x.size} {what}; the first is "
                f"frequency {x[first]:g}, recency {t_x[first]:g}, T {age[first]:g}",
                where="BG/NBD",
                next="count frequency in repeat orders, recency and T from the first order",
            )
    return x, t_x, age


def _positive(t: ArrayLike) -> Floats:
    """`t` as floats, all above 0 and finite."""
    spans = np.asarray(t, dtype=float)
    if not ((spans > 0) & np.isfinite(spans)).all():
        raise InputError(f"t is {t!r}, expected a span of time above 0", where="BG/NBD", next="give the horizon")
    return spans
