"""value_p10 and value_p90 are the 10 % and 90 % points of each customer's value, at every risk, on customers nobody has
seen.
"""

import json
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binom, gamma, kstest

from models.ensemble import intervals
from models.ensemble.intervals import Intervals
from models.ensemble.stacking import LogPrediction, Outcome, log_prediction

SPREAD = gamma(2, scale=0.5)
"""The law of realised over expected value given an order: mean 1."""
LOSSES = 0.25
"""Of the buyers where refunds exceed orders: the share who bring less than nothing."""
BANDS = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0]


def customers(no_order: np.ndarray, *, seed: int, losses: float = 0.0) -> tuple[LogPrediction, Outcome]:
    """Predictions that are the truth, and outcomes drawn from it; a share of the buyers loses what it would gain."""
    rng = np.random.default_rng(seed)
    prediction = log_prediction(no_order, rng.lognormal(3, 1, len(no_order)))
    ordered = rng.random(len(no_order)) >= no_order
    ratio = SPREAD.rvs(len(no_order), random_state=rng)
    ratio = np.where(rng.random(len(no_order)) < losses, -ratio, ratio)
    return prediction, Outcome(ordered, np.where(ordered, np.exp(prediction.log_value) * ratio, 0.0))


def shares(count: int, low: float, high: float, *, seed: int) -> np.ndarray:
    """Probabilities of no order, even between low and high."""
    return np.random.default_rng(seed).uniform(low, high, count)


def distribution(value: float, *, no_order: float, losses: float = 0.0) -> float:
    """The true probability of at most this value over the value given an order."""
    given_order = losses * SPREAD.sf(-value) + (1 - losses) * SPREAD.cdf(value)
    return no_order * (value >= 0) + (1 - no_order) * float(given_order)


def true_point(share: float, **law: float) -> float:
    """The least value at which the distribution reaches a share, found without a formula of its inverse."""
    below_zero, to_zero = distribution(-1e-12, **law), distribution(0.0, **law)
    if below_zero < share <= to_zero:
        return 0.0
    return float(
        brentq(lambda value: distribution(value, **law) - share, *((-50, 0) if share <= below_zero else (0, 50)))
    )


def within(share: float, count: int, expected: float) -> bool:
    """True if a share of so many customers is one that the expected share would give, but for 1 case in 10,000."""
    low, high = binom.interval(0.9999, count, expected)
    return bool(low / count - 0.01 <= share <= high / count + 0.01)  # the points are learned from a sample, too


@pytest.mark.parametrize("losses", [0.0, LOSSES])
@pytest.mark.parametrize("no_order", [1e-4, 0.05, 0.08, 0.3, 0.6, 0.85, 0.95])
def test_both_ends_are_the_points_of_the_true_distribution(no_order, losses):
    fitted = intervals.fit(*customers(np.full(200_000, no_order), seed=1, losses=losses))
    prediction, _ = customers(np.full(50, no_order), seed=2)
    for end, share in zip(fitted.interval(prediction), (0.1, 0.9), strict=True):
        point = true_point(share, no_order=no_order, losses=losses)
        assert end / np.exp(prediction.log_value) == pytest.approx(point, rel=0.05, abs=0.01)


def test_one_in_ten_lies_above_and_one_in_ten_below_in_every_band_of_risk():
    fitted = intervals.fit(*customers(shares(60_000, 0.0, 1.0, seed=1), seed=2))
    prediction, outcome = customers(shares(120_000, 0.0, 1.0, seed=3), seed=4)
    low, high = fitted.interval(prediction)
    no_order = prediction.no_order
    for begin, end in pairwise(BANDS):
        band = (no_order >= begin) & (no_order < end)
        above = (outcome.value > high)[band].mean()
        assert within(above, band.sum(), 0.1 if end <= 0.9 else (1 - no_order[band]).mean())
    sure = no_order < 0.1
    assert within((outcome.value < low)[sure].mean(), sure.sum(), 0.1)


