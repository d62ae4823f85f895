"""BG/NBD's closed forms against other ways to the same number: a sum, a simulation, the likelihood as printed."""

from math import exp, gamma, lgamma, log

import numpy as np
import pytest
from scipy.special import betainc

from features.errors import InputError
from models.btyd.bgnbd import BGNBD, fit

PAPER = BGNBD(r=0.243, alpha=4.414, a=0.793, b=2.426, log_likelihood=0)
LOYAL = BGNBD(r=2.0, alpha=40.0, a=0.5, b=60.0, log_likelihood=0)
FICKLE = BGNBD(r=0.5, alpha=20.0, a=3.0, b=0.7, log_likelihood=0)
AT_ONE = BGNBD(r=0.5, alpha=20.0, a=1.0, b=2.0, log_likelihood=0)  # the closed form is 0 / 0 at a = 1 …
BESIDE_ONE = BGNBD(r=0.5, alpha=20.0, a=1.000004, b=2.0, log_likelihood=0)
AT_ZERO = BGNBD(r=0.5, alpha=20.0, a=0.4, b=0.6, log_likelihood=0)  # … and at a + b = 1 without a repeat order
MODELS = [PAPER, LOYAL, FICKLE, AT_ONE, BESIDE_ONE, AT_ZERO]


def expected_if_alive(model: BGNBD, t: float, x: int, T: float) -> float:
    """Σ_k P(not gone after k − 1 more orders) · P(at least k orders come in t), which needs no 2F1.

    The first is Π (b+x+i)/(a+b+x+i); the number that would come is negative binomial.
    """
    z, k, stays, total, term = t / (model.alpha + T + t), 0, 1.0, 0.0, np.inf
    while term > 1e-13 * total:
        k += 1
        term = stays * betainc(k, model.r + x, z)
        stays *= (model.b + x + k - 1) / (model.a + model.b + x + k - 1)
        total += term
    return total


@pytest.mark.parametrize("model", MODELS, ids=lambda model: f"a={model.a:g}")
@pytest.mark.parametrize("x", [0, 1, 7, 300, 4000])
@pytest.mark.parametrize(("T", "t"), [(0.5, 90), (38.86, 39), (400, 30), (4000, 1095)])
def test_expected_orders_is_the_sum_over_orders(model, x, T, t):
    assert model.expected_orders_if_alive(t, [x], [T])[0] == pytest.approx(
        expected_if_alive(model, t, x, T), rel=1e-9, abs=1e-12
    )


def test_the_past_and_the_future_of_simulated_customers_agree():
    rng = np.random.default_rng(3)
    n, T, t = 400_000, 40.0, 39.0
    rate, leaves = rng.gamma(PAPER.r, 1 / PAPER.alpha, n), rng.beta(PAPER.a, PAPER.b, n)
    x, t_x, later, clock, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n), np.arange(n)
    while alive.size:
        clock[alive] += rng.exponential(size=alive.size) / rate[alive]
        alive = alive[clock[alive] <= T + t]
        past = alive[clock[alive] <= T]
        x[past] += 1
        t_x[past] = clock[past]
        later[alive[clock[alive] > T]] += 1
        alive = alive[rng.random(alive.size) >= leaves[alive]]
    expected = PAPER.expected_orders(t, x, t_x, np.full(n, T))
    probability = PAPER.probability_of_order(t, x, t_x, np.full(n, T))
    for group in (x == 0, x == 1, x > 5, (x > 0) & (t_x < 15), (x > 0) & (t_x > 30)):
        error = later[group].std() / np.sqrt(group.sum())
        assert expected[group].mean() == pytest.approx(later[group].mean(), abs=4 * error)
        assert probability[group].mean() == pytest.approx((later[group] > 0).mean(), abs=2 / np.sqrt(group.sum()))
    ages = np.full(n, T)
    fitted = fit(x, t_x, ages)
    assert (fitted.r, fitted.alpha, fitted.a, fitted.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), rel=0.05)


