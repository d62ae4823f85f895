"""Simulated campaigns with a known effect: the intervals hold it, and where there is none, none is found."""

import numpy as np
import pytest
from scipy import stats

from retention.measurement.campaign_readout import readout
from retention.measurement.power import (
    POWER,
    SIGNIFICANCE_LEVEL,
    arms_sd,
    detectable_effect,
    detectable_save_rate,
    more_customers,
)
from tests.retention.simulated import SCORES, campaign, lots, shop

CAMPAIGNS = 1000


def read(rng, customers, *, save_rate, holdout_share=0.1, cost=0.0, expected_effect=None):
    """A readout, and the true effect per treated customer."""
    base = shop(rng, customers)
    treated = lots(rng, customers, holdout_share)
    done = campaign(rng, base, treated, save_rate=save_rate, cost=cost)
    return readout(done, scores=SCORES, expected_effect=expected_effect), base.expected_effect(save_rate, treated)


def coverage(told_and_true):
    """Of 100 intervals, how many hold the truth, and how many lie above and below it, by outcome."""
    found = {}
    for name in ("stayed", "orders", "margin"):
        bounds = np.array([(told[name]["low"], told[name]["high"], true[name]) for told, true in told_and_true])
        above, below = bounds[:, 0] > bounds[:, 2], bounds[:, 1] < bounds[:, 2]
        found[name] = 100 * np.array([1 - (above | below).mean(), above.mean(), below.mean()])
    return found


@pytest.mark.slow
def test_intervals_of_1000_campaigns_hold_the_true_effect_in_95_of_100():
    """A tenth held out, 2,000 customers, an offer that keeps a fifth: 93 to 97 %, and the misses on both sides."""
    read_out = [read(np.random.default_rng([24, one]), 2000, save_rate=0.2) for one in range(CAMPAIGNS)]
    for name, (held, above, below) in coverage(read_out).items():
        assert 93 <= held <= 97, name
        assert max(above, below) <= 4, name


@pytest.mark.slow
def test_of_1000_campaigns_without_effect_at_most_50_are_told_one():
    """Nor do more than 4 of 100 intervals lie wholly above 0, or wholly below it."""
    read_out = [read(np.random.default_rng([25, one]), 1000, save_rate=0.0) for one in range(CAMPAIGNS)]
    assert sum(any(told["proven"].values()) for told, _ in read_out) <= 0.05 * CAMPAIGNS
    for name, (held, above, below) in coverage(read_out).items():
        assert 93 <= held <= 97, name
        assert max(above, below) <= 4, name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("customers", "holdout_share", "save_rate"),
    [(300, 0.1, 0.0), (800, 0.1, 0.2), (2000, 0.3, 0.1), (2000, 0.5, 0.2), (5000, 0.1, 0.3)],
)
def test_so_do_those_of_other_sizes(customers, holdout_share, save_rate):
    how = {"save_rate": save_rate, "holdout_share": holdout_share}
    read_out = [read(np.random.default_rng([26, customers, one]), customers, **how) for one in range(CAMPAIGNS)]
    for name, (held, above, below) in coverage(read_out).items():
        assert 93 <= held <= 97.5, name
        assert max(above, below) <= 4.5, name


def test_a_cost_without_effect_is_a_loss_and_not_an_effect():
    told = [read(np.random.default_rng([27, one]), 2000, save_rate=0.0, cost=30.0)[0] for one in range(50)]
    assert sum(one["proven"]["profit"] and one["profit"]["high"] < 0 for one in told) >= 45
    assert sum(one["proven"]["stayed"] for one in told) <= 3


@pytest.mark.slow
def test_as_many_customers_more_as_it_says_are_what_it_takes():
    """A campaign too small for its expected effect names a number; with so many more, 8 of 10 campaigns prove it."""
    save_rate, customers = 0.12, 1000
    rng = np.random.default_rng(28)
    expected = save_rate * 4 / 7  # the mean of shop's churn probabilities
    told = [read(rng, customers, save_rate=save_rate, expected_effect=expected)[0] for _ in range(40)]
    named = [one["needs"]["more_customers"]["stayed"] for one in told if not one["proven"]["stayed"]]
    assert len(named) > 20
    enough = customers + int(np.median(named))
    p_values = [read(rng, enough, save_rate=save_rate)[0]["stayed"]["p_value"] for _ in range(400)]
    assert np.mean(np.array(p_values) <= SIGNIFICANCE_LEVEL) == pytest.approx(POWER, abs=0.06)  # sd .02


@pytest.mark.slow
def test_what_a_plan_can_detect_is_detected_8_times_of_10():
    rng = np.random.default_rng(29)
    smallest = detectable_save_rate(leaving := shop(rng, 100_000).leaving, leaving, treated=1800, holdout=200)
    p_values = [read(rng, 2000, save_rate=smallest)[0]["stayed"]["p_value"] for _ in range(400)]
    assert np.mean(np.array(p_values) <= SIGNIFICANCE_LEVEL) == pytest.approx(POWER, abs=0.06)


def test_the_effect_it_says_it_can_detect_is_detected_8_times_of_10():
    """Ten thousand campaigns drawn arm by arm: the difference of two normal means against its critical value."""
    spread = np.sqrt((15**2 + 25**2) / 2)
    smallest = detectable_effect(arms_sd(spread, treated=900, holdout=100))
    rng = np.random.default_rng(30)
    found = rng.normal(smallest, spread / 30, 10_000) - rng.normal(0, spread / 10, 10_000)
    critical = stats.norm.isf(SIGNIFICANCE_LEVEL / 2) * spread * np.hypot(1 / 30, 1 / 10)
    assert np.mean(np.abs(found) > critical) == pytest.approx(POWER, abs=0.015)
    assert detectable_effect(arms_sd(15.0, treated=900, holdout=0)) == np.inf


def test_enough_customers_need_no_more():
    assert more_customers(0.2, sd=0.01, customers=500) == 0
    with pytest.raises(ValueError, match="effect of 0"):
        more_customers(0, sd=0.01, customers=500)