@pytest.mark.parametrize("losses", [0.0, LOSSES])
def test_the_place_of_each_outcome_in_its_own_distribution_is_a_random_number(losses):
    """The probability integral transform, at a random place within the heap at 0, against the even distribution."""
    fitted = intervals.fit(*customers(shares(100_000, 0.0, 1.0, seed=1), seed=2, losses=losses))
    prediction, outcome = customers(shares(20_000, 0.0, 1.0, seed=3), seed=4, losses=losses)
    grid = np.linspace(0, 1, 201)
    points = np.array([fitted.quantile(prediction, share) for share in grid])
    assert (np.diff(points, axis=0) >= 0).all()
    first, last = (points < outcome.value).sum(0), (points <= outcome.value).sum(0)
    places = np.random.default_rng(5).uniform(np.maximum(first - 1, 0), np.minimum(last, 200)) / 200
    no_order = prediction.no_order
    for begin, end in pairwise(BANDS):
        assert kstest(places[(no_order >= begin) & (no_order < end)], "uniform").pvalue > 1e-3


def test_the_upper_end_is_zero_only_where_no_order_has_90_percent_and_the_lower_end_from_10_percent_on():
    fitted = intervals.fit(*customers(shares(20_000, 0.0, 1.0, seed=1), seed=2))
    prediction = log_prediction(np.linspace(0.0005, 0.9995, 1000), np.full(1000, 20.0))
    low, high = fitted.interval(prediction)
    assert ((high == 0) == (prediction.no_order >= 0.9)).all()
    assert ((low == 0) == (prediction.no_order >= 0.1)).all()


def test_a_group_that_is_covered_by_more_takes_nothing_from_another():
    """The points of who surely orders are the same whether or not half of the shop has left."""
    alone = intervals.fit(*customers(np.full(20_000, 0.01), seed=1))
    mixed = intervals.fit(*customers(np.where(np.arange(40_000) % 2 == 0, 0.01, 0.95), seed=1))
    prediction = log_prediction(np.full(1, 0.01), np.full(1, 20.0))
    assert np.array(mixed.interval(prediction)) == pytest.approx(np.array(alone.interval(prediction)), rel=0.05)


def test_groups_of_another_spread_have_their_own_points():
    """Likely buyers are predictable, unlikely ones are not: one spread for all would be right only on average."""
    rng = np.random.default_rng(5)
    no_order = np.repeat([0.05, 0.6], 20_000)
    prediction = log_prediction(no_order, rng.lognormal(3, 1, 40_000))
    shape = np.where(no_order < 0.5, 20.0, 0.5)
    ordered = rng.random(40_000) >= no_order
    value = np.where(ordered, np.exp(prediction.log_value) * rng.gamma(shape, 1 / shape), 0.0)
    learn, fresh = np.arange(40_000) % 2 == 0, np.arange(40_000) % 2 == 1
    fitted = intervals.fit(
        LogPrediction(prediction.log_odds[learn], prediction.log_value[learn]), Outcome(ordered[learn], value[learn])
    )
    low, high = fitted.interval(prediction)
    for likely in (no_order < 0.5, no_order > 0.5):
        assert within((value > high)[fresh & likely].mean(), 10_000, 0.1)
    assert within((value < low)[fresh & (no_order < 0.5)].mean(), 10_000, 0.1)


def test_few_buyers_are_not_taken_for_the_whole_law():
    """The next of 20 like them exceeds the 90 % point one time in ten; that of the sample alone, one time in seven."""
    rng = np.random.default_rng(6)
    said, passed = log_prediction(np.full(20, 1e-6), np.ones(20)), []
    for _ in range(1500):
        values = SPREAD.rvs(21, random_state=rng)
        low, high = intervals.fit(said, Outcome(np.full(20, True), values[:20])).interval(said)
        passed.append((values[20] < low[0], values[20] > high[0]))
    assert np.mean(passed, axis=0) == pytest.approx([0.1, 0.1], abs=0.022)


@pytest.mark.parametrize("zeros", [(0.0, 1.0), (0.3, 0.7), (0.8, 1.0)])
def test_ends_are_ordered_and_grow_with_the_expected_value(zeros):
    fitted = intervals.fit(*customers(shares(3000, *zeros, seed=1), seed=2))
    prediction = log_prediction(np.linspace(0, 1, 501), np.full(501, 20.0))
    low, high = fitted.interval(prediction)
    assert (low >= 0).all()
    assert (low <= high).all()
    assert np.isfinite(high).all()
    for factor in (1.01, 10.0):
        more = fitted.interval(prediction.shifted(0, np.log(factor)))
        assert more[0] == pytest.approx(low * factor)
        assert more[1] == pytest.approx(high * factor)


