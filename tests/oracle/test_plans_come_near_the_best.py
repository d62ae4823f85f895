"""What a plan truly earns, against the most that anybody could earn who knew the truth, with the same money.

The most is the value of a linear programme in which a customer may be contacted in part: no list is worth more.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import identity, kron, vstack

from pipelines.simulator import parameters
from pipelines.simulator.truth import truth
from retention.economics.offers import Offer
from retention.planning.retention_plan import plan
from tests.scored import all_savable

CUSTOMERS = 4000
NEAR = 0.95
OFFERS = [
    Offer(
        name=one.name,
        channel=one.channel,
        contact_cost=one.contact_cost,
        incentive_cost=one.incentive_cost,
        save_rate=one.assumed_save_rate,
        redeem_rate=one.assumed_redeem_rate,
    )
    for one in parameters.OFFERS
]


@pytest.fixture(scope="module")
def true(shop, base, stage):
    first = np.arange(CUSTOMERS)
    return truth(base.customers.take(first), stage[first], day=shop.day)


@pytest.fixture(scope="module")
def alike(true):
    """The truth of a shop in which each offer keeps and is redeemed at one rate, the one the shop believes."""
    told = true.copy()
    for offer in OFFERS:
        told[f"keeps_{offer.name}"] = np.where(true["alive"], offer.save_rate_mean, 0.0)
        told[f"redeems_{offer.name}"] = offer.redeem_rate
        told[f"effect_{offer.name}"] = told[f"keeps_{offer.name}"] * true["churn_probability"]
    return told


def scores(true, *, worth):
    """What `plan` is handed: the truth, of which `worth` stands for the CLV."""
    ids = [f"{number:08d}" for number in range(len(true))]
    told = true[["churn_probability", "expected_orders", "expected_value"]].assign(customer_id=ids, clv=true[worth])
    return all_savable(told.assign(clv_p10=told["clv"], clv_p90=told["clv"]))


def effects(true):
    told = {offer.name: true[f"effect_{offer.name}"] for offer in OFFERS}
    return pd.DataFrame({"customer_id": scores(true, worth="clv")["customer_id"]} | told)


def money(true, offer):
    """What a contact with an offer truly earns in the lifetime, and truly costs, of each customer; expectations."""
    stays = 1 - true["churn_probability"]
    kept, redeemed = true[f"effect_{offer.name}"], stays * true[f"redeems_{offer.name}"]
    cost = offer.contact_cost + offer.incentive_cost * (kept + redeemed)
    return (kept * true["kept_value"] - cost).to_numpy(), cost.to_numpy()


def true_profit(made, true):
    """What a plan truly earns and costs."""
    row = made.frame["customer_id"].astype(int).to_numpy()
    told = {offer.name: money(true, offer) for offer in OFFERS}
    each = [np.array([told[name][of][at] for name, at in zip(made.frame["offer"], row, strict=True)]) for of in (0, 1)]
    return each[0].sum(), each[1].sum()


def best(true, budget):
    """The most profit that so much true cost can bring, one offer a customer at most; contacts in part allowed."""
    profit, cost = (np.concatenate(column) for column in zip(*(money(true, offer) for offer in OFFERS), strict=True))
    once = kron(np.ones((1, len(OFFERS))), identity(len(true)))
    limits = LinearConstraint(vstack([once, cost[None, :]]), ub=np.append(np.ones(len(true)), budget))
    return -milp(-profit, constraints=limits, bounds=Bounds(0, 1)).fun


def made(true, budget, *, worth, known=None):
    how = {"holdout_share": 0.0, "campaign": "test", "salt": "salt"}
    return plan(scores(true, worth=worth), OFFERS, budget=budget, effects=known, **how)


@pytest.mark.parametrize("budget", [50, 200, 1000, 5000])
def test_where_customers_answer_alike_the_plan_earns_what_the_best_does(alike, budget):
    """It is told the true probability of leaving and what keeping a customer is worth."""
    profit, cost = true_profit(made(alike, budget, worth="kept_value"), alike)
    assert cost <= budget * (1 + 1e-9)
    assert profit >= NEAR * best(alike, budget)


@pytest.mark.parametrize("budget", [50, 200, 1000, 5000])
def test_where_they_answer_differently_so_does_a_plan_told_their_effects(true, budget):
    """It believes one redeem rate of all, and may truly cost a little more than planned: so may the best."""
    profit, cost = true_profit(made(true, budget, worth="kept_value", known=effects(true)), true)
    assert cost <= 1.3 * budget
    assert profit >= NEAR * best(true, max(cost, budget))


@pytest.mark.parametrize("budget", [200, 1000])
def test_a_plan_that_believes_one_save_rate_earns_less_there(true, budget):
    """What knowing the effects is worth: without them the plan finds less than three quarters of the best."""
    profit, cost = true_profit(made(true, budget, worth="kept_value"), true)
    assert 0 < profit < 0.75 * best(true, max(cost, budget))


@pytest.mark.parametrize("budget", [200, 1000])
def test_a_plan_told_the_clv_instead_earns_less(alike, budget):
    """Many who are silent for a quarter come back, so what keeping them is worth is not their CLV (truth.py)."""
    profit, _ = true_profit(made(alike, budget, worth="clv"), alike)
    assert profit < NEAR * best(alike, budget)