def log_likelihood(model: BGNBD, histories: list[tuple[int, float, float]]) -> float:
    """FHL eq. 6 as printed."""
    r, alpha, a, b = model.r, model.alpha, model.a, model.b

    def log_beta(one: float, other: float) -> float:
        return lgamma(one) + lgamma(other) - lgamma(one + other)

    total = 0.0
    for x, t_x, T in histories:
        orders = gamma(r + x) * alpha**r / gamma(r)
        alive = exp(log_beta(a, b + x) - log_beta(a, b)) * orders / (alpha + T) ** (r + x)
        gone = exp(log_beta(a + 1, b + x - 1) - log_beta(a, b)) * orders / (alpha + t_x) ** (r + x) if x else 0.0
        total += log(alive + gone)
    return total


def test_no_neighbour_is_likelier_than_the_fit():
    rng = np.random.default_rng(5)
    T = rng.uniform(20, 400, 300).round(1)
    x = rng.geometric(0.4, 300) - 1
    t_x = np.where(x > 0, (rng.random(300) * T).round(1), 0.0)
    histories = list(zip(x.tolist(), t_x.tolist(), T.tolist(), strict=True)) * 2
    fitted = fit(*np.transpose(histories))
    at_fit = log_likelihood(fitted, histories)
    assert fitted.log_likelihood == pytest.approx(at_fit)
    for name in ("r", "alpha", "a", "b"):
        for factor in (0.99, 1.01):
            moved = BGNBD(**{**vars(fitted), name: getattr(fitted, name) * factor})
            assert log_likelihood(moved, histories) < at_fit


def test_alive_for_certain_without_a_repeat_order_and_less_so_the_longer_silent():
    alive = PAPER.probability_alive([0, 3, 3, 3, 900], [0, 30, 20, 10, 1], [38, 38, 38, 38, 4000])
    assert alive[0] == 1
    assert (np.diff(alive) < 0).all()
    assert alive[-1] >= 0


@pytest.mark.parametrize("T", [30.0, 700.0])
def test_customers_who_never_leave_or_leave_at_once_can_be_fitted(T):
    rng = np.random.default_rng(1)
    never = rng.poisson(rng.gamma(1.0, T / 30, 500))
    ages = np.full(500, T)
    stays = fit(never, np.where(never > 0, ages, 0.0), ages)
    assert stays.probability_alive(never, np.where(never > 0, ages, 0.0), ages).min() > 0.99
    once = rng.integers(0, 2, 500)
    goes = fit(once, once * T / 10, ages)
    assert np.isfinite(goes.expected_orders(90, once, once * T / 10, ages)).all()


@pytest.mark.parametrize(
    ("frequency", "recency", "T", "says"),
    [
        ([1, 2], [1.0], [3.0, 4.0], "2, 1 and 2 values"),
        ([], [], [], "no customers"),
        ([1, 2], [1.0, np.nan], [3.0, 4.0], "1 of 2 values are not finite"),
        ([1, -2], [1.0, 2.0], [3.0, 4.0], "1 of 2 values are negative"),
        ([1, 2.5], [1.0, 2.0], [3.0, 4.0], "not whole numbers"),
        ([1, 2], [5.0, 2.0], [3.0, 4.0], "1 of 2 recencies are later than T"),
        ([0, 2], [1.0, 2.0], [3.0, 4.0], "without a repeat order"),
        ([0, 0], [0.0, 0.0], [3.0, 4.0], "none of the 2 customers came back"),
    ],
)
def test_impossible_histories_are_named(frequency, recency, T, says):
    with pytest.raises(InputError, match=says):
        fit(frequency, recency, T)


def test_a_span_must_be_a_span():
    with pytest.raises(InputError, match="above 0"):
        PAPER.expected_orders(0, [1], [1.0], [2.0])


def test_repeat_orders_of_the_first_instant_are_allowed():
    fitted = fit([1, 2, 0, 3], [0.0, 2.0, 0.0, 5.0], [3.0, 4.0, 5.0, 6.0])
    assert 0 < fitted.probability_of_order(10, [1], [0.0], [3.0])[0] < 1
