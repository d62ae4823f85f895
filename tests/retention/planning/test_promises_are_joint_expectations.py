"""A plan promises from gains that belong to their customers: given to others of the same risk, they promise no more."""

import numpy as np
import pandas as pd
import pytest

from retention.economics.offers import Offer
from retention.planning.retention_plan import plan

OFFERS = [
    Offer(name="voucher", contact_cost=0.5, incentive_cost=5, save_rate=0.2, redeem_rate=0.3),
    Offer(name="call", contact_cost=4, incentive_cost=0, save_rate=0.25, redeem_rate=0),
]
BANDS = 50


def base(seed, count=2_000):
    """Customers of whom the worthiest are least at risk; who is about to leave can seldom be saved."""
    draw = np.random.default_rng(seed)
    p = draw.beta(1, 1, count)
    savable = p * (1 - p) * draw.beta(4, 2, count)
    gain = savable * draw.lognormal(4, 0.8, count) * (1.2 - p)
    clv = gain + draw.lognormal(5, 0.7, count) * (1 - p)
    scores = pd.DataFrame({"customer_id": [f"c{i:05d}" for i in range(count)], "churn_probability": p, "clv": clv})
    return scores.assign(savable_probability=savable, gain=gain, expected_value=clv / 3)


def promise(scores, budget):
    summary = plan(scores, OFFERS, budget=budget, holdout_share=0, campaign="x", salt="y").summary
    return summary["expected_profit"]


@pytest.mark.parametrize("budget", [50, 400, 3_000])
def test_gains_shuffled_within_bands_of_risk_never_raise_the_promise(budget):
    """Bands of two percent of the customers: their risks differ by .02, which moves a contact by 3 cents at most."""
    scores, draw = base(1), np.random.default_rng(2)
    band = pd.qcut(scores["churn_probability"], BANDS, labels=False).to_numpy()
    true = promise(scores, budget)
    for _ in range(3):
        order = np.arange(len(scores))
        for number in range(BANDS):
            rows = np.flatnonzero(band == number)
            order[rows] = draw.permutation(rows)
        pairs = scores.loc[order, ["savable_probability", "gain"]].to_numpy()
        shuffled = scores.assign(
            savable_probability=np.minimum(pairs[:, 0], scores["churn_probability"]), gain=pairs[:, 1]
        )
        assert promise(shuffled, budget) <= true * 1.005


def test_the_product_of_risk_and_value_promises_many_times_the_joint_expectation():
    scores = base(1)
    p = scores["churn_probability"]
    assert promise(scores.assign(savable_probability=p, gain=p * scores["clv"]), 400) > 2 * promise(scores, 400)
