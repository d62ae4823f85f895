"""80 % intervals of value: four customers of five lie within theirs, on customers nobody has seen."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import gamma

from models.ensemble import intervals
from models.ensemble.intervals import Intervals
from models.ensemble.stacking import LogPrediction, Outcome, log_prediction

SPREAD = gamma(2, scale=0.5)
"""The law of realised over expected value given an order: mean 1."""


def customers(no_order: np.ndarray, *, seed: int) -> tuple[LogPrediction, Outcome]:
    """Opinions that are the truth, and outcomes drawn from it."""
    rng = np.random.default_rng(seed)
    said = log_prediction(no_order, rng.lognormal(3, 1, len(no_order)))
    ordered = rng.random(len(no_order)) >= no_order
    ratio = SPREAD.rvs(len(no_order), random_state=rng)
    return said, Outcome(ordered, np.where(ordered, np.exp(said.log_value) * ratio, 0.0))


def shares(count: int, low: float, high: float, *, seed: int) -> np.ndarray:
    """Probabilities of no order, even between low and high."""
    return np.random.default_rng(seed).uniform(low, high, count)


def covered(fitted: Intervals, said: LogPrediction, outcome: Outcome) -> float:
    low, high = fitted.interval(said)
    return float(((low <= outcome.value) & (outcome.value <= high)).mean())


@pytest.mark.parametrize("zeros", [(0.3, 0.7), (0.0, 0.6), (0.05, 0.95), (0.0, 1e-3), (0.1, 0.1), (0.5, 0.75)])
def test_fresh_customers_of_the_same_law_are_covered_by_78_to_82_percent(zeros):
    fitted = intervals.fit(*customers(shares(20_000, *zeros, seed=1), seed=2))
    assert 0.78 < covered(fitted, *customers(shares(20_000, *zeros, seed=3), seed=4)) < 0.82


def test_where_most_order_nothing_both_ends_are_zero_and_more_are_covered():
    fitted = intervals.fit(*customers(shares(10_000, 0.82, 0.99, seed=1), seed=2))
    said, outcome = customers(shares(10_000, 0.82, 0.99, seed=3), seed=4)
    low, high = fitted.interval(said)
    assert (low == 0).all()
    assert (high == 0).all()
    assert covered(fitted, said, outcome) == pytest.approx((~outcome.ordered).mean())
    assert covered(fitted, said, outcome) >= 0.8


def test_who_surely_orders_gets_the_true_10_and_90_percent_points():
    fitted = intervals.fit(*customers(np.full(40_000, 1e-4), seed=1))
    said, _ = customers(np.full(100, 1e-4), seed=2)
    low, high = fitted.interval(said)
    assert low / np.exp(said.log_value) == pytest.approx(SPREAD.ppf(0.1), rel=0.04)
    assert high / np.exp(said.log_value) == pytest.approx(SPREAD.ppf(0.9), rel=0.04)


def test_the_upper_end_is_the_point_below_which_80_percent_lie():
    """Of 40 % zeros and 60 % gamma: F(x) = 0.4 + 0.6 G(x) is 0.8 where G is 2/3."""
    fitted = intervals.fit(*customers(np.full(40_000, 0.4), seed=1))
    said, _ = customers(np.full(100, 0.4), seed=2)
    low, high = fitted.interval(said)
    assert (low == 0).all()
    assert high / np.exp(said.log_value) == pytest.approx(SPREAD.ppf(2 / 3), rel=0.04)


def test_groups_of_another_spread_are_covered_each():
    """Likely buyers are predictable, unlikely ones are not: one spread for all would cover 80 % only on average."""
    rng = np.random.default_rng(5)
    no_order = np.repeat([0.2, 0.6], 20_000)
    said = log_prediction(no_order, rng.lognormal(3, 1, 40_000))
    shape = np.where(no_order < 0.5, 20.0, 0.5)
    ordered = rng.random(40_000) >= no_order
    value = np.where(ordered, np.exp(said.log_value) * rng.gamma(shape, 1 / shape), 0.0)
    learn, fresh = np.arange(40_000) % 2 == 0, np.arange(40_000) % 2 == 1
    fitted = intervals.fit(
        LogPrediction(said.log_odds[learn], said.log_value[learn]), Outcome(ordered[learn], value[learn])
    )
    for likely in (no_order < 0.5, no_order > 0.5):
        of = fresh & likely
        inside = covered(fitted, LogPrediction(said.log_odds[of], said.log_value[of]), Outcome(ordered[of], value[of]))
        assert 0.78 < inside < 0.82


def test_the_mass_makes_up_for_zeros_within_bounds():
    """Half surely order and half hardly ever: the second half is covered by 90 %, so the first may be by 70 %."""
    mixed = np.where(np.arange(20_000) % 2 == 0, 0.01, 0.9)
    fitted = intervals.fit(*customers(mixed, seed=1))
    assert intervals.MASSES[0] <= fitted.mass <= intervals.MASSES[-1]
    assert fitted.mass == pytest.approx(0.7, abs=0.02)
    assert 0.78 < covered(fitted, *customers(mixed, seed=2)) < 0.82
    assert intervals.fit(*customers(shares(500, 0.9, 0.99, seed=3), seed=4)).mass == intervals.MASSES[0]


@pytest.mark.parametrize("zeros", [(0.0, 1.0), (0.3, 0.7), (0.8, 1.0)])
def test_ends_are_ordered_and_grow_with_the_expected_value(zeros):
    fitted = intervals.fit(*customers(shares(3000, *zeros, seed=1), seed=2))
    said = log_prediction(np.linspace(0, 1, 501), np.full(501, 20.0))
    low, high = fitted.interval(said)
    assert (low >= 0).all()
    assert (low <= high).all()
    assert np.isfinite(high).all()
    for factor in (1.01, 10.0):
        more = fitted.interval(said.shifted(0, np.log(factor)))
        assert more[0] == pytest.approx(low * factor)
        assert more[1] == pytest.approx(high * factor)


def test_ends_are_ordered_where_refunds_exceed_orders():
    """A tenth of the buyers bring less than nothing: no upper end lies below its lower one."""
    said, outcome = customers(shares(5000, 0.0, 1.0, seed=1), seed=2)
    loss = np.random.default_rng(3).random(5000) < 0.1
    fitted = intervals.fit(said, Outcome(outcome.ordered, np.where(loss, -outcome.value, outcome.value)))
    low, high = fitted.interval(log_prediction(np.linspace(0, 1, 2001), np.full(2001, 20.0)))
    assert (low <= high).all()


@pytest.mark.parametrize("buyers", [1, 2, 49, 51, 101])
def test_few_buyers_are_enough(buyers):
    said, _ = customers(shares(600, 0.2, 0.9, seed=1), seed=2)
    ordered = np.arange(600) < buyers
    fitted = intervals.fit(said, Outcome(ordered, np.where(ordered, 12.0, 0.0)))
    assert (
        len(fitted.ratios)
        == len(fitted.edges) + 1
        == max(min(buyers // intervals.MIN_BUYERS_PER_GROUP, intervals.GROUPS), 1)
    )
    low, high = fitted.interval(said)
    assert np.isfinite(low).all()
    assert np.isfinite(high).all()
    assert (low <= high).all()


@pytest.mark.parametrize("no_order", [np.full(400, 0.5), np.repeat([0.9, 0.4], [380, 20]), np.repeat([0.1, 0.4], 200)])
def test_groups_without_buyers_are_none(no_order):
    """Where many customers have the same probability, groups fall together, and every one left has buyers."""
    said, outcome = customers(no_order, seed=1)
    ordered = outcome.ordered | (np.arange(400) % 2 == 0)
    fitted = intervals.fit(said, Outcome(ordered, np.where(ordered, np.exp(said.log_value), 0.0)))
    assert len(fitted.ratios) == len(fitted.edges) + 1
    assert np.array(fitted.ratios) == pytest.approx(1.0)
    low, high = fitted.interval(log_prediction(np.array([0.05, 0.5, 0.95]), np.full(3, 8.0)))
    assert np.isfinite([low, high]).all()


def test_intervals_are_plain_numbers():
    fitted = intervals.fit(*customers(shares(500, 0.3, 0.7, seed=1), seed=2))
    assert Intervals(**json.loads(json.dumps(asdict(fitted), allow_nan=False))) == fitted
