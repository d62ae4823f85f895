"""The zero-inflated lognormal loss: its derivatives against differences, its parameters against a draw from it."""

import numpy as np
import pytest
from scipy.stats import bernoulli, lognorm

from models.trees import ziln

SPREADS = (ziln.MIN_SIGMA, ziln.MAX_SIGMA)


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Outputs of a thousand rows far and near, and targets: two fifths bought, from pennies to fortunes."""
    rng = np.random.default_rng(11)
    outputs = rng.normal(0, 2, (1000, 3))
    target = np.where(rng.random(1000) < 0.4, np.exp(rng.normal(0, 3, 1000)), 0.0)
    return outputs, target


def test_the_loss_is_minus_the_log_likelihood(drawn):
    outputs, target = drawn
    chance, mu, sigma = 1 / (1 + np.exp(-outputs[:, 0])), outputs[:, 1], ziln.sigma(outputs[:, 2])
    bought = target > 0
    amount = np.where(bought, target, 1.0)
    density = lognorm.logpdf(amount, s=sigma, scale=np.exp(mu)) + np.log(amount) + np.log(2 * np.pi) / 2
    expected = -bernoulli.logpmf(bought, chance) - bought * density
    np.testing.assert_allclose(ziln.loss(outputs, target), expected, rtol=1e-9)


def test_the_gradient_equals_finite_differences(drawn):
    outputs, target = drawn
    first, _ = ziln.gradient(outputs, target)
    step = 1e-5
    for output in range(3):
        up, down = outputs.copy(), outputs.copy()
        up[:, output] += step
        down[:, output] -= step
        difference = (ziln.loss(up, target) - ziln.loss(down, target)) / (2 * step)
        np.testing.assert_allclose(first[:, output], difference, rtol=1e-5, atol=1e-5)


def test_the_second_derivative_is_the_mean_square_of_the_first_where_the_model_holds():
    """Fisher information is the variance of the score; here from draws of the model itself."""
    rng = np.random.default_rng(12)
    log_odds, mu, free = 0.4, 1.5, -0.7
    n = 400_000
    bought = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    target = np.where(bought, np.exp(rng.normal(mu, ziln.sigma(np.array(free)), n)), 0.0)
    first, second = ziln.gradient(np.tile([log_odds, mu, free], (n, 1)), target)
    np.testing.assert_allclose((first.astype(float) ** 2).mean(axis=0), second.mean(axis=0), rtol=0.02)


def test_what_a_buyer_brings_is_the_mean_of_the_lognormal():
    outputs = np.array([[0.0, 2.0, -1.0], [3.0, -1.0, 1.0]])
    expected = [lognorm.mean(s=ziln.sigma(row[2]), scale=np.exp(row[1])) for row in outputs]
    np.testing.assert_allclose(ziln.mean(outputs), expected, rtol=1e-12)


def test_it_starts_where_a_model_without_features_would_end():
    """Newton steps on three constants, from the start, stay there."""
    rng = np.random.default_rng(13)
    target = np.where(rng.random(5000) < 0.3, np.exp(rng.normal(3, 0.8, 5000)), 0.0)
    start = np.array(ziln.objective(target).start)
    first, _ = ziln.gradient(np.tile(start, (len(target), 1)), target)
    np.testing.assert_allclose(first.mean(axis=0), 0, atol=1e-4)


@pytest.mark.parametrize("target", [np.array([5.0, 5.0, 5.0]), np.array([0.0, 1e9, 1e-2])])
def test_equal_margins_or_no_zeros_or_a_fortune_stay_finite(target):
    loss = ziln.objective(target)
    first, second = loss.gradient(np.tile([*loss.start], (len(target), 1)), target)
    far, _ = loss.gradient(np.full((len(target), 3), 40.0), target)
    assert np.isfinite([*loss.start]).all()
    assert np.isfinite([first, second, far]).all()
    assert (second > 0).all()
    assert SPREADS[0] < ziln.sigma(np.array(loss.start[2])) < SPREADS[1]
