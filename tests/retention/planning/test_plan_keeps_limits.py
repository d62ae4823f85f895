"""Whatever the scores: the plan keeps its budget, its capacity and its holdout, and is the same tomorrow."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from retention.economics.offers import Offer
from retention.economics.profit_curve import profit_curve
from retention.planning.retention_plan import plan
from tests.retention.bases import base, held_out, one_customer, scores_of

OFFER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, save_rate={"alpha": 4, "beta": 16}, redeem_rate=0.3)
CAMPAIGN = {"campaign": "spring", "salt": "pepper"}
COLUMNS = ["customer_id", "offer", "treated", "expected_cost", "expected_profit"]
COLUMNS += ["profit_p10", "profit_p90", "rank", "gain"]
customers = st.lists(one_customer, max_size=60)


@settings(max_examples=60)
@given(
    customers=customers,
    budget=st.floats(0.01, 200),
    capacity=st.none() | st.integers(1, 60),
    share=st.sampled_from([0.0, 0.1, 0.5]) | st.floats(0, 0.5),
)
def test_no_plan_breaks_a_limit(customers, budget, capacity, share):
    made = plan(scores_of(customers), [OFFER], budget=budget, capacity=capacity, holdout_share=share, **CAMPAIGN)
    frame, summary = made.frame, made.summary
    treated, held = frame[frame["treated"]], frame[~frame["treated"]]
    assert frame.columns.tolist() == COLUMNS
    assert treated["expected_cost"].sum() <= budget + 1e-9
    assert len(treated) <= (capacity or len(customers))
    assert len(held) == round(len(frame) * share)
    assert (treated["expected_profit"] > 0).all()
    assert not held[["expected_cost", "expected_profit", "profit_p10", "profit_p90"]].to_numpy().any()
    assert frame["rank"].tolist() == list(range(1, len(frame) + 1))
    assert frame["customer_id"].is_unique
    assert frame["treated"].to_numpy().tolist() == (~held_out(frame["customer_id"], share=share, **CAMPAIGN)).tolist()
    assert (summary["chosen"], summary["treated"], summary["holdout"]) == (len(frame), len(treated), len(held))
    assert (summary["note"] == "") == (len(frame) > 0)
    json.dumps(summary, allow_nan=False)


@settings(max_examples=25)
@given(customers=customers, budget=st.floats(1, 200), seed=st.integers(0, 99))
def test_row_order_does_not_matter_and_ties_go_by_id(customers, budget, seed):
    scores = scores_of(customers)
    limits = {"budget": budget, "capacity": 9, "holdout_share": 0.1} | CAMPAIGN
    one = plan(scores, [OFFER], **limits)
    two = plan(scores.sample(frac=1, random_state=seed), [OFFER], **limits)
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.summary == two.summary


def test_equals_are_contacted_in_the_order_of_their_ids():
    frame = plan(scores_of([(0.8, 200.0)] * 50), [OFFER], budget=9, holdout_share=0, **CAMPAIGN).frame
    assert frame["customer_id"].tolist() == [f"c{i:05d}" for i in range(len(frame))]


def test_a_budget_that_binds_is_spent():
    made = plan(base(5_000), [OFFER], budget=500, holdout_share=0.1, **CAMPAIGN)
    assert 498 < made.summary["expected_cost"] <= 500
    assert made.summary["marginal_return"] > 0


def test_a_budget_that_does_not_bind_contacts_all_who_pay():
    made = plan(base(500), [OFFER], budget=1e9, holdout_share=0, **CAMPAIGN)
    assert made.summary["treated"] == profit_curve(base(500), [OFFER], points=9)["customers"].max()
    assert made.summary["marginal_return"] == 0


def test_a_cost_that_adds_up_only_to_the_cent_still_fits():
    """1,000 contacts at 0.1 sum to 100.00000000000014 in floats: a budget of 100 pays for all of them."""
    flyer = Offer(name="flyer", contact_cost=0.1, incentive_cost=0, save_rate=0.2, redeem_rate=0)
    made = plan(scores_of([(0.8, 200.0)] * 1_200), [flyer], budget=100, holdout_share=0, **CAMPAIGN)
    assert made.summary["treated"] == 1_000


def test_a_larger_budget_never_earns_less():
    earned = [
        plan(base(400), [OFFER], budget=budget, holdout_share=0, **CAMPAIGN).summary["expected_profit"]
        for budget in (2, 10, 50, 100, 200, 400, 1_000)
    ]
    assert earned == sorted(earned)


def test_the_summary_adds_up():
    scores = base(3_000)
    made = plan(scores, [OFFER], budget=400, capacity=150, holdout_share=0.1, **CAMPAIGN)
    treated, summary = made.frame[made.frame["treated"]], made.summary
    named = scores.set_index("customer_id").loc[treated["customer_id"]]
    at_risk, reached = (x["gain"].sum() for x in (scores, named))
    assert summary["treated"] == 150
    assert summary["expected_cost"] == pytest.approx(treated["expected_cost"].sum())
    assert summary["expected_profit"] == pytest.approx(treated["expected_profit"].sum())
    assert summary["return_on_cost"] == pytest.approx(summary["expected_profit"] / summary["expected_cost"])
    assert summary["value_at_risk"] == pytest.approx(at_risk)
    assert summary["value_at_risk_after"] == pytest.approx(at_risk - 0.2 * reached)
    assert summary["profit_p10"] < summary["expected_profit"] < summary["profit_p90"]
    assert 0 < summary["break_even_save_rate"] < summary["save_rate"] == 0.2


def test_at_the_break_even_save_rate_the_plan_earns_nothing():
    scores = base(300)
    made = plan(scores, [OFFER], budget=200, holdout_share=0, **CAMPAIGN)
    chosen = scores[scores["customer_id"].isin(made.frame["customer_id"])]
    p, clv, rate = chosen["churn_probability"], chosen["clv"], made.summary["break_even_save_rate"]
    assert (p * rate * (clv - 5) - (1 - p) * 0.3 * 5 - 0.5).sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("scores", "budget", "says"),
    [
        (scores_of([(0.5, 1.0)] * 4), 100, "at a save rate of 20.0% the offer 'voucher' is expected to cost more"),
        (
            scores_of([(0.9, 500.0)]),
            0.4,
            "1 customer would be worth contacting, but the cheapest contact is expected to cost 1.55",
        ),
        (scores_of([]), 100, "Nobody is contacted: there are no customers."),
    ],
)
def test_nobody_to_contact_is_a_plan_that_says_why(scores, budget, says):
    made = plan(scores, [OFFER], budget=budget, holdout_share=0.1, **CAMPAIGN)
    assert made.frame.columns.tolist() == COLUMNS
    assert len(made.frame) == made.summary["chosen"] == 0
    assert made.summary["expected_profit"] == made.summary["expected_cost"] == 0
    assert made.summary["return_on_cost"] is None
    assert made.summary["break_even_save_rate"] is None
    assert says in made.summary["note"]


LIMITS = {"budget": 10.0, "capacity": 5, "holdout_share": 0.1, "campaign": "spring"}


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"budget": 0}, "a budget above 0 is expected, found 0"),
        ({"budget": float("nan")}, "found nan"),
        ({"budget": float("inf")}, "found inf"),
        ({"capacity": 0}, "a capacity of at least 1 is expected, found 0"),
        ({"holdout_share": 0.6}, "a holdout share from 0 to 0.5 is expected, found 0.6"),
        ({"holdout_share": float("nan")}, "found nan"),
        ({"campaign": ""}, "the campaign has no name"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(limits, says):
    with pytest.raises(InputError, match=says) as caught:
        plan(base(3), [OFFER], **LIMITS | limits, salt="pepper")
    assert "\n" in str(caught.value), "the message says what to do next"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda scores: scores.drop(columns=["clv", "gain"]), "missing gain, clv; found customer_id"),
        (lambda scores: scores.assign(clv=np.nan), "of 3 rows 3 with a missing or infinite number"),
        (lambda scores: scores.assign(churn_probability=[0.1, 1.1, -1]), "2 with a churn_probability outside 0 to 1"),
        (lambda scores: scores.assign(customer_id=["a", "a", None]), "1 without a customer_id, 1 with the customer_id"),
        (lambda scores: scores.assign(savable_probability=1.5), "3 with a savable_probability outside 0 to churn_prob"),
    ],
)
def test_scores_that_cannot_be_planned_with_are_refused_with_counts(change, says):
    with pytest.raises(InputError, match=says):
        plan(change(base(3)), [OFFER], **LIMITS, salt="pepper")
