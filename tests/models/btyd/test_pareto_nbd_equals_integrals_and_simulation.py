"""Pareto/NBD's numbers against other ways to them: 2F1, adaptive integration over the rates, simulated customers."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, hyp2f1, roots_genlaguerre

from features.errors import InputError
from models.btyd.competing_risks import first_within
from models.btyd.pareto_nbd import ParetoNBD, fit

PAPER = ParetoNBD(r=0.553, alpha=10.578, s=0.606, beta=11.669, log_likelihood=0)
OTHER_WAY = ParetoNBD(r=0.8, alpha=30.0, s=1.0, beta=6.0, log_likelihood=0)  # alpha > beta, and s = 1
ALIKE = ParetoNBD(r=2.0, alpha=15.0, s=2.5, beta=15.0, log_likelihood=0)
MODELS = [PAPER, OTHER_WAY, ALIKE]
HISTORIES = [(0, 0.0, 38.9), (2, 30.4, 38.9), (1, 3.0, 60.0), (7, 20.0, 20.0), (26, 30.0, 39.0)]


def clock(p: float, A: float, q: float, B: float, span: float) -> float:
    """The chance that the second clock rings first, and within span, by adaptive integration in y's logarithm."""

    def density(u: float) -> float:
        y = np.exp(u)
        return y * q / (B + y) * np.exp(-p * np.log1p(y / A) - q * np.log1p(y / B))

    start = 1e-9 * min(A, B, span)
    ends = np.linspace(np.log(start), np.log(span), 60)
    return start * q / B + sum(quad(density, *pair, epsabs=0, epsrel=1e-12)[0] for pair in pairwise(ends))


@pytest.mark.parametrize("p", [0.05, 1.3, 20.0, 4000.0])
@pytest.mark.parametrize("q", [0.05, 1.0, 40.0])
@pytest.mark.parametrize(("A", "B"), [(0.003, 1.0), (1.0, 0.003), (1.0, 1.0), (30.0, 0.1), (0.1, 30.0)])
def test_the_clock_that_rings_first_is_the_integral(p, q, A, B):
    for span in (0.01, 3.0):
        many, few = (first_within(*_arrays(span, p, A, q, B), nodes=nodes).chance[0] for nodes in (32, 16))
        silence = (1 + span / A) ** -p * (1 + span / B) ** -q
        exact = clock(p, A, q, B, span)
        assert many == pytest.approx(exact, abs=1e-10 * (exact + silence))
        assert few == pytest.approx(exact, abs=1e-6 * (exact + silence))


def _arrays(span: float, p: float, A: float, q: float, B: float) -> tuple:
    return np.array([span]), np.array([p]), np.array([A]), q, np.array([B])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"alpha={model.alpha:g}")
