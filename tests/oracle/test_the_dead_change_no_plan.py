"""Customers who have been silent for two years, however many, change neither list nor promise of a plan.

A simulated shop of three years, and ten thousand more customers who ordered now and then in its first months and never
again, in the same log: the model of both is asked for the plan with them and without them. A model trained without them
is another one, whose lists and promises differ by more (docs/explanation/formulas-of-plans.md).
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from features.ingest.build_histories import ingest
from features.ingest.log import Log
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.scoring import scorer
from models.trees import boosting
from pipelines.simulator.scenario import Scenario, customer_chunks
from pipelines.simulator.shop_tables import order_lines
from pipelines.training.training_set import fit_model, training_set
from retention.economics.offers import Offer
from retention.planning.retention_plan import plan

DAY = date(2025, 1, 1)
DAYS, DEAD = 1_095, 10_000
OFFER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, save_rate=0.2, redeem_rate=0.3)
TERMS = Terms(90, "EUR", 0.4, 0.1, 1_095)


def dead_orders(count, seed=4):
    """One to four orders of each, all more than two years before the day."""
    draw = np.random.default_rng(seed)
    orders = draw.integers(1, 5, count)
    customer = np.repeat(np.arange(count), orders)
    days_ago = draw.integers(735, DAYS, len(customer))
    return pd.DataFrame(
        {
            "order_id": np.char.add("dead-order-", np.arange(len(customer)).astype(str)),
            "customer_id": np.char.add("dead-", customer.astype(str)),
            "ordered_at": pd.Timestamp(DAY) - pd.to_timedelta(days_ago, unit="D"),
            "amount": draw.lognormal(4, 0.6, len(customer)).round(2),
        }
    )


def living_orders():
    shop = Scenario(customers=3_000, days=DAYS, seed=5, as_of=DAY)
    (chunk,) = customer_chunks(shop, size=3_000)
    orders, _ = order_lines(chunk.customers, chunk.lifetimes, seed=5, until=shop.day)
    frame = orders.to_pandas()
    return frame.assign(
        ordered_at=pd.to_datetime(frame["ordered_at"]).dt.tz_localize(None), amount=frame["amount"].astype(float)
    )


def scores_of(orders):
    histories = ingest(Log(orders, timezone="UTC", currency="EUR", gross_margin=0.4), now_us=None).histories
    training = training_set(histories, TERMS, as_of=DAY)
    params = boosting.DEFAULTS
    model = fit_model(training, TERMS, Recipe(churn=params, value=params, kind="gamma", seed=7))
    return scorer.predict(model, training.current_rows)


def planned(scores, budget):
    return plan(scores, [OFFER], budget=budget, holdout_share=0, campaign="x", salt="y")


@pytest.mark.slow
def test_ten_thousand_silent_for_two_years_change_neither_list_nor_promise():
    columns = ["order_id", "customer_id", "ordered_at", "amount"]
    scores = scores_of(pd.concat([living_orders()[columns], dead_orders(DEAD)], ignore_index=True))
    is_dead = scores["customer_id"].astype(str).str.startswith("dead-")
    assert is_dead.sum() == DEAD
    for budget in (30, 125, 750):
        both, alone = planned(scores, budget), planned(scores[~is_dead], budget)
        lists = [set(made.frame["customer_id"]) for made in (both, alone)]
        assert len(lists[0] ^ lists[1]) <= 0.01 * len(lists[1])
        for figure in ("expected_profit", "break_even_save_rate"):
            assert both.summary[figure] == pytest.approx(alone.summary[figure], rel=0.01)
