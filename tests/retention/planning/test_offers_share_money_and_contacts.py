"""Several offers under one budget and the capacities of their channels: no limit is broken, and little is missed."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from features.errors import InputError
from models.keeping.worth_factor import SPREAD
from retention.economics.offers import Offer
from retention.economics.profit_curve import profit_curve
from retention.planning.assignment import assign_offers
from retention.planning.dual_prices import LagrangianDual, Options
from retention.planning.holdout import random_ranks
from retention.planning.retention_plan import plan
from retention.planning.selection import select_customers
from tests.retention.bases import base, one_customer, scores_of

TERMS = {"redeem_rate": 0.3, "save_rate": {"alpha": 4, "beta": 16}}
VOUCHER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, channel="email", **TERMS)
CALL = Offer(name="call", contact_cost=3, incentive_cost=0, channel="phone", redeem_rate=0, save_rate=0.25)
MAIL = Offer(name="mail", contact_cost=0.05, incentive_cost=0, channel="email", redeem_rate=0, save_rate=0.03)
CARD = Offer(name="card", contact_cost=1.2, incentive_share=0.25, **TERMS)
OFFERS = [VOUCHER, CALL, MAIL, CARD]
CAMPAIGN = {"campaign": "spring", "salt": "pepper"}
customers = st.lists(one_customer, min_size=1, max_size=40)


def options(count, seed, offers=5):
    """Profit and cost of offers with customers, and which offers each limit on contacts counts."""
    draw = np.random.default_rng(seed)
    cost = draw.uniform(0.1, 5, (offers, 1)) * draw.uniform(0.5, 1.5, (offers, count))
    profit = draw.lognormal(1, 1, count) * cost ** draw.uniform(0.3, 0.8, (offers, 1)) - 1
    groups = np.array([[True] * offers, [True, True, *[False] * (offers - 2)]])
    return Options(profit, cost, groups)


def relaxed(options, limits):
    """The most that parts of customers could earn, by a linear program over every option: a bound of every plan."""
    offers, count = options.profit.shape
    uses = np.vstack([options.cost.ravel(), np.repeat(options.groups, count, axis=1)])
    one_each = np.tile(np.eye(count), (1, offers))
    limit = np.concatenate([limits, np.ones(count)])
    return -linprog(-options.profit.ravel(), A_ub=np.vstack([uses, one_each]), b_ub=limit, bounds=(0, 1)).fun


def best_of_all(options, limits):
    """The most that any choice earns, by trying every one."""
    count, most = options.customers, 0.0
    for one in product(range(-1, len(options.profit)), repeat=count):
        choice = np.array(one, dtype=np.int8)
        if (options.use(choice) <= limits).all():
            most = max(most, options.worth(choice))
    return most


@settings(max_examples=40)
@given(
    customers=customers,
    budget=st.floats(0.05, 300),
    capacity=st.none() | st.integers(1, 40),
    email=st.none() | st.integers(1, 20),
    phone=st.none() | st.integers(1, 5),
    share=st.sampled_from([0.0, 0.1, 0.5]) | st.floats(0, 0.5),
)
def test_no_plan_breaks_a_limit_of_money_contacts_or_channel(customers, budget, capacity, email, phone, share):
    capacities = {name: most for name, most in (("email", email), ("phone", phone)) if most}
    limits = {"budget": budget, "capacity": capacity, "capacities": capacities, "holdout_share": share}
    frame = plan(scores_of(customers), OFFERS, **limits, **CAMPAIGN).frame
    treated, held = frame[frame["treated"]], frame[~frame["treated"]]
    channel = treated["offer"].map({offer.name: offer.channel for offer in OFFERS})
    assert treated["expected_cost"].sum() <= budget * (1 + 1e-9)
    assert len(treated) <= (capacity or len(customers))
    for name, most in capacities.items():
        assert (channel == name).sum() <= most
    assert frame["customer_id"].is_unique
    assert (treated["expected_profit"] > 0).all()
    assert len(held) == round(len(frame) * share)
    assert not held[["expected_cost", "expected_profit", "profit_p10", "profit_p90"]].to_numpy().any()


@pytest.mark.slow
@settings(max_examples=40)
@given(customers=customers, budget=st.floats(1, 200), seed=st.integers(0, 99))
def test_a_rerun_in_any_row_order_is_the_same_plan(customers, budget, seed):
    scores = scores_of(customers)
    limits = {"budget": budget, "capacities": {"email": 4}, "holdout_share": 0.2} | CAMPAIGN
    one = plan(scores, OFFERS, **limits)
    two = plan(scores.sample(frac=1, random_state=seed), OFFERS, **limits)
    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert one.summary == two.summary


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(1, 6),
    money=st.sampled_from([0.1, 0.25, 0.4, 0.7, 1]),
    first=st.integers(1, 3),
)
def test_a_few_customers_are_assigned_as_if_every_choice_had_been_tried(seed, count, money, first):
    asked = options(count, seed, offers=3)
    limits = np.array([money * asked.cost.max(axis=0).sum(), max(count - 1, 1), first])
    found = assign_offers(LagrangianDual(asked), limits)
    assert found.worth == pytest.approx(best_of_all(asked, limits), rel=1e-6, abs=1e-9)
    assert found.worth <= found.bound * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_the_gap_that_is_told_is_true(seed):
    """The bound is above what is found and below it by no more than a whole customer, and no lower than the truth."""
    asked = options(400, seed)
    limits = np.array([0.1 * asked.cost.sum(axis=1).mean(), 150, 60])
    found = assign_offers(LagrangianDual(asked), limits)
    most = relaxed(asked, limits)
    assert found.prices.bound == pytest.approx(most, rel=1e-6), "prices tell what parts of customers could earn"
    assert found.worth <= most * (1 + 1e-9)
    assert 1 - found.worth / found.bound < 1e-4, "400 customers are decided to a ten-thousandth"
    assert found.worth > most - asked.profit.max()


def test_many_equals_share_what_there_is():
    """60,000 alike and two offers: 100 contacts for 750 as half dear (10 for 10) and half cheap (5 for 6) earn 800."""
    profit, cost = np.repeat([[10.0], [6.0]], 60_000, axis=1), np.repeat([[10.0], [5.0]], 60_000, axis=1)
    found = select_customers(profit, cost, np.arange(60_000), budget=750.0, capacity=100, holdout_share=0.0)
    worth = profit[found.offers, found.rows].sum()
    assert 780 < worth <= 800
    assert found.gap == pytest.approx(1 - worth / 800), "what is missing is told"
    assert cost[found.offers, found.rows].sum() <= 750
    assert sorted(found.rows) == list(range(len(found.rows))), "of equals the earlier"


def test_a_large_plan_misses_next_to_nothing():
    scores = base(30_000)
    limits = {"budget": 6_000, "capacity": 9_000, "capacities": {"phone": 200, "email": 5_000}, "holdout_share": 0.1}
    summary = plan(scores, OFFERS, **limits, **CAMPAIGN).summary
    assert summary["optimality_gap"] < 1e-4
    assert 0.999 * 6_000 < summary["expected_cost"] <= 6_000
    by_offer = {one["offer"]: one for one in summary["offers"]}
    assert by_offer["call"]["treated"] in (199, 200)
    assert sum(one["expected_profit"] for one in summary["offers"]) == pytest.approx(summary["expected_profit"])


def test_more_offers_never_earn_less_and_a_tighter_channel_never_more():
    scores, limits = base(600), {"budget": 150, "holdout_share": 0.0} | CAMPAIGN
    earned = [plan(scores, OFFERS[:count], **limits).summary["expected_profit"] * (1 + 1e-6) for count in range(1, 5)]
    assert earned == sorted(earned)
    tighter = [
        plan(scores, OFFERS, capacities={"email": most}, **limits).summary["expected_profit"] * (1 - 1e-6 / most)
        for most in (1, 10, 50, 600)
    ]
    assert tighter == sorted(tighter)


def test_every_offer_is_held_out_at_the_same_share_and_the_same_people_again():
    scores, limits = base(8_000), {"budget": 2_000, "capacities": {"phone": 300}, "holdout_share": 0.1} | CAMPAIGN
    frame = plan(scores, OFFERS, **limits).frame
    assert (~frame["treated"]).sum() == round(0.1 * len(frame))
    for offer, mine in frame.groupby("offer"):
        held = mine.loc[~mine["treated"], "customer_id"]
        assert abs(len(held) - 0.1 * len(mine)) < 1, offer
        by_lot = mine["customer_id"].iloc[np.argsort(random_ranks(mine["customer_id"], **CAMPAIGN))]
        assert set(held) == set(by_lot.head(len(held))), "the smallest lots of those given the offer"
    again = plan(scores, OFFERS, **limits).frame
    assert again.loc[~again["treated"], "customer_id"].tolist() == frame.loc[~frame["treated"], "customer_id"].tolist()


def test_an_incentive_may_be_a_share_of_an_orders_margin():
    """Two customers with a margin of 60 and 15 an order: a quarter of it is 15 and 3.75."""
    scores = scores_of([(0.5, 180.0), (0.5, 90.0)]).assign(expected_orders=[1.0, 2.0])
    card = CARD.model_copy(update={"contact_cost": 0.0, "save_rate": 0.2})
    frame = plan(scores, [card], budget=100, holdout_share=0, **CAMPAIGN).frame.sort_values("customer_id")
    paid = np.array([15.0, 3.75])
    assert frame["expected_cost"].to_numpy() == pytest.approx(paid * (0.5 * 0.2 + 0.5 * 0.3))
    assert frame["expected_profit"].to_numpy() == pytest.approx(0.5 * 0.2 * (np.array([180, 90]) - paid) - 0.15 * paid)
    with pytest.raises(InputError, match="missing expected_orders"):
        plan(scores.drop(columns="expected_orders"), [card], budget=9, holdout_share=0, **CAMPAIGN)


def test_the_interval_is_that_of_a_simulated_campaign():
    """Save rates drawn per offer, and one factor of what the kept are worth."""
    scores, draw, n = base(200), np.random.default_rng(3), 20_000
    factor = draw.lognormal(-(SPREAD**2) / 2, SPREAD, (n, 1))
    made = plan(scores, [VOUCHER, MAIL, CARD], budget=150, holdout_share=0, **CAMPAIGN)
    frame = made.frame.merge(scores, on="customer_id")
    assert frame["offer"].nunique() == 3
    total = np.zeros(n)
    for offer in (VOUCHER, MAIL, CARD):
        mine = (frame["offer"] == offer.name).to_numpy()
        some = frame[mine]
        rate = draw.beta(4, 16, (n, 1)) if offer is not MAIL else draw.beta(0.6, 19.4, (n, 1))
        p = some["churn_probability"].to_numpy()
        value = factor * some["clv"].to_numpy()
        order = (some["expected_value"] / some["expected_orders"]).to_numpy()
        pays = 0.25 * order if offer is CARD else (offer.incentive_cost or 0)
        total += (p * rate * (value - pays) - (1 - p) * offer.redeem_rate * pays - offer.contact_cost).sum(axis=1)
    assert made.summary["expected_profit"] == pytest.approx(total.mean(), rel=0.02)
    ends = made.summary["profit_p10"], made.summary["profit_p90"]
    assert ends == pytest.approx(tuple(np.quantile(total, [0.1, 0.9])), rel=0.03)


@pytest.mark.slow
def test_the_curve_of_several_offers_is_what_plans_along_it_earn():
    scores = base(2_000)
    curve = profit_curve(scores, OFFERS, points=6)
    assert curve.iloc[0].tolist() == [0, 0, 0, 0, 0]
    for point in curve.iloc[1:].itertuples():
        made = plan(scores, OFFERS, budget=point.budget * (1 + 1e-9), holdout_share=0, **CAMPAIGN).summary
        assert made["treated"] == pytest.approx(point.customers, rel=0.01)
        for name in ("expected_profit", "profit_p10", "profit_p90"):
            assert made[name] == pytest.approx(getattr(point, name), rel=2e-3)


def test_at_the_break_even_save_rate_all_offers_together_earn_nothing():
    scores = base(500)
    made = plan(scores, [VOUCHER, CARD], budget=200, holdout_share=0.1, **CAMPAIGN)
    frame = made.frame[made.frame["treated"]].merge(scores, on="customer_id")
    pays = np.where(frame["offer"] == "card", 0.25 * frame["expected_value"] / frame["expected_orders"], 5.0)
    contact = np.where(frame["offer"] == "card", 1.2, 0.5)
    p, rate = frame["churn_probability"], made.summary["break_even_save_rate"]
    assert (p * rate * (frame["clv"] - pays) - (1 - p) * 0.3 * pays - contact).sum() == pytest.approx(0, abs=1e-9)
    assert made.summary["save_rate"] == pytest.approx(0.2)


RULES = {"budget": 50.0, "holdout_share": 0.1} | CAMPAIGN


def test_who_is_excluded_is_not_in_the_plan_and_counted():
    scores = base(300)
    listed = {*scores["customer_id"].head(100), "nobody", "no one"}
    made = plan(scores, OFFERS, excluded={"on the list": listed, "lately": {"c00250", "c00000"}}, **RULES)
    assert not set(made.frame["customer_id"]) & {*listed, "c00250"}
    assert made.summary["excluded"] == {
        "on the list": {"customers": 100, "unknown": 2},
        "lately": {"customers": 2, "unknown": 0},
    }
    whole = plan(scores, OFFERS, **RULES).summary
    assert made.summary["value_at_risk"] == whole["value_at_risk"], "the value at risk is everyone's"


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        (
            {"capacities": {"fax": 9}},
            "the channel 'fax' has a capacity, but no offer uses it; the offers' channels: email, pho",
        ),
        ({"capacities": {"email": 0}}, "at least 1 is expected for the channel 'email', found 0"),
        (
            {"excluded": {"listed": [f"c{i:05d}" for i in range(30)]}},
            "nobody may be contacted: of 30 customers, 30 listed",
        ),
        ({"offers": []}, "one or more offers of different names are expected, found none"),
        ({"offers": [CALL, CALL]}, "found call, call"),
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused(rules, says):
    with pytest.raises(InputError, match=says) as caught:
        plan(base(30), rules.get("offers", OFFERS), **RULES | {k: v for k, v in rules.items() if k != "offers"})
    assert "\n" in str(caught.value), "the message says what to do next"


def test_a_save_rate_that_is_not_measured_yet_is_refused():
    unknown = CALL.model_copy(update={"save_rate": "measured"})
    with pytest.raises(InputError, match="offer 'call': its save rate is not measured yet"):
        plan(base(30), [unknown], **RULES)
