"""Campaigns run again and again on the same day with other futures: the readout's intervals hold the true effect."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipelines.simulator import campaign_truth, parameters
from pipelines.simulator.contact_response import NO_OFFER, respond_to_contacts
from pipelines.simulator.truth import truth
from retention.measurement.campaign_readout import readout

CUSTOMERS, HOLDOUT, CAMPAIGNS = 1500, 0.2, 300
SCORES = ("churn_probability", "expected_orders", "expected_value", "clv")


@pytest.fixture(scope="module")
def campaigns(shop, base, stage, futures):
    """Of each campaign what the readout says of the effect, and what is true of it, per treated customer."""
    everyone = truth(base.customers, stage, day=shop.day)
    chosen = everyone["effect_voucher"].nlargest(CUSTOMERS).index.to_numpy()
    customers, stages, true = base.customers.take(chosen), stage[chosen], everyone.loc[chosen].reset_index(drop=True)
    gained = pd.DataFrame({"stayed": true["effect_voucher"]})
    for name, of in (("orders", "expected_orders"), ("margin", "expected_value")):
        gained[name] = true["effect_voucher"] * true[of] / (1 - true["churn_probability"])
    return [one_campaign(shop, customers, stages, futures, true, gained, number) for number in range(1, CAMPAIGNS + 1)]


def one_campaign(shop, customers, stages, futures, true, gained, number):
    treated = np.ones(len(customers), bool)
    treated[np.random.default_rng([31, number]).permutation(len(customers))[: round(HOLDOUT * len(customers))]] = False
    lived = futures(customers, stages, branch=number)
    how = {"seed": shop.seed, "day": shop.day}
    done = respond_to_contacts(customers, lived, np.where(treated, 0, NO_OFFER), days=parameters.HORIZON_DAYS, **how)
    orders, margin = campaign_truth.horizon_totals(customers, done, **how)
    rows = pd.DataFrame({"treated": treated, "offer": "voucher", "stayed": (orders > 0) * 1.0, "orders": orders})
    rows = rows.assign(margin=margin, cost=done.cost).join(true[list(SCORES)])
    return readout(rows, scores=SCORES, expected_effect=None), gained[treated].mean()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["stayed", "orders", "margin"])
def test_95_of_100_intervals_hold_the_true_effect(campaigns, name):
    """As many of the campaigns as a coin of 95 % would give, and the measured effects are right on average."""
    held = sum(told[name]["low"] <= true[name] <= told[name]["high"] for told, true in campaigns)
    assert stats.binomtest(held, CAMPAIGNS, 0.95).pvalue > 1e-3, f"{held} of {CAMPAIGNS}"
    off = np.array([told[name]["value"] - true[name] for told, true in campaigns])
    assert abs(off.mean()) <= 4 * off.std() / np.sqrt(CAMPAIGNS)


@pytest.mark.slow
def test_what_the_contacts_cost_is_what_was_redeemed(campaigns):
    offer = parameters.OFFERS[0]
    for told, _ in campaigns[:20]:
        redeemed = (told["cost"] - told["treated"] * offer.contact_cost) / offer.incentive_cost
        assert redeemed == pytest.approx(round(redeemed))
        assert 0 < redeemed < told["treated"]
