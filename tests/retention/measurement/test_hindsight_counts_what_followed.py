"""A plan in hindsight: every figure against loops over customers, written out."""

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from retention.economics.offers import Offer
from retention.measurement.plan_hindsight import RANDOM, RISK, SPENDER, plan_hindsight, shares_and_lifts, sum_of_days
from retention.planning.retention_plan import plan
from tests.scored import all_savable

VOUCHER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, save_rate=0.2, redeem_rate=0.3)
CALL = Offer(name="call", contact_cost=2, incentive_cost=0, redeem_rate=0, save_rate=0.25)
OFFERS = [VOUCHER, CALL]


def day(seed, count=400, *, right=True):
    """Scores, what followed (as the churn probabilities say, or much more often), and some list of contacts."""
    draw = np.random.default_rng(seed)
    p, clv = draw.beta(3, 3, count), draw.lognormal(3.5, 1, count)
    scores = pd.DataFrame({"customer_id": [f"c{i:04d}" for i in range(count)], "churn_probability": p, "clv": clv})
    scores = all_savable(scores.assign(expected_value=clv / 3, clv_p10=clv / 4, clv_p90=clv * 3))
    left = draw.random(count) < (p if right else np.minimum(p + 0.4, 1))
    happened = pd.DataFrame({"customer_id": scores["customer_id"], "churned": left})
    happened["margin"] = np.where(left, 0.0, clv / 2)
    happened["back"] = left & (draw.random(count) < 0.4)
    happened["margin_before"] = draw.normal(20, 15, count)
    happened["spend"] = draw.lognormal(3, 1, count).round(0)
    listed = scores.loc[draw.choice(count, 80, p=p / p.sum(), replace=False), ["customer_id"]]
    contacts = listed.assign(offer=draw.choice(["voucher", "call"], 80))
    return scores, happened.sample(frac=1, random_state=seed), contacts


def contact(one, offer, left, alive=True):
    """What one contact costs as foreseen, earns as foreseen, and would have earned."""
    p, v, d, c = one.churn_probability, one.clv, offer.incentive_cost, offer.contact_cost
    s, r = offer.save_rate_mean, offer.redeem_rate
    foreseen = p * s * (v - d) - (1 - p) * r * d - c
    return c + d * (p * s + (1 - p) * r), foreseen, (alive * s * (v - d) if left else -r * d) - c


def counted(scores, happened, listed):
    """The figures of a list of (customer_id, offer)."""
    by_id, then = scores.set_index("customer_id"), happened.set_index("customer_id")
    counts = ("contacted", "expected_cost", "leavers", "back", "lost_margin", "profit", "profit_of_proven")
    told = dict.fromkeys(counts, 0.0)
    for customer, offer in listed:
        left, back = then.loc[customer, ["churned", "back"]]
        cost, _, earned = contact(by_id.loc[customer], offer, left)
        told["contacted"] += 1
        told["expected_cost"] += cost
        told["leavers"] += left
        told["back"] += back
        told["profit_of_proven"] += contact(by_id.loc[customer], offer, left, back)[2]
        told["lost_margin"] += max(then.loc[customer, "margin_before"], 0) if left else 0
        told["profit"] += earned
    return told


def best_offer(one):
    return max(OFFERS, key=lambda offer: contact(one, offer, False)[1])


@pytest.fixture(scope="module")
def made():
    """A day with the contacts of a plan."""
    scores, happened, _ = day(1)
    frame = plan(scores, OFFERS, budget=150, holdout_share=0.1, campaign="x", salt="y").frame
    return scores, happened, frame[frame["treated"]]


def test_the_plan_is_counted_customer_by_customer(made):
    scores, happened, treated = made
    told = plan_hindsight(scores, happened, treated, OFFERS)
    offers = {offer.name: offer for offer in OFFERS}
    listed = [(one.customer_id, offers[one.offer]) for one in treated.itertuples()]
    for name, value in counted(scores, happened, listed).items():
        assert told["plan"][name] == pytest.approx(value)
    chosen = scores[scores["customer_id"].isin(treated["customer_id"])]
    p = chosen["churn_probability"]
    assert told["plan"]["expected_leavers"] == pytest.approx(p.sum())
    assert told["plan"]["expected_margin"] == pytest.approx(chosen["expected_value"].sum())
    assert told["plan"]["margin"] == pytest.approx(chosen.merge(happened)["margin"].sum())
    assert told["plan"]["expected_profit"] == pytest.approx(treated["expected_profit"].sum())
    assert told["plan"]["expected_cost"] == pytest.approx(treated["expected_cost"].sum())
    assert (told["customers"], told["leavers"]) == (400, happened["churned"].sum())
    lost = sum(max(one.margin_before, 0) for one in happened.itertuples() if one.churned)
    assert told["lost_margin"] == pytest.approx(lost)