def test_ends_are_ordered_where_refunds_exceed_orders():
    """A quarter of the buyers bring less than nothing: so does one in ten of those who are likely to order."""
    fitted = intervals.fit(*customers(shares(5000, 0.0, 1.0, seed=1), seed=2, losses=LOSSES))
    prediction = log_prediction(np.linspace(0, 1, 2001), np.full(2001, 20.0))
    low, high = fitted.interval(prediction)
    assert (low <= high).all()
    assert (low[prediction.no_order < 0.5] < 0).all()
    assert (low[prediction.no_order > 0.7] == 0).all()


@pytest.mark.parametrize("buyers", [1, 2, 49, 51, 101])
def test_few_buyers_are_enough(buyers):
    prediction, _ = customers(shares(600, 0.2, 0.9, seed=1), seed=2)
    ordered = np.arange(600) < buyers
    fitted = intervals.fit(prediction, Outcome(ordered, np.where(ordered, 12.0, 0.0)))
    assert (
        len(fitted.ratios)
        == len(fitted.edges) + 1
        == max(min(buyers // intervals.MIN_BUYERS_PER_GROUP, intervals.GROUPS), 1)
    )
    low, high = fitted.interval(prediction)
    assert np.isfinite(low).all()
    assert np.isfinite(high).all()
    assert (low <= high).all()


@pytest.mark.parametrize("no_order", [np.full(400, 0.5), np.repeat([0.9, 0.4], [380, 20]), np.repeat([0.1, 0.4], 200)])
def test_groups_without_buyers_are_none(no_order):
    """Where many customers have the same probability, groups fall together, and every one left has buyers."""
    prediction, outcome = customers(no_order, seed=1)
    ordered = outcome.ordered | (np.arange(400) % 2 == 0)
    fitted = intervals.fit(prediction, Outcome(ordered, np.where(ordered, np.exp(prediction.log_value), 0.0)))
    assert len(fitted.ratios) == len(fitted.edges) + 1
    assert np.array(fitted.ratios) == pytest.approx(1.0)
    low, high = fitted.interval(log_prediction(np.array([0.05, 0.5, 0.95]), np.full(3, 8.0)))
    assert np.isfinite([low, high]).all()


def test_intervals_are_plain_numbers():
    fitted = intervals.fit(*customers(shares(500, 0.3, 0.7, seed=1), seed=2))
    assert Intervals(**json.loads(json.dumps(asdict(fitted), allow_nan=False))) == fitted


def test_a_mass_of_an_earlier_bundle_still_means_what_it_did():
    """80 % in the middle where an order is sure; the whole lower tail, up to the 80 % point, where none is likely."""
    earlier = Intervals(edges=[], ratios=[np.linspace(0, 2, 101).tolist()], mass=0.8)
    low, high = earlier.interval(log_prediction(np.array([1e-6, 0.5, 0.85]), np.full(3, 10.0)))
    assert low == pytest.approx([2.0, 0.0, 0.0], rel=1e-4)
    assert high == pytest.approx([18.0, 20 * 0.6, 0.0], rel=1e-4)


def test_an_uncertain_level_widens_the_interval_as_the_product_of_both_laws_says():
    prediction, outcome = customers(shares(40_000, 0.0, 0.05, seed=31), seed=32, losses=LOSSES)
    learned = intervals.fit(prediction, outcome)
    rng = np.random.default_rng(33)
    drawn = rng.choice(outcome.value[outcome.ordered] / np.exp(prediction.log_value[outcome.ordered]), 400_000)
    wide = np.quantile(drawn * np.exp(0.5 * rng.standard_normal(len(drawn))), [0.1, 0.9])
    surely = LogPrediction(np.array([-30.0]), np.array([0.0]))
    ends = [float(end[0]) for end in learned.widened(0.5).interval(surely)]
    np.testing.assert_allclose(ends, wide, rtol=0.05, atol=0.02)
    assert ends[1] > float(learned.interval(surely)[1][0])