@pytest.mark.parametrize(("x", "t_x", "T"), HISTORIES)
def test_alive_is_the_closed_form_in_2f1(model, x, t_x, T):
    """Fader & Hardie's A0 with the argument of 2F1 kept in [0, 1) by taking the larger of alpha and beta."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
    total = r + s + x
    large, second = (alpha, s + 1) if alpha >= beta else (beta, r + x)

    def part(age: float) -> float:
        z = abs(alpha - beta) / (large + age)
        return hyp2f1(total, second, total + 1, z) / (large + age) ** total

    A0 = part(t_x) - part(T)
    alive = 1 / (1 + s / total * (alpha + T) ** (r + x) * (beta + T) ** s * A0)
    assert model.probability_alive([x], [t_x], [T])[0] == pytest.approx(alive, rel=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"alpha={model.alpha:g}")
@pytest.mark.parametrize("t", [1.0, 39.0])
def test_the_next_order_is_bayes_rule_integrated_over_both_rates(model, t):
    """Alive at T, both rates are gammas; Gauss-Laguerre over lambda and mu of what happens at given rates."""
    x, T = 2, 38.9
    lam, weight = roots_genlaguerre(80, model.r + x - 1)
    mu, other = roots_genlaguerre(80, model.s - 1)
    lam, mu = np.meshgrid(lam / (model.alpha + T), mu / (model.beta + T), indexing="ij")
    chance = np.outer(weight / weight.sum(), other / other.sum())
    order = np.sum(chance * lam / (lam + mu) * -np.expm1(-(lam + mu) * t))
    orders = np.sum(chance * lam * -np.expm1(-mu * t) / mu)
    assert model.probability_alive([x], [T], [T])[0] == 1  # the last order is now
    assert model.probability_of_order(t, [x], [T], [T])[0] == pytest.approx(order, rel=1e-9)
    assert model.expected_orders(t, [x], [T], [T])[0] == pytest.approx(orders, rel=1e-9)


def test_expected_orders_is_the_sum_over_short_spans():
    """The rate of orders at age T + y: the mean of lambda, times the chance of still being there."""
    for model in MODELS:
        for x, _, T in HISTORIES:
            rate = (model.r + x) / (model.alpha + T)
            total = quad(lambda y, T=T, model=model: ((model.beta + T) / (model.beta + T + y)) ** model.s, 0, 90)[0]
            assert model.expected_orders_if_alive(90, [x], [T])[0] == pytest.approx(rate * total, rel=1e-9)


def simulated(model: ParetoNBD, T: np.ndarray, t: float, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """x, t_x of customers at ages T, their orders in (T, T + t], and whether they are alive at T."""
    n = T.size
    rate, leaves = rng.gamma(model.r, 1 / model.alpha, n), rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, n))
    x, t_x, later, now, here = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.arange(n)
    while here.size:
        now[here] += rng.exponential(size=here.size) / rate[here]
        here = here[now[here] <= np.minimum(T[here] + t, leaves[here])]
        past = here[now[here] <= T[here]]
        x[past] += 1
        t_x[past] = now[past]
        later[here[now[here] > T[here]]] += 1
    return x, t_x, later, leaves > T


def test_the_past_and_the_future_of_simulated_customers_agree():
    n, t = 300_000, 39.0
    T = np.full(n, 40.0)
    x, t_x, later, alive = simulated(PAPER, T, t, np.random.default_rng(3))
    orders, order = PAPER.expected_orders(t, x, t_x, T), PAPER.probability_of_order(t, x, t_x, T)
    living = PAPER.probability_alive(x, t_x, T)
    for group in (x == 0, x == 1, x > 5, (x > 0) & (t_x < 15), (x > 0) & (t_x > 30)):
        size = group.sum()
        assert orders[group].mean() == pytest.approx(later[group].mean(), abs=4 * later[group].std() / np.sqrt(size))
        assert order[group].mean() == pytest.approx((later[group] > 0).mean(), abs=2 / np.sqrt(size))
        assert living[group].mean() == pytest.approx(alive[group].mean(), abs=2 / np.sqrt(size))
    fitted = fit(x, t_x, T)
    assert (fitted.r, fitted.alpha, fitted.s, fitted.beta) == pytest.approx((0.553, 10.578, 0.606, 11.669), rel=0.05)


def log_likelihood(model: ParetoNBD, x: float, t_x: float, T: float) -> float:
    """Alive at T, or left at y after the last order: the likelihood of x orders at their times, integrated over y."""
    r, alpha, s, beta = model.r, model.alpha, model.s, model.beta

    def orders(age: float) -> float:
        return np.exp(gammaln(r + x) - gammaln(r)) * alpha**r / (alpha + age) ** (r + x)

    alive = orders(T) * (beta / (beta + T)) ** s
    left = quad(lambda y: orders(y) * s * beta**s / (beta + y) ** (s + 1), t_x, T, epsabs=0, epsrel=1e-10)[0]
    return np.log(alive + left)


def test_no_neighbour_is_likelier_than_the_fit():
    T = np.random.default_rng(7).uniform(20, 100, 300).round(1)
    x, t_x, *_ = simulated(ALIKE, T, 1.0, np.random.default_rng(8))
    t_x = t_x.round(1).clip(max=T)
    fitted = fit(np.tile(x, 2), np.tile(t_x, 2), np.tile(T, 2))

    def total(model: ParetoNBD) -> float:
        return 2 * sum(log_likelihood(model, *one) for one in zip(x, t_x, T, strict=True))

    at_fit = total(fitted)
    assert fitted.log_likelihood == pytest.approx(at_fit, rel=1e-9)
    for name in ("r", "alpha", "s", "beta"):
        for factor in (0.98, 1.02):
            assert total(ParetoNBD(**{**vars(fitted), name: getattr(fitted, name) * factor})) < at_fit


def test_the_longer_silent_the_less_alive_and_never_beyond_a_probability():
    alive = PAPER.probability_alive([0, 3, 3, 3, 900, 4000], [0, 30, 20, 10, 1, 4000], [38, 38, 38, 38, 4000, 4000])
    assert alive[0] < 1
    assert (np.diff(alive[1:4]) < 0).all()
    assert alive[4] == pytest.approx(0, abs=1e-300)
    assert alive[5] == 1
    for model in MODELS:
        for t in (1e-6, 1.0, 1e6):
            order = model.probability_of_order(
                t, [0, 1, 900, 4000], [0.0, 5.0, 1.0, 4000.0], [1.0, 5.0, 4000.0, 4000.0]
            )
            assert ((order >= 0) & (order <= 1)).all()
    assert PAPER.probability_of_order(1e12, [5], [39.0], [39.0])[0] > 0.9


def test_impossible_histories_are_named():
    with pytest.raises(InputError, match=r"Pareto/NBD: 1 of 2 recencies are later than T"):
        fit([1, 2], [5.0, 2.0], [3.0, 4.0])
    with pytest.raises(InputError, match=r"Pareto/NBD: none of the 2 customers came back"):
        fit([0, 0], [0.0, 0.0], [3.0, 4.0])
    with pytest.raises(InputError, match=r"Pareto/NBD: t is 0"):
        PAPER.expected_orders(0, [1], [1.0], [2.0])
