"""An effect is the plain least-squares one, and its interval is the law of the lots: brute force, draw by draw."""

import numpy as np
import pytest
from scipy import stats

from retention.measurement.arm_variance import arm_moments
from retention.measurement.holm import holm_adjusted
from retention.measurement.treatment_effect import treatment_effects

NONE = np.empty((4, 0))


def drawn(rng, customers, held_out):
    treated = np.ones(customers, dtype=bool)
    treated[rng.permutation(customers)[:held_out]] = False
    return treated


@pytest.fixture
def spending():
    """800 customers, 120 held out, and outcomes as margins are: mostly nothing, rarely much."""
    rng = np.random.default_rng(3)
    scores = np.column_stack([rng.beta(4, 3, 800), rng.lognormal(2, 0.7, 800)])
    bought = rng.random(800) > scores[:, 0]
    margin = bought * scores[:, 1] * rng.gamma(1.5, 1 / 1.5, 800)
    return np.column_stack([bought, margin]), drawn(rng, 800, 120), scores


def test_six_customers_by_hand():
    """Treated 5, 7, 9, held out 1, 2, 3: 7 - 2 = 5; squares 8 + 2 over 4 degrees, so sd² = 2.5 (1/3 + 1/3)."""
    outcome = np.array([[5.0], [7], [9], [1], [2], [3]])
    found = treatment_effects(outcome, np.array([True] * 3 + [False] * 3), np.empty((6, 0)))[0]
    assert found.value == pytest.approx(5)
    assert found.sd == pytest.approx(np.sqrt(2.5 * 2 / 3))
    assert found.skewness == pytest.approx(0)  # arms of one size: it cancels
    low, high = found.interval()
    assert (low, high) == pytest.approx((5 - 2.776445 * found.sd, 5 + 2.776445 * found.sd))  # Student's t of 4


def test_it_is_the_coefficient_of_least_squares(spending):
    """And, where every outcome is other than 0, has its standard deviation: nothing is weighted then."""
    outcomes, treated, scores = spending
    outcomes = np.column_stack([outcomes, outcomes[:, 1] + 1])
    design = np.column_stack([np.ones(800), treated, scores])
    coefficients, squares, *_ = np.linalg.lstsq(design, outcomes)
    found = treatment_effects(outcomes, treated, scores)
    assert [one.value for one in found] == pytest.approx(coefficients[1], rel=1e-9)
    variance = squares[2] / (800 - 4) * np.linalg.inv(design.T @ design)[1, 1]
    assert found[2].sd == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_an_arm_with_fewer_buyers_strays_as_if_the_others_were_as_few():
    """Of 4 treated 2 bought, of 4 held out 1; shrunk to 3 of 8: in the holdout (1 + 30 · 3/8) / 34 are buyers. The
    treated are weighted to that share; of numbers that are 0 and 1 the variance is then share times its rest."""
    bought = np.array([[1.0], [1], [0], [0], [1], [0], [0], [0]])
    treated = np.arange(8) < 4
    share = (1 + 30 * 3 / 8) / 34
    variance, third = arm_moments(bought, bought != 0, treated, arm=~treated)
    assert variance == pytest.approx(share * (1 - share))
    assert third == pytest.approx(share * (1 - share) * (1 - 2 * share))


def test_units_of_scores_and_scores_said_twice_change_nothing(spending):
    outcomes, treated, scores = spending
    again = np.column_stack([1e6 * scores, scores.sum(axis=1), np.full(800, 7.0)])
    for one, other in zip(
        treatment_effects(outcomes, treated, scores), treatment_effects(outcomes, treated, again), strict=True
    ):
        assert other == pytest.approx(one, rel=1e-6)


def test_the_interval_is_that_of_all_the_ways_the_lots_could_have_fallen(spending):
    """20,000 other draws of who is held out, over what the effect left unexplained: a permutation test, inverted."""
    outcomes, treated, _ = spending
    margin = outcomes[:, 1]
    found = treatment_effects(margin[:, None], treated, np.empty((800, 0)))[0]
    rest = np.where(treated, margin - margin[treated].mean(), margin - margin[~treated].mean())
    rng = np.random.default_rng(5)
    held_out = np.array([rest[rng.choice(800, 120, replace=False)].sum() for _ in range(20_000)])
    by_lot = (rest.sum() - held_out) / 680 - held_out / 120
    low, high = np.quantile(by_lot, [0.025, 0.975])
    assert stats.skew(by_lot) == pytest.approx(found.skewness, abs=0.07)
    assert found.interval() == pytest.approx((found.value - high, found.value - low), abs=0.03 * (high - low))
    beyond = 2 * np.mean(by_lot >= high * 1.1)
    assert found._replace(value=high * 1.1).p_value() == pytest.approx(beyond, abs=0.01)


def test_interval_and_p_value_agree(spending):
    for found in treatment_effects(*spending):
        for bound in found.interval():
            assert found.p_value(bound) == pytest.approx(0.05)
        assert found.p_value(found.value - 9 * found.sd) < 1e-4


def test_what_is_alike_in_all_customers_has_no_effect_and_no_doubt():
    treated = np.arange(50) >= 10
    found = treatment_effects(np.column_stack([np.zeros(50), np.full(50, 3.0)]), treated, np.empty((50, 0)))
    for one in found:
        assert one.interval() == pytest.approx((0, 0), abs=1e-12)
        assert one.sd == 0
        assert one._replace(value=0.0).p_value() == 1


def test_a_few_customers_are_not_adjusted(spending):
    outcomes, treated, scores = (column[:40] for column in spending)
    plain = outcomes[treated].mean(axis=0) - outcomes[~treated].mean(axis=0)
    assert [one.value for one in treatment_effects(outcomes, treated, scores)] == pytest.approx(plain)


def test_holm_rejects_what_the_stepwise_rule_rejects():
    """The rule as its paper words it: the k-th smallest of m against level / (m - k + 1), stop at the first above."""
    rng = np.random.default_rng(1)
    for _ in range(300):
        p_values = (rng.random(rng.integers(1, 7)) ** 3).tolist()
        rejected = set()
        for step, place in enumerate(np.argsort(p_values)):
            if p_values[place] > 0.05 / (len(p_values) - step):
                break
            rejected.add(place)
        assert {place for place, p in enumerate(holm_adjusted(p_values)) if p <= 0.05} == rejected
