"""The weights of a blend are those of the truth, never negative, and even where too few customers could say."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.linear_model import GammaRegressor, LogisticRegression

from models.ensemble import stacking
from models.ensemble.stacking import Blend, LogPrediction, Outcome
from models.prediction import Prediction


def knowing(customers: int, *, no_order: tuple[float, float], value: tuple[float, float], seed: int):
    """Two halves of the truth and a member of noise; outcomes drawn from the halves with these coefficients."""
    rng = np.random.default_rng(seed)
    opinions = {name: LogPrediction(*rng.normal(size=(2, customers))) for name in ("left", "right", "noise")}
    left, right = opinions["left"], opinions["right"]
    log_odds = 0.4 + no_order[0] * left.log_odds + no_order[1] * right.log_odds
    log_value = 3.0 + value[0] * left.log_value + value[1] * right.log_value
    ordered = rng.random(customers) > expit(log_odds)
    return opinions, Outcome(ordered, np.where(ordered, rng.gamma(3, np.exp(log_value) / 3), 0.0))


@pytest.fixture(scope="module")
def many():
    return knowing(30_000, no_order=(0.9, 0.4), value=(0.5, 1.1), seed=1)


def test_each_half_of_the_truth_gets_its_coefficient_and_noise_gets_nothing(many):
    weights = stacking.fit(*many)
    assert list(weights.no_order.values()) == pytest.approx([0.9, 0.4, 0.0], abs=0.05)
    assert list(weights.value.values()) == pytest.approx([0.5, 1.1, 0.0], abs=0.05)


def test_weights_are_those_of_regressions_where_none_would_be_negative(many):
    """scikit-learn's logistic and gamma regressions, which hold no weight to a sign and draw none to evenness."""
    opinions, outcome = many
    halves = {name: opinions[name] for name in ("left", "right")}
    weights = stacking.fit(halves, outcome)
    odds = np.column_stack([one.log_odds for one in halves.values()])
    logistic = LogisticRegression(C=np.inf, tol=1e-8).fit(odds, ~outcome.ordered)
    assert list(weights.no_order.values()) == pytest.approx(logistic.coef_[0].tolist(), abs=0.005)
    values = np.column_stack([one.log_value for one in halves.values()])[outcome.ordered]
    gamma = GammaRegressor(alpha=0, tol=1e-8, max_iter=1000).fit(values, outcome.value[outcome.ordered])
    assert list(weights.value.values()) == pytest.approx(gamma.coef_.tolist(), abs=0.005)


def test_a_member_that_misleads_gets_nothing():
    """A regression would turn it round; a weight is never negative."""
    weights = stacking.fit(*knowing(5000, no_order=(0.9, -0.4), value=(0.5, -0.3), seed=5))
    assert weights.no_order["right"] == weights.value["right"] == 0
    assert weights.no_order["left"] > 0.7
    assert "right" not in weights.base_learners


def test_a_level_of_each_day_changes_no_weight():
    """Beside scikit-learn's logistic regression with a column for each day."""
    opinions, outcome = knowing(9_000, no_order=(0.9, 0.4), value=(0.5, 1.1), seed=8)
    day = np.arange(9_000) % 3
    level = np.array([-2.0, 0.0, 1.0])[day]
    log_odds = {name: opinions[name].log_odds + level for name in ("left", "right")}
    weights = stacking.no_order_weights(log_odds, outcome.ordered, day)
    columns = np.column_stack([*log_odds.values(), day == 1, day == 2])
    logistic = LogisticRegression(C=np.inf, tol=1e-8).fit(columns, ~outcome.ordered)
    assert list(weights.values()) == pytest.approx(logistic.coef_[0, :2].tolist(), abs=0.005)
    assert list(weights.values()) == pytest.approx([0.9, 0.4], abs=0.1)


def test_another_level_changes_no_weight(many):
    """Neither of all opinions, nor of one of them, nor of the currency."""
    opinions, outcome = many
    weights = stacking.fit(opinions, outcome)
    cents = Outcome(outcome.ordered, outcome.value * 100)
    moves = {"left": (2.0, math.log(100)), "right": (-1.0, 0.7), "noise": (0.3, -4.0)}
    moved = {name: one.shifted(*moves[name]) for name, one in opinions.items()}
    for changed in (stacking.fit(moved, outcome), stacking.fit(opinions, cents), stacking.fit(moved, cents)):
        assert changed.no_order == pytest.approx(weights.no_order, abs=1e-3)
        assert changed.value == pytest.approx(weights.value, abs=1e-3)


