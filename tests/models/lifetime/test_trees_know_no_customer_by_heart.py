"""Customers of a long log have many rows with one fate each: what is told of others is nevertheless what they bring."""

import numpy as np
import pandas as pd
import pytest

from models.lifetime.lifetime_trees import RATES, LifetimeTrees, raw
from models.trees import boosting

NAMES = [f"habit_{number}" for number in range(8)]
CUSTOMERS, CUT_OFFS = 1500, 12


def shop(seed):
    """Rows of customers with habits that never change, nearly all of no meaning, and the orders that follow each."""
    rng = np.random.default_rng(seed)
    habits = rng.random((CUSTOMERS, len(NAMES)))
    orders = rng.poisson(np.exp(2 * habits[:, 0] - 1.5) * rng.gamma(1, 1, CUSTOMERS))
    frame = pd.DataFrame(np.repeat(habits, CUT_OFFS, axis=0), columns=NAMES)
    frame["customer_id"] = np.repeat(np.arange(CUSTOMERS), CUT_OFFS).astype(str)
    return frame, np.repeat(orders, CUT_OFFS).astype(float)


@pytest.fixture(scope="module")
def grown():
    """The trees of a shop, those checked and those that are not, and what the checked say of customers unseen."""
    frame, orders = shop(1)
    inputs = boosting.inputs_of(frame, NAMES)
    trees = LifetimeTrees(frame, np.zeros(len(frame)), inputs, seed=7, device="cpu")
    every_row = np.arange(len(frame))
    checked, score = trees.grow_checked(orders, every_row, params=RATES)
    return inputs, orders, checked, score, trees.grow_rates(orders, every_row, params=RATES)


def told_of_strangers(booster, inputs, seed):
    """Orders told ÷ orders that came, of the customers of another shop of the kind."""
    frame, orders = shop(seed)
    return np.exp(raw(booster, boosting.matrix(frame, inputs))).sum() / orders.sum()


def test_what_is_told_of_strangers_is_what_they_bring(grown):
    inputs, _, checked, _, _ = grown
    assert np.mean([told_of_strangers(checked, inputs, seed) for seed in range(2, 8)]) == pytest.approx(1, abs=0.12)


def test_all_rounds_would_say_too_little_of_them(grown):
    inputs, _, checked, _, by_heart = grown
    assert np.mean([told_of_strangers(by_heart, inputs, seed) for seed in range(2, 8)]) < 0.9
    assert checked.num_boosted_rounds() < RATES["rounds"] / 2 <= by_heart.num_boosted_rounds()


def test_the_level_of_the_unseen_is_that_of_what_came(grown):
    _, orders, _, score, _ = grown
    assert np.exp(score).sum() == pytest.approx(orders.sum())
