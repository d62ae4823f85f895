"""An experiment is refused where it is none, its effects are unbiased, and its folds are even."""

import re

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError, Refusal
from models.uplift.experiment import Experiment

HALF = np.full(100, 0.5)
EVERY_OTHER = np.arange(100) % 2 == 0
NOTHING = np.zeros(100)


@pytest.mark.parametrize(
    ("treated", "outcome", "propensity", "error", "says"),
    [
        (EVERY_OTHER[1:], NOTHING, HALF, InputError, "99 treated marks, 100 outcomes and 100 propensities"),
        (EVERY_OTHER * 1, NOTHING, HALF, InputError, "treated is int64, not bool"),
        (EVERY_OTHER, np.where(EVERY_OTHER, np.nan, 0), HALF, InputError, "50 of 100 outcomes are missing"),
        (EVERY_OTHER, NOTHING, np.where(np.arange(100) < 3, 1.0, 0.5), InputError, "3 of 100 propensities are not"),
        (EVERY_OTHER, NOTHING, np.full(100, np.nan), InputError, "100 of 100 propensities are not"),
        (np.arange(100) < 80, NOTHING, HALF, Refusal, "80 of 100 customers are treated where the design expects 50"),
        (np.zeros(100, bool), NOTHING, HALF / 50, Refusal, "0 of 100 customers are treated"),
        (np.ones(100, bool), NOTHING, 1 - HALF / 50, Refusal, "100 of 100 customers are treated"),
    ],
)
def test_what_is_no_experiment_is_refused_with_counts_and_a_remedy(treated, outcome, propensity, error, says):
    with pytest.raises(error, match=rf"^spring: {re.escape(says)}.*\n  [A-Z].*\.$"):
        Experiment(treated, outcome, propensity, "spring")


def test_a_draw_as_uneven_as_chance_makes_it_passes():
    rng = np.random.default_rng(1)
    for _ in range(1000):
        e = rng.uniform(0.05, 0.95, 100)
        Experiment(rng.random(100) < e, NOTHING, e)


def test_columns_of_a_frame_will_do_and_their_index_means_nothing():
    frame = pd.DataFrame({"treated": EVERY_OTHER, "bought": EVERY_OTHER, "propensity": HALF}).iloc[::-1]
    experiment = Experiment(frame["treated"], frame["bought"], frame["propensity"])
    assert experiment.effects().tolist() == [0.0, 2.0] * 50


def test_the_effects_are_unbiased_whatever_was_expected():
    """Over all 2^10 draws of ten customers, each weighted by its probability."""
    rng = np.random.default_rng(2)
    e, without, with_it, expected = rng.uniform(0.2, 0.8, 10), *rng.normal(size=(3, 10))
    mean = np.zeros(10)
    for number in range(1, 2**10 - 1):
        t = (number >> np.arange(10)) % 2 == 1
        probability = np.where(t, e, 1 - e).prod()
        mean += probability * Experiment(t, np.where(t, with_it, without), e).effects(expected)
    for t in (np.zeros(10, bool), np.ones(10, bool)):
        probability = np.where(t, e, 1 - e).prod()
        mean += probability * (np.where(t, with_it, without) - expected) * np.where(t, 1 / e, -1 / (1 - e))
    assert mean == pytest.approx(with_it - without)


def test_folds_are_even_in_both_arms():
    treated = np.arange(103) < 41
    fold = Experiment(treated, np.zeros(103), np.full(103, 0.4)).folds(5, seed=3)
    for arm in (treated, ~treated):
        sizes = np.bincount(fold[arm], minlength=5)
        assert sizes.max() - sizes.min() <= 1
