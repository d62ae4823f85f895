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
    earned = profit.expected_profit(kept_worth=clv, clv=clv, **terms)
    assert earned == pytest.approx((clv * kept - cost).mean(), abs=0.06)


def test_profit_of_a_sure_leaver_and_a_sure_stayer_as_published():
    """Verbraken et al. (2013): clv (γ (1 - δ) - φ) for a leaver, - clv (δ + φ) for a stayer, where all stayers redeem;
    with their telecom figures clv 200, d 10 (δ .05), f 1 (φ .005) and γ .3 that is 56 and -11."""
    costs = {"incentive_cost": 10, "contact_cost": 1}
    earned = profit.expected_profit(
        churn_probability=[1.0, 0.0], effect=[0.3, 0.0], kept_worth=200, clv=0, redeem_rate=1, **costs
    )
    assert earned == pytest.approx([56.0, -11.0])


def test_profit_is_what_the_kept_bring_less_what_the_contact_costs():
    p, clv = np.linspace(0, 1, 11), np.geomspace(1, 1000, 11)
    terms = {"churn_probability": p, "effect": p * SAVE_RATE, "redeem_rate": REDEEM_RATE, **COSTS}
    cost = profit.expected_cost(**terms)
    assert profit.expected_profit(kept_worth=clv, clv=clv, **terms) == pytest.approx(p * SAVE_RATE * clv - cost)


def test_at_the_break_even_save_rate_the_total_is_zero():
    p, q, worth = np.array([0.9, 0.5, 0.1]), np.array([0.3, 0.4, 0.1]), np.array([40.0, 80.0, 10.0])
    rest = {"redeem_rate": 0.3, **COSTS}
    rate = profit.break_even_save_rate(churn_probability=p, savable=q, gain=q * worth, **rest)
    rest |= {"churn_probability": p, "kept_worth": worth, "clv": 0}
    total = profit.expected_profit(effect=q * rate, **rest).sum()
    assert total == pytest.approx(0, abs=1e-12)
    above = profit.expected_profit(effect=q * (rate + 0.01), **rest).sum()
    assert above > 0


def test_break_even_where_there_is_none():
    rest = {"redeem_rate": 0.3, **COSTS}
    assert profit.break_even_save_rate(churn_probability=[0.9], savable=[0.4], gain=[2.0], **rest) == float("inf")
    assert profit.break_even_save_rate(churn_probability=[0.9], savable=[0.4], gain=[2.2], **rest) > 1
    assert np.isnan(profit.break_even_save_rate(churn_probability=[], savable=[], gain=[], **rest))


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


def test_value_at_risk_is_what_saving_all_who_can_be_saved_would_add():
    scores = pd.DataFrame({"churn_probability": [0.5, 0.1, 1.0], "clv": [100.0, 300.0, 7.0], "gain": [20.0, 5.0, 0.0]})
    assert profit.value_at_risk(scores).tolist() == [20, 5, 0]
    assert profit.value_at_risk(scores.iloc[:0]).sum() == 0