@pytest.mark.parametrize("customers", [0, 1, 5])
def test_few_customers_keep_even_weights(customers):
    weights = stacking.fit(*knowing(customers, no_order=(0.9, 0.4), value=(0.5, 1.1), seed=2))
    for of in (weights.no_order, weights.value):
        assert list(of.values()) == pytest.approx([1 / 3] * 3, abs=0.25 if customers else 1e-6)


def test_weights_of_value_stay_even_where_nobody_or_one_customer_ordered():
    opinions, _ = knowing(500, no_order=(1.0, 1.0), value=(1.0, 1.0), seed=3)
    for first in (0, 1):
        ordered = np.arange(500) < first
        weights = stacking.fit(opinions, Outcome(ordered, np.where(ordered, 20.0, 0.0)))
        assert list(weights.value.values()) == pytest.approx([1 / 3] * 3, abs=1e-3)


def test_no_other_weights_are_likelier():
    """The penalised likelihoods, customer by customer in plain Python; the level at its own best each time."""
    opinions, (ordered, value) = knowing(400, no_order=(0.9, 0.4), value=(0.5, 1.1), seed=4)
    weights = stacking.fit(opinions, Outcome(ordered, value))
    names = list(opinions)

    def pull(tried: list[float]) -> float:
        return stacking.PRIOR_CUSTOMERS / 2 * sum((weight - 1 / 3) ** 2 for weight in tried)

    def of_order(level: float, tried: list[float]) -> float:
        total = pull(tried)
        for row, did in enumerate(ordered):
            score = level + sum(w * float(opinions[name].log_odds[row]) for w, name in zip(tried, names, strict=True))
            total += math.log1p(math.exp(-score if not did else score))
        return total

    def of_value(level: float, tried: list[float]) -> float:
        total = pull(tried)
        for row in np.flatnonzero(ordered):
            score = level + sum(w * float(opinions[name].log_value[row]) for w, name in zip(tried, names, strict=True))
            total += float(value[row]) * math.exp(-score) + score
        return total

    for loss, found in ((of_order, weights.no_order), (of_value, weights.value)):

        def best(tried: list[float], loss=loss) -> float:
            return minimize_scalar(loss, args=(tried,), bounds=(-6, 6), method="bounded").fun

        least = best(list(found.values()))
        for place in range(len(names)):
            for step in (-0.02, 0.02):
                tried = list(found.values())
                tried[place] += step
                if tried[place] >= 0:
                    assert best(tried) > least


def test_a_blend_is_the_weighted_sum_of_log_odds_and_of_logs():
    opinions = {
        "a": stacking.log_prediction([0.2, 0.9], [10.0, 1000.0]),
        "b": stacking.log_prediction([0.5, 0.6], [20.0, 50.0]),
        "c": stacking.log_prediction([0.01, 0.01], [1.0, 1.0]),
    }
    weights = Blend({"a": 0.5, "b": 0.25, "c": 0.0}, {"a": 0.0, "b": 0.8, "c": 0.0})
    said = weights.combine(opinions)
    odds = [4**-0.5 * 1**0.25, 9**0.5 * 1.5**0.25]
    assert said.no_order == pytest.approx([one / (1 + one) for one in odds])
    assert np.exp(said.log_value) == pytest.approx([20**0.8, 50**0.8])
    assert said.expected_value == pytest.approx((1 - said.no_order) * [20**0.8, 50**0.8])
    assert weights.base_learners == ["a", "b"]
    assert stacking.single("a").combine(opinions).no_order == pytest.approx([0.2, 0.9])


def test_opinions_that_all_mislead_are_blended_into_the_level_alone():
    """One opinion per customer all the same: the same for everybody."""
    opinions = {
        "a": stacking.log_prediction([0.2, 0.9], [10.0, 1000.0]),
        "b": stacking.log_prediction([0.5, 0.6], [20.0, 50.0]),
    }
    weights = Blend({"a": 0.0, "b": 0.0}, {"a": 0.0, "b": 0.0})
    said = weights.combine({name: opinions[name] for name in weights.base_learners})
    assert said.no_order == pytest.approx([0.5, 0.5])
    assert said.expected_value == pytest.approx([0.5, 0.5])


def test_an_opponent_is_taken_apart_so_that_its_expected_value_stays():
    said = Prediction(np.array([0.0, 0.3, 0.999, 1.0, 0.5]), np.array([50.0, 7.0, 0.4, 0.0, -3.0]))
    taken = stacking.log_prediction_of(said)
    assert taken.no_order == pytest.approx([0.0, 0.3, 0.999, 1.0, 0.5], abs=2e-6)
    assert taken.expected_value[:3] == pytest.approx([50.0, 7.0, 0.4])
    assert taken.log_odds[1] == pytest.approx(logit(0.3))
    assert (taken.expected_value[3:] > 0).all()
    assert (taken.expected_value[3:] <= stacking.MIN_VALUE).all()
