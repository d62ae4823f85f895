"""The chance to have been alive on a past day, given the silence since, is what simulated customers did."""

import numpy as np
import pytest

from models.btyd.pareto_nbd import ParetoNBD

MODEL = ParetoNBD(r=0.8, alpha=20.0, s=0.9, beta=120.0, log_likelihood=0.0)
AGE = 400.0


@pytest.fixture(scope="module")
def customers():
    """Orders until they leave, on a grid of days; and the day on which each left."""
    draw, count = np.random.default_rng(5), 60_000
    left = draw.exponential(1 / draw.gamma(0.9, 1 / 120, count))
    number = draw.poisson(draw.gamma(0.8, 1 / 20, count) * np.minimum(left, AGE))
    last = np.where(number > 0, np.minimum(left, AGE) * draw.random(count) ** (1 / np.maximum(number, 1)), 0.0)
    return number.astype(float), last, np.full(count, AGE), left


@pytest.mark.parametrize("at", [50.0, 150.0, 300.0, 400.0])
def test_of_customers_of_one_chance_that_share_was_alive(customers, at):
    x, last, age, left = customers
    chance, alive = MODEL.probability_was_alive(at, x, last, age), left > at
    assert (chance[last >= at] == 1).all()
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.999)):
        band = (chance >= low) & (chance < high)
        if band.sum() > 500:
            sd = np.sqrt((chance[band] * (1 - chance[band])).mean() / band.sum())
            assert alive[band].mean() == pytest.approx(chance[band].mean(), abs=4 * sd)


def test_today_it_is_the_probability_to_be_alive(customers):
    x, last, age, _ = (column[:500] for column in customers)
    assert MODEL.probability_was_alive(AGE, x, last, age) == pytest.approx(MODEL.probability_alive(x, last, age))
