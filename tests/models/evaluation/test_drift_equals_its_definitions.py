"""PSI against SQL and its published distribution, the distances against their definitions, Cox's line against a fit."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from models.evaluation import calibration_slope, drift


def test_psi_of_names_equals_sql():
    rng = np.random.default_rng(1)
    before = pd.DataFrame({"name": rng.choice(["web", "shop", "post"], 3000, p=[0.6, 0.3, 0.1])})
    after = pd.DataFrame({"name": rng.choice(["web", "shop", "post"], 2000, p=[0.4, 0.3, 0.3])})
    by_sql = duckdb.sql("""
        with p as (select name, (count(*) + 0.5) / (3000 + 1.5) as share from before group by name),
             q as (select name, (count(*) + 0.5) / (2000 + 1.5) as share from after group by name)
        select sum((q.share - p.share) * ln(q.share / p.share)) from p join q using (name)""").fetchall()[0][0]
    assert drift.categorical_drift(before["name"], after["name"]).all.value == pytest.approx(by_sql, rel=1e-12)


def test_psi_of_a_known_shift_is_that_of_the_two_normal_distributions():
    """Between N(0, 1) and N(d, 1) Jeffreys' divergence is d²; tenths of it lose some of that."""
    rng = np.random.default_rng(2)
    found = drift.numeric_drift(rng.normal(0, 1, 100_000), rng.normal(0.5, 1, 100_000))
    assert 0.9 * 0.25 < found.all.value < 0.25


def test_chance_alone_passes_its_limit_once_in_a_thousand():
    rng = np.random.default_rng(3)
    above = 0
    for _ in range(2000):
        found = drift.numeric_drift(rng.normal(size=1000), rng.normal(size=800))
        above += found.all.value > found.all.chance
    assert above <= 8


def test_whoever_raises_the_prices_of_the_few_who_buy_is_seen_among_these():
    rng = np.random.default_rng(4)
    spend = [np.where(rng.random(5000) < 0.1, np.exp(rng.normal(0, 0.5, 5000)), 0.0) for _ in range(2)]
    found = drift.numeric_drift(spend[0], 1.4 * spend[1])
    assert found.all.value < 0.1
    assert found.rest.value > 0.25


def test_distance_is_the_area_between_the_distributions_in_ranks():
    rng = np.random.default_rng(5)
    before, after = rng.gamma(2, 1, 700), rng.gamma(3, 1, 900)
    after[rng.random(900) < 0.3] = 0.0
    ranks = [[((before < value).sum() + (before <= value).sum()) / 1400 for value in of] for of in (before, after)]
    grid = (np.arange(200_000) + 0.5) / 200_000
    area = np.abs(np.quantile(ranks[0], grid) - np.quantile(ranks[1], grid)).mean()
    assert drift.numeric_drift(before, after).distance == pytest.approx(area, abs=2e-3)


def test_distance_of_names_is_jensen_shannons():
    before, after = pd.Series(["a"] * 75 + ["b"] * 25), pd.Series(["a"] * 25 + ["b"] * 75)
    p, q = np.array([0.75, 0.25]), np.array([0.25, 0.75])
    by_hand = np.sqrt(((p * np.log2(p / 0.5)).sum() + (q * np.log2(q / 0.5)).sum()) / 2)
    assert drift.categorical_drift(before, after).distance == pytest.approx(by_hand)


def test_a_customer_of_weight_three_is_three_customers_in_the_shares():
    before, after = np.arange(1000.0), np.arange(0.0, 1000.0, 2)
    twice = drift.numeric_drift(before, after, np.full(500, 3.0))
    once = drift.numeric_drift(before, after)
    assert twice.all.value == pytest.approx(once.all.value)
    assert twice.distance == pytest.approx(once.distance)


def test_missing_values_and_new_names_are_told():
    found = drift.numeric_drift(np.r_[np.arange(200.0), [np.nan] * 200], np.r_[np.arange(300.0), [np.nan] * 100])
    assert found.missing == (0.5, 0.25)
    named = drift.categorical_drift(
        pd.Series(["web", None]), pd.Series(["app", "fax", "app", None]), known=["web", "fax"]
    )
    assert (named.unseen, named.unseen_share, named.missing) == (("app",), 0.5, (0.5, 0.25))


def test_too_few_customers_have_no_psi():
    few = np.arange(50.0)
    found = drift.numeric_drift(few, few)
    assert found.all is None
    assert found.rest is None
    assert drift.numeric_drift(np.empty(0), few).distance is None


def test_nothing_moves_where_nothing_differs():
    same = np.random.default_rng(6).poisson(1.0, 1000).astype(float)
    found = drift.numeric_drift(same, same)
    assert (found.all.value, found.rest.value, found.distance) == (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def said():
    rng = np.random.default_rng(7)
    probability = rng.uniform(0.02, 0.98, 4000)
    churned = (rng.random(4000) < expit(0.4 + 0.7 * logit(probability))).astype(float)
    return churned, probability, rng.poisson(1, 4000).astype(float)


def test_calibration_line_is_the_logistic_regression_on_the_log_odds(said):
    churned, probability, weights = said
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(probability)[:, None], churned, sample_weight=weights)
    intercept, slope = calibration_slope.intercept_and_slope(churned, probability, weights)
    assert (intercept, slope) == pytest.approx((fitted.intercept_[0], fitted.coef_[0, 0]), abs=1e-5)


def test_calibration_lines_of_resamples_are_those_of_each_alone(said):
    churned, probability, _ = said
    stack = np.random.default_rng(8).poisson(1, (5, 4000)).astype(float)
    found = calibration_slope.resampled_intercepts_and_slopes(
        churned, probability, stack, near=calibration_slope.intercept_and_slope(churned, probability)
    )
    alone = [calibration_slope.intercept_and_slope(churned, probability, weights) for weights in stack]
    assert np.stack(found, axis=1) == pytest.approx(np.array(alone), abs=1e-7)


@pytest.mark.parametrize("churned", [np.zeros(100), np.ones(100), np.repeat([0.0, 1.0], 50)])
def test_no_line_where_none_fits(churned):
    line = calibration_slope.intercept_and_slope(churned, np.linspace(0.1, 0.9, 100))
    assert np.isnan(line).all()
