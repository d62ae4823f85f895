"""Each money formula against figures worked by hand, and against a simulation that knows no formula."""

import numpy as np
import pandas as pd
import pytest

from retention.economics import profit

SAVE_RATE, REDEEM_RATE = 0.2, 0.3
COSTS = {"incentive_cost": 5.0, "contact_cost": 0.5}


def test_profit_and_cost_of_a_simulated_campaign():
    """A million customers alike decide one by one: leave or stay, be kept or lost, redeem or not."""
    draw, n, p, clv = np.random.default_rng(11), 1_000_000, 0.4, 60.0
    leaves = draw.random(n) < p
    kept = leaves & (draw.random(n) < SAVE_RATE)
    redeems = kept | (~leaves & (draw.random(n) < REDEEM_RATE))
    cost = COSTS["contact_cost"] + COSTS["incentive_cost"] * redeems
    terms = {"churn_probability": p, "effect": p * SAVE_RATE, "redeem_rate": REDEEM_RATE, **COSTS}
    assert profit.expected_cost(**terms) == pytest.approx(cost.mean(), abs=0.01)
    earned = profit.expected_profit(clv=clv, **terms)
    assert earned == pytest.approx((clv * kept - cost).mean(), abs=0.06)


def test_profit_of_a_sure_leaver_and_a_sure_stayer_as_published():
    """Verbraken et al. (2013): clv (γ (1 - δ) - φ) for a leaver, - clv (δ + φ) for a stayer, where all stayers redeem;
    with their telecom figures clv 200, d 10 (δ .05), f 1 (φ .005) and γ .3 that is 56 and -11."""
    earned = profit.expected_profit(
        churn_probability=[1.0, 0.0], effect=[0.3, 0.0], clv=200, redeem_rate=1, incentive_cost=10, contact_cost=1
    )
    assert earned == pytest.approx([56.0, -11.0])


def test_profit_is_what_the_kept_bring_less_what_the_contact_costs():
    p, clv = np.linspace(0, 1, 11), np.geomspace(1, 1000, 11)
    terms = {"churn_probability": p, "effect": p * SAVE_RATE, "redeem_rate": REDEEM_RATE, **COSTS}
    cost = profit.expected_cost(**terms)
    assert profit.expected_profit(clv=clv, **terms) == pytest.approx(p * SAVE_RATE * clv - cost)


def test_at_the_break_even_save_rate_the_total_is_zero():
    p, clv = np.array([0.9, 0.5, 0.1]), np.array([40.0, 80.0, 10.0])
    rest = {"redeem_rate": 0.3, **COSTS}
    rate = profit.break_even_save_rate(churn_probability=p, clv=clv, **rest)
    total = profit.expected_profit(churn_probability=p, clv=clv, effect=p * rate, **rest).sum()
    assert total == pytest.approx(0, abs=1e-12)
    above = profit.expected_profit(churn_probability=p, clv=clv, effect=p * (rate + 0.01), **rest).sum()
    assert above > 0


def test_break_even_where_there_is_none():
    rest = {"redeem_rate": 0.3, **COSTS}
    assert profit.break_even_save_rate(churn_probability=[0.9], clv=[5.0], **rest) == float("inf")
    assert profit.break_even_save_rate(churn_probability=[0.9], clv=[5.5], **rest) > 1
    assert np.isnan(profit.break_even_save_rate(churn_probability=[], clv=[], **rest))


def test_spread_of_a_normal_value_is_its_standard_deviation():
    normal = np.random.default_rng(3).normal(50, 20, 400_000)
    low, high = np.quantile(normal, [0.1, 0.9])
    assert profit.spread(mean=50.0, p10=low, p90=high) == pytest.approx(normal.std(), rel=0.01)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_spread_of_what_hardly_anybody_brings_is_no_less_than_three_means(share):
    """Of all values that are nothing in nine cases of ten or more, with points of 0, none spreads less."""
    brought = np.where(np.arange(1000) < 1000 * share, 8.0, 0.0)
    spread = profit.spread(mean=brought.mean(), p10=0.0, p90=0.0)
    assert spread == pytest.approx(3 * brought.mean())
    assert spread <= brought.std() * (1 + 1e-12)
    assert (spread == pytest.approx(brought.std())) == (share == 0.1)


def test_spread_of_one_customers_profit_as_simulated():
    draw, n, p, clv, sd = np.random.default_rng(5), 1_000_000, 0.6, 80.0, 30.0
    rate, value = draw.beta(4, 16, n), draw.normal(clv, sd, n)
    earned = p * rate * (value - 5) - (1 - p) * 0.3 * 5 - 0.5
    expected = profit.profit_sd(
        effect=p * 0.2,
        effect_doubt=rate.std() / 0.2,
        clv=clv,
        clv_sd=sd,
        incentive_cost=5,
    )
    assert expected == pytest.approx(earned.std(), rel=0.01)


def test_spread_of_a_total_shares_the_save_rate_and_not_the_values():
    draw, n = np.random.default_rng(6), 100_000
    p, clv, sd = draw.uniform(0.2, 0.9, 40), draw.uniform(10, 90, 40), draw.uniform(5, 60, 40)
    rate = draw.beta(4, 16, (n, 1))
    earned = (p * rate * (draw.normal(clv, sd, (n, 40)) - 5)).sum(axis=1)
    terms = {"effect": p * 0.2, "effect_doubt": rate.std() / 0.2, "clv": clv, "clv_sd": sd, "incentive_cost": 5}
    assert profit.total_profit_sd(**terms) == pytest.approx(earned.std(), rel=0.01)
    alone = profit.profit_sd(**terms)
    assert np.sqrt((alone**2).sum()) < earned.std() < alone.sum()


def test_a_sure_save_rate_and_sure_values_leave_no_spread():
    sure = {"effect": np.array([0.1]), "clv": np.array([50.0]), "clv_sd": np.array([0.0])}
    assert profit.total_profit_sd(**sure, effect_doubt=0, incentive_cost=5) == 0


def test_value_at_risk_by_hand():
    scores = pd.DataFrame({"churn_probability": [0.5, 0.1, 1.0], "clv": [100.0, 300.0, 7.0]})
    assert profit.value_at_risk(scores).tolist() == pytest.approx([50, 30, 7])
    assert profit.value_at_risk(scores.iloc[:0]).sum() == 0
