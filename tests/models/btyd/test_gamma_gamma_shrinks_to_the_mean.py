"""Gamma-Gamma: little seen, little believed; and the likelihood is the printed one."""

from math import inf, lgamma, log

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma as gamma_law

from features.errors import InputError
from models.btyd.gamma_gamma import GammaGamma, fit

PAPER = GammaGamma(p=6.25, q=3.74, gamma=15.44, log_likelihood=0)


@pytest.mark.parametrize(("x", "z"), [(1, 8.0), (3, 60.0), (12, 33.3)])
def test_expected_value_is_bayes_rule_integrated(x, z):
    """E(p / nu | z) by integrating over nu what the model says of it."""

    def weight(nu: float) -> float:
        return gamma_law.pdf(z, PAPER.p * x, scale=1 / (nu * x)) * gamma_law.pdf(nu, PAPER.q, scale=1 / PAPER.gamma)

    top, bottom = (quad(f, 0, inf, epsabs=0)[0] for f in (lambda nu: PAPER.p / nu * weight(nu), weight))
    assert PAPER.expected_value([x], [z])[0] == pytest.approx(top / bottom, rel=1e-7)


def test_between_the_customers_own_mean_and_everyones():
    drawn = PAPER.expected_value([0, 1, 5, 1000], [np.nan, 100.0, 100.0, 100.0])
    assert drawn[0] == pytest.approx(6.25 * 15.44 / 2.74)
    assert (np.diff(drawn) > 0).all()
    assert drawn[-1] == pytest.approx(100, rel=1e-3)


def log_likelihood(model: GammaGamma, x: np.ndarray, z: np.ndarray) -> float:
    """FH eq. 1a as printed."""
    p, q, g = model.p, model.q, model.gamma
    return sum(
        lgamma(p * n + q) - lgamma(p * n) - lgamma(q) + q * log(g) + (p * n - 1) * log(m) + p * n * log(n)
        - (p * n + q) * log(g + n * m)
        for n, m in zip(x.tolist(), z.tolist(), strict=True)
    )  # fmt: skip


def test_no_neighbour_is_likelier_than_the_fit():
    rng = np.random.default_rng(2)
    x = rng.geometric(0.4, 400).astype(float)
    z = rng.gamma(4 * x) / rng.gamma(3.0, 1 / 20, 400) / x
    fitted = fit(x, z)
    at_fit = log_likelihood(fitted, x, z)
    assert fitted.log_likelihood == pytest.approx(at_fit)
    for name in ("p", "q", "gamma"):
        for factor in (0.99, 1.01):
            moved = GammaGamma(**{**vars(fitted), name: getattr(fitted, name) * factor})
            assert log_likelihood(moved, x, z) < at_fit
    cents = fit(x, z * 100)
    assert (cents.p, cents.q, cents.gamma) == pytest.approx((fitted.p, fitted.q, fitted.gamma * 100), rel=1e-5)


def test_free_orders_say_nothing_in_the_fit_and_lower_the_expectation():
    x, z = np.array([1.0, 2, 3, 1, 2]), np.array([10.0, 20, 15, 30, 12])
    assert fit([*x, 4, 0], [*z, 0.0, np.nan]) == fit(x, z)
    of_free, of_nobody = PAPER.expected_value([4, 0], [0.0, np.nan])
    assert 0 < of_free < of_nobody


@pytest.mark.parametrize("value", [9.99, 0.01, 1e6])
def test_customers_who_always_pay_the_same_can_be_fitted(value):
    fitted = fit([1, 2, 3, 4], [value] * 4)
    assert fitted.expected_value([0, 2], [0.0, value]) == pytest.approx([value, value], rel=0.01)


@pytest.mark.parametrize(
    ("frequency", "value", "says"),
    [
        ([1, 2], [5.0], "2 and 1 values"),
        ([1, 2], [5.0, -1.0], "1 of 2 values are negative"),
        ([1, 2], [5.0, np.nan], "1 of 2 values are negative or not finite"),
        ([1, -2], [5.0, 1.0], "not whole numbers from 0"),
        ([0, 0], [0.0, 0.0], "none of the 2 customers"),
        ([], [], "none of the 0 customers"),
    ],
)
def test_impossible_values_are_named(frequency, value, says):
    with pytest.raises(InputError, match=says):
        fit(frequency, value)
