"""BG/NBD: orders of a customer until they silently stop.

While alive a customer orders at random with their own rate lambda ~ Gamma(r, alpha); after each repeat order they
leave for good with their own probability p ~ Beta(a, b). The model needs three numbers per customer:
`frequency` (repeat orders x), `recency` (age at the last order t_x; 0 without a repeat order) and `T` (age now),
both counted from the first order. Any one unit of time will do: `alpha` comes out in that unit.

Source: Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2), 275-284
(FHL below); P(alive) from their note of 2008, brucehardie.com/notes/021.
Wrong where orders are regular (a subscription, a weekly shop), where seasons move everyone at once, and for the
one-time buyer, whom it takes to be alive for certain: rank by `probability_of_order`, never by `probability_alive`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, gammaln, hyp2f1, psi

from features.arrays import Floats
from features.errors import Refusal
from models.btyd.maximum_likelihood import blocks, distinct_counts, maximise
from models.btyd.recency_frequency import check_learnable, checked, positive

WHERE = "BG/NBD"
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
        return self._alive(*checked(frequency, recency, T, where=WHERE))

    def _alive(self, x: Floats, t_x: Floats, age: Floats) -> Floats:
        odds = np.log((self.b + np.maximum(x, 1) - 1) / self.a)
        odds = odds - (self.r + x) * np.log((self.alpha + age) / (self.alpha + t_x))
        return np.where(x > 0, expit(odds), 1.0)

    def expected_orders(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected number of orders in (T, T + t], given the history (FHL eq. 10)."""
        return self.probability_alive(frequency, recency, T) * self.expected_orders_if_alive(t, frequency, T)

    def probability_of_order(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of at least one order in (T, T + t], given the history; 1 minus it is the churn probability.

        P(alive) · (1 − ((alpha + T) / (alpha + T + t))^(r + x)): customers leave only *after* an order, so one
        alive at T orders by T + t with certainty 1 − e^(−lambda t), and lambda is then Gamma(r + x, alpha + T),
        whose transform at t is the power.
        """
        x, t_x, age = checked(frequency, recency, T, where=WHERE)
        span = np.log1p(positive(t, where=WHERE) / (self.alpha + age))
        return self._alive(x, t_x, age) * -np.expm1(-(self.r + x) * span)

    def expected_orders_if_alive(self, t: ArrayLike, frequency: ArrayLike, T: ArrayLike) -> Floats:
        """Expected number of orders in (T, T + t] of a customer known to be alive at T (FHL eq. 10, numerator).

        c / (a − 1) · (1 − (1 − z)^(a − 1) · 2F1(a + b − 1 − r, a − 1; c; z)), c = a + b + x − 1 and
        z = t / (alpha + T + t): FHL's formula after Euler's transformation, which takes x out of the upper
        parameters, so that 2F1 neither overflows nor cancels for thousands of orders. At a = 1 it is 0 / 0: between
        1 ± 1e-5 we interpolate. Within 1e-8 of the sum over orders (the test's oracle) for every parameter `fit` can
        return and t < 180 (alpha + T); beyond, 2F1 may overflow, which is an error.
        """
        x = np.asarray(frequency, dtype=float)
        w = positive(t, where=WHERE) / (self.alpha + np.asarray(T, dtype=float))
        below, above = 1 - NEAR_ONE, 1 + NEAR_ONE
        if below < self.a < above:
            share = (self.a - below) / (above - below)
            orders = (1 - share) * self._closed_form(below, x, w) + share * self._closed_form(above, x, w)
        else:
            orders = self._closed_form(self.a, x, w)
        if not np.isfinite(orders).all():
            raise Refusal(
                f"expected orders of {np.sum(~np.isfinite(orders))} customers are beyond floating point for {self}",
                where=WHERE,
                next="shorten the span, or look for the customers behind these parameters",
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

    Exact whatever the unit, with an analytic gradient in the logs of the parameters; a million customers take a
    fraction of a second (models/btyd/maximum_likelihood.py). r or a at its bound of 90 means that customers differ too
    little for the data to tell; the likelihood is flat there, and the predictions are those of the limit within about 1
    %.
    """
    x, t_x, age = checked(frequency, recency, T, where=WHERE)
    check_learnable(x, t_x, where=WHERE)
    unit = float(age.mean())
    parameters, loss = maximise(_mean_loss, _summarise, x, t_x / unit, age / unit, bounds=BOUNDS, where=WHERE)
    r, alpha, a, b = parameters
    # the likelihood is a density of x order times per customer: scaling time back costs log(unit) for each
    total = -loss * x.size - x.sum() * np.log(unit)
    return BGNBD(r=r, alpha=alpha * unit, a=a, b=b, log_likelihood=float(total))


class _Summary(NamedTuple):
    orders: Floats
    """The distinct x, and how many customers have each."""
    customers: Floats
    once: Floats
    """T of customers without a repeat order; the likelihood needs nothing else of them."""
    repeat: tuple[Floats, Floats, Floats]
    """x, t_x and T of the others."""


def _summarise(x: Floats, t_x: Floats, T: Floats) -> _Summary:
    repeat = np.flatnonzero(x > 0)
    return _Summary(*distinct_counts(x), T[x == 0], (x[repeat], t_x[repeat], T[repeat]))


def _mean_loss(logs: Floats, summary: _Summary) -> tuple[float, Floats]:
    """Minus the mean log-likelihood (FHL eq. 6) and its gradient in the logs of (r, alpha, a, b)."""
    r, alpha, a, b = np.exp(logs)
    orders, customers, once, repeat = summary
    # what depends on x alone: Γ(r+x)/Γ(r) · alpha^r · B(a, b+x)/B(a, b)
    by_x = gammaln(r + orders) - gammaln(r) + r * np.log(alpha)
    by_x += gammaln(b + orders) - gammaln(b) + gammaln(a + b) - gammaln(a + b + orders)
    lost = psi(a + b) - psi(a + b + orders)
    n = customers.sum()
    value = customers @ by_x
    gradient = np.array(
        [
            customers @ (psi(r + orders) - psi(r) + np.log(alpha)),
            n * r / alpha,
            customers @ lost,
            customers @ (lost + psi(b + orders) - psi(b)),
        ]
    )
    # the rest is (alpha+T)^-(r+x) if still alive; without a repeat order nothing else
    for (T,) in blocks(once):
        log_T = np.log(alpha + T).sum()
        value -= r * log_T
        gradient[:2] -= log_T, r * np.sum(1 / (alpha + T))
    # … + a/(b+x−1) · (alpha+t_x)^-(r+x) if gone since t_x, together (alpha+T)^-(r+x) · (1 + odds of having gone)
    for x, t_x, T in blocks(*repeat):
        m, last, until, since = r + x, b - 1 + x, alpha + T, alpha + t_x
        log_T = np.log(until)
        span = log_T - np.log(since)
        odds = np.log(a / last) + m * span
        small = np.exp(-np.abs(odds))
        gone = np.where(odds > 0, 1, small) / (1 + small)
        value += np.sum(np.maximum(odds, 0) + np.log1p(small)) - m @ log_T
        gradient += (
            gone @ span - log_T.sum(),
            -(m @ ((1 - gone) / until + gone / since)),
            gone.sum() / a,
            -np.sum(gone / last),
        )
    return -value / n, -np.exp(logs) * gradient / n
