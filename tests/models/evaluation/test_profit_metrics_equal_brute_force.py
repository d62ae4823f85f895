"""Profit metrics against every cut tried one by one, an integral over the save rate, and the `empulse` package."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from features.errors import Refusal
from models.evaluation import metrics
from models.evaluation import profit_metrics as pm
from models.prediction import Prediction
from retention.economics.profit import expected_profit

VERBRAKEN = {"clv": 200, "incentive_cost": 10, "contact_cost": 1}
SMALL = {"clv": 150, "incentive_cost": 5, "contact_cost": 0.5}

# empulse 0.13.1 (PyPI), its mpc_score, empc_score and empb_score on the cases below, recorded on 2026-11-22:
# accept_rate 0.3 or Beta(6, 14) with VERBRAKEN, and Beta(2, 18) with SMALL; EMPB with Beta(6, 14), incentive_fraction
# 0.05 and contact_cost 15.
RECORDED = {
    (1, 200, 12): (11.889999999999997, 11.907556708088027, 2.3708226503047256, 4.433773038660385),
    (2, 500, 2): (14.067999999999996, 14.082420996301913, 2.940972054839737, 4.640536283648773),
    (3, 40, 1): (14.374999999999996, 14.451760366192218, 3.03725109351993, 4.6566520724305915),
}


def drawn(seed, count, digits):
    """churned, score, CLV."""
    draw = np.random.default_rng(seed)
    churned = (draw.random(count) < 0.3).astype(float)
    score = np.clip(0.3 * churned + draw.random(count) * 0.7, 0, 1).round(digits)
    return churned, score, draw.lognormal(5, 0.7, count)


@pytest.fixture(params=RECORDED, ids=["no ties", "ties", "few scores"])
def case(request):
    return drawn(*request.param)


def profit_at_every_cut(churned, score, *, clv, save_rate, redeem_rate, incentive_cost, contact_cost):
    """Customer by customer, from nobody contacted to everybody."""
    value = np.broadcast_to(clv, churned.shape)
    incentive = np.broadcast_to(incentive_cost, churned.shape)
    totals = [0.0]
    for cut in sorted(set(score), reverse=True):
        total = 0.0
        for left, said, v, d in zip(churned, score, value, incentive, strict=True):
            if said >= cut:
                total += save_rate * (v - d) if left else -redeem_rate * d
                total -= contact_cost
        totals.append(total)
    return totals


def test_mpc_and_empb_are_the_best_of_all_cuts(case):
    churned, score, clv = case
    for redeem_rate in (0.3, 1.0):
        terms = {"save_rate": 0.2, "redeem_rate": redeem_rate, "contact_cost": 2.0}
        best = max(profit_at_every_cut(churned, score, clv=90.0, incentive_cost=5.0, **terms)) / len(score)
        assert pm.mpc(churned, score, clv=90.0, incentive_cost=5.0, **terms) == pytest.approx(best)
        best = max(profit_at_every_cut(churned, score, clv=clv, incentive_cost=0.02 * clv, **terms)) / len(score)
        earned = pm.contact_profit(churned, clv=clv, incentive_cost=0.02 * clv, **terms)
        assert pm.best_cut_profit(score, earned) == pytest.approx(best)


@pytest.mark.parametrize(("alpha", "beta", "redeem_rate"), [(6, 14, 1.0), (2, 18, 0.3), (0.8, 1.5, 0.5)])
def test_empc_is_the_integral_of_the_best_cut_over_the_save_rate(case, alpha, beta, redeem_rate):
    """The best of all cuts at each of 200,000 quantiles of the Beta; no convex hull, no partial moments."""
    churned, score, _ = case
    save_rates = stats.beta(alpha, beta).ppf((np.arange(200_000) + 0.5) / 200_000)
    best = np.zeros(200_000)
    v, d, c = VERBRAKEN["clv"], VERBRAKEN["incentive_cost"], VERBRAKEN["contact_cost"]
    for cut in np.unique(score):
        left, contacted = churned[score >= cut].sum(), (score >= cut).sum()
        best = np.maximum(best, save_rates * left * (v - d) - redeem_rate * d * (contacted - left) - c * contacted)
    found = pm.empc(churned, score, alpha=alpha, beta=beta, redeem_rate=redeem_rate, **VERBRAKEN)
    assert found == pytest.approx(best.mean() / len(score), rel=1e-5)


@pytest.mark.parametrize("key", RECORDED, ids=["no ties", "ties", "few scores"])
def test_the_published_implementation_agrees_to_six_digits(key):
    churned, score, clv = drawn(*key)
    b2b = {"clv": clv, "incentive_cost": 0.05 * clv, "contact_cost": 15}
    found = (
        pm.mpc(churned, score, save_rate=0.3, redeem_rate=1, **VERBRAKEN),
        pm.empc(churned, score, alpha=6, beta=14, redeem_rate=1, **VERBRAKEN),
        pm.empc(churned, score, alpha=2, beta=18, redeem_rate=1, **SMALL),
        pm.best_cut_profit(score, pm.contact_profit(churned, save_rate=6 / 20, redeem_rate=1, **b2b)),
    )
    assert found == pytest.approx(RECORDED[key], rel=1e-9)


def test_a_contact_earns_what_the_plan_says_it_does(case):
    _, score, clv = case
    """Where all who leave can be saved, and each saved customer is worth their CLV."""
    terms = {"clv": clv, "redeem_rate": 0.3, "incentive_cost": 5.0, "contact_cost": 0.5}
    told = expected_profit(churn_probability=score, kept_worth=clv, effect=0.1 * score, **terms)
    assert pm.contact_profit(score, save_rate=0.1, **terms) == pytest.approx(told)


def campaign(clv, **changed):
    terms = {"contact_cost": 0.5, "incentive_cost": 5.0, "save_rate": (2.0, 18.0), "redeem_rate": 0.3, "clv": clv}
    return pm.CampaignTerms(name="voucher", **terms | changed)


def test_to_count_twice_is_to_stand_there_twice(case):
    """And a stack of weights gives what its rows give."""
    churned, score, clv = case
    count = len(score)
    weights = np.random.default_rng(4).multinomial(count, np.full(count, 1 / count)).astype(float)
    index = np.repeat(np.arange(count), weights.astype(int))
    once = pm.campaign_profit_metrics(churned, score, None, campaign(clv))
    terms = {"clv": float(clv.mean()), "alpha": 2.0, "beta": 18.0, "redeem_rate": 0.3}
    terms |= {"incentive_cost": 5.0, "contact_cost": 0.5}
    repeated = float(pm.empc(churned[index], score[index], **terms))
    assert once["empc"] == pytest.approx(pm.empc(churned, score, **terms))
    assert pm.empc(churned, score, weights, **terms) == pytest.approx(repeated)
    stack = pm.campaign_profit_metrics(churned, score, np.stack([weights, np.ones(count)]), campaign(clv))
    assert stack["empc"] == pytest.approx([repeated, float(once["empc"])])
    for name in ("empb", "best_cut_profit", "own_cut_profit"):
        again = pm.campaign_profit_metrics(churned[index], score[index], None, campaign(clv[index]))[name]
        assert stack[name] == pytest.approx([float(again), float(once[name])])


def test_no_cut_earns_less_than_contacting_nobody_but_the_models_own_may():
    churned, sure, clv = np.zeros(50), np.full(50, 0.9), np.full(50, 200.0)
    found = pm.campaign_profit_metrics(churned, sure, None, campaign(clv))
    assert [found[name] for name in ("mpc", "empc", "empb", "best_cut_profit")] == [0, 0, 0, 0]
    assert found["own_cut_profit"] == pytest.approx(-0.3 * 5 - 0.5)


def test_nobody_is_worth_an_incentive_above_the_clv(case):
    churned, score, _ = case
    dear = {"clv": 8, "incentive_cost": 10, "contact_cost": 0.0}
    assert pm.empc(churned, score, alpha=2, beta=2, redeem_rate=0.0, **dear) == 0


def test_a_certain_save_rate_leaves_nothing_to_expect(case):
    churned, score, clv = case
    certain = pm.campaign_profit_metrics(churned, score, None, campaign(clv, save_rate=0.1))
    assert certain["empc"] == certain["mpc"]
    nearly = pm.campaign_profit_metrics(churned, score, None, campaign(clv, save_rate=(1e6, 9e6)))
    assert nearly["empc"] == pytest.approx(float(certain["mpc"]), rel=1e-4)
    unsure = pm.campaign_profit_metrics(churned, score, None, campaign(clv))
    assert unsure["empc"] >= unsure["mpc"]


def test_the_curve_passes_its_best_cut_and_ends_with_everybody(case):
    churned, score, clv = case
    found = pm.contact_curve(churned, score, campaign(clv))
    terms = {"save_rate": 0.1, "redeem_rate": 0.3, "incentive_cost": 5.0, "contact_cost": 0.5, "clv": clv}
    expected = pm.contact_profit(score, **terms)
    cuts = profit_at_every_cut(churned, expected, **terms)
    assert found["best"]["profit"] == pytest.approx(max(cuts))
    assert max(found["curve"]) <= found["best"]["profit"] + 1e-9
    assert (len(found["curve"]), found["curve"][0]) == (101, 0)
    assert found["curve"][-1] == pytest.approx(cuts[-1])
    per_head = pm.campaign_profit_metrics(churned, score, None, campaign(clv))
    assert found["best"]["profit"] / len(score) == pytest.approx(float(per_head["best_cut_profit"]))
    assert found["own"]["profit"] / len(score) == pytest.approx(float(per_head["own_cut_profit"]))
    assert found["own"]["customers"] == (expected > 0).sum()


def test_money_is_judged_only_where_there_is_an_offer(case):
    churned, score, clv = case
    truth = pd.DataFrame({"churned": churned > 0, "future_value": np.where(churned > 0, 0.0, clv)})
    said = {"ours": Prediction(score, clv), "theirs": Prediction(1 - score, clv)}
    without = metrics.evaluate(truth, said, resamples=10, seed=1, confidence=0.9)
    assert "profit" not in without
    assert "empc" not in without["models"]["ours"]
    judged = metrics.evaluate(truth, said, resamples=10, seed=1, confidence=0.9, campaign=campaign(clv))
    assert judged["differences"]["theirs"]["empc"]["value"] > 0
    assert judged["profit"]["offer"]["save_rate"] == pytest.approx(0.1)
    assert set(judged["profit"]["models"]) == {"ours", "theirs"}
    json.dumps(judged, allow_nan=False)


def test_a_campaign_for_other_customers_is_refused(case):
    churned, score, clv = case
    truth = pd.DataFrame({"churned": churned > 0, "future_value": clv})
    with pytest.raises(Refusal, match="campaign: clv has 7 values, 7 of them usable"):
        metrics.evaluate(
            truth,
            {"ours": Prediction(score, clv)},
            resamples=2,
            seed=1,
            confidence=0.9,
            campaign=campaign(clv[:7]),
        )