@pytest.mark.parametrize(("name", "by"), [(RISK, "churn_probability"), (SPENDER, "spend")])
def test_other_lists_go_from_the_top_until_the_money_is_gone(made, name, by):
    scores, happened, treated = made
    told = plan_hindsight(scores, happened, treated, OFFERS)
    everyone = scores.merge(happened).sort_values([by, "customer_id"], ascending=[False, True])
    left, listed = told["plan"]["expected_cost"], []
    for one in everyone.itertuples():
        offer = best_offer(one)
        left -= contact(one, offer, False)[0]
        if left < -1e-9:
            break
        listed.append((one.customer_id, offer))
    assert told["others"][name] == pytest.approx(counted(scores, happened, listed))


def test_the_random_list_is_the_mean_of_many():
    scores, happened, treated = day(2)
    told = plan_hindsight(scores, happened, treated, OFFERS)
    draw, spent, sums = np.random.default_rng(3), told["plan"]["expected_cost"], []
    rows = [(one, best_offer(one)) for one in scores.merge(happened).itertuples()]
    each = np.array([[1, contact(o, by, False)[0], o.churned, contact(o, by, o.churned)[2]] for o, by in rows], float)
    for _ in range(3_000):
        order = draw.permutation(len(each))
        sums.append(each[order][np.cumsum(each[order, 1]) <= spent].sum(axis=0))
    mean = np.mean(sums, axis=0)
    random = told["others"][RANDOM]
    assert [random["contacted"], random["leavers"]] == pytest.approx(mean[[0, 2]], rel=0.03)
    assert random["expected_cost"] == pytest.approx(spent)
    assert random["profit"] == pytest.approx(mean[3], rel=0.1, abs=3)


def test_right_scores_hold_what_they_promise_and_wrong_ones_do_not():
    inside = []
    for seed in range(40):
        plan_ = plan_hindsight(*day(seed), OFFERS)["plan"]
        inside.append(plan_["expected_leavers_low"] <= plan_["leavers"] <= plan_["expected_leavers_high"])
    assert np.mean(inside) >= 0.9
    wrong = plan_hindsight(*day(1, right=False), OFFERS)["plan"]
    assert wrong["leavers"] > wrong["expected_leavers_high"]


def test_days_add_up_and_shares_and_lift_are_ratios():
    days = [plan_hindsight(*day(seed), OFFERS) for seed in (1, 2, 3, 4)]
    total = sum_of_days(days)
    assert total["plan"]["leavers"] == sum(one["plan"]["leavers"] for one in days)
    assert total["others"][RISK]["profit"] == pytest.approx(sum(one["others"][RISK]["profit"] for one in days))
    width = [one["plan"]["expected_leavers_high"] - one["plan"]["expected_leavers"] for one in days]
    told = total["plan"]["expected_leavers_high"] - total["plan"]["expected_leavers"]
    assert told**2 == pytest.approx(sum(one**2 for one in width))
    found = shares_and_lifts(total)
    assert found["share"]["plan"]["leavers"] == total["plan"]["leavers"] / total["leavers"]
    lift = total["plan"]["lost_margin"] / total["others"][SPENDER]["lost_margin"]
    assert found["lift"][SPENDER]["lost_margin"] == pytest.approx(lift)


def test_a_plan_of_nobody_reaches_nothing(made):
    scores, happened, treated = made
    told = plan_hindsight(scores, happened, treated.iloc[:0], OFFERS)
    assert told["plan"]["contacted"] == told["others"][RISK]["contacted"] == told["others"][RANDOM]["contacted"] == 0
    assert shares_and_lifts(told)["lift"][RANDOM] == {"leavers": None, "lost_margin": None}


def test_customers_of_whom_it_is_not_known_what_followed_are_refused(made):
    scores, happened, treated = made
    with pytest.raises(InputError, match="the outcome is not known for 2 of 400 scored customers"):
        plan_hindsight(scores, happened.iloc[2:], treated, OFFERS)
