"""No other plan earns noticeably more: against an exact solver, and along the whole profit curve."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from retention.economics.offers import Offer
from retention.economics.profit_curve import profit_curve
from retention.planning.retention_plan import plan
from retention.planning.selection import select_customers
from tests.scored import all_savable

OFFER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, save_rate={"alpha": 4, "beta": 16}, redeem_rate=0.3)
CAMPAIGN = {"campaign": "spring", "salt": "pepper"}


def base(count):
    draw = np.random.default_rng(2)
    value = draw.lognormal(2.5, 1, count)
    scores = pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(count)],
            "churn_probability": draw.beta(4, 2, count),
            "expected_value": value,
            "clv": value * 3,
            "clv_p10": value * 0.75,
            "clv_p90": value * 6,
        }
    )
    return all_savable(scores)


def chosen(profit, cost, *, budget, capacity):
    """Whom one offer is given to without a holdout, and what one more unit of budget would earn."""
    every = np.arange(len(cost))
    found = select_customers(profit[None], cost[None], every, budget=budget, capacity=capacity, holdout_share=0.0)
    return found.rows, found.price


def highest(profit, cost, budget, capacity):
    """The exact optimum, by HiGHS."""
    limits = LinearConstraint(np.vstack([cost, np.ones_like(cost)]), ub=[budget, capacity])
    solved = milp(-profit, constraints=limits, integrality=np.ones_like(cost), bounds=Bounds(0, 1))
    return -solved.fun


@pytest.mark.slow
@settings(max_examples=200)
@given(
    customers=st.lists(
        st.tuples(st.integers(1, 4) | st.floats(0.01, 50), st.integers(0, 3) | st.floats(0.1, 9)),
        min_size=1,
        max_size=14,
    ),
    part=st.floats(0.02, 1),
    capacity=st.integers(1, 14),
)
def test_less_than_one_customers_profit_short_of_the_optimum(customers, part, capacity):
    """Small lists, where one customer weighs most, with many equals, free contacts and both limits at once."""
    profit, cost = np.array(customers, dtype=float).T
    budget = max(part * cost.sum(), 0.1)
    rows, _ = chosen(profit, cost, budget=budget, capacity=capacity)
    assert highest(profit, cost, budget, capacity) - profit[rows].sum() < profit.max() * (1 + 1e-6)


@pytest.mark.parametrize("capacity", [400, 100])
def test_a_few_thousandths_short_of_the_optimum_for_a_thousand_customers(capacity):
    draw = np.random.default_rng(4)
    profit, cost = draw.lognormal(1, 1, 1_000), draw.uniform(0.5, 5.5, 1_000)
    rows, price = chosen(profit, cost, budget=200, capacity=capacity)
    assert profit[rows].sum() > 0.997 * highest(profit, cost, 200, capacity)
    more, less = highest(profit, cost, 205, capacity), highest(profit, cost, 195, capacity)
    assert price == pytest.approx((more - less) / 10, rel=0.1), "λ is what one more unit of budget earns"


def test_two_kinds_of_equals_are_mixed_where_both_limits_bind():
    """100 contacts for 750: dear ones (cost 10, profit 10) and cheap ones (5, 6), half and half, earn 800."""
    profit, cost = np.repeat([10.0, 6.0], 200), np.repeat([10.0, 5.0], 200)
    rows, _ = chosen(profit, cost, budget=750, capacity=100)
    assert (profit[rows].sum(), cost[rows].sum(), len(rows)) == (800, 750, 100)


def test_a_holdout_costs_its_share_and_no_more():
    """With a tenth held out, the same money reaches a tenth deeper into the list: no more is lost than that."""
    scores = base(4_000)
    limits = {"budget": 300, **CAMPAIGN}
    whole = plan(scores, [OFFER], holdout_share=0, **limits).summary
    part = plan(scores, [OFFER], holdout_share=0.1, **limits).summary
    assert 0.9 < part["expected_profit"] / whole["expected_profit"] < 1


@pytest.mark.slow
def test_the_curve_is_what_plans_along_it_earn():
    scores = base(2_000)
    curve = profit_curve(scores, [OFFER], points=6)
    assert curve.columns.tolist() == ["budget", "expected_profit", "profit_p10", "profit_p90", "customers"]
    assert len(curve) == 6
    for point in curve.iloc[1:].itertuples():
        made = plan(scores, [OFFER], budget=point.budget, holdout_share=0, **CAMPAIGN).summary
        assert made["treated"] == pytest.approx(point.customers, abs=2)
        for name in ("expected_profit", "profit_p10", "profit_p90"):
            assert made[name] == pytest.approx(getattr(point, name), rel=2e-3)


def test_the_curve_begins_at_nothing_and_rises_ever_more_slowly():
    curve = profit_curve(base(2_000), [OFFER], points=40)
    assert curve.iloc[0].tolist() == [0, 0, 0, 0, 0]
    steps = np.diff(curve["expected_profit"])
    assert (steps > 0).all()
    assert (np.diff(steps) < 0.01 * steps[0]).all()


def test_a_base_where_nobody_pays_has_a_curve_of_one_point():
    poor = base(10).assign(gain=0.0)
    assert profit_curve(poor, [OFFER], points=5).to_dict("list") == {
        "budget": [0.0],
        "expected_profit": [0.0],
        "profit_p10": [0.0],
        "profit_p90": [0.0],
        "customers": [0],
    }
