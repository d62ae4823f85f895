"""Effects known customer by customer: the money follows them, one save rate is a case of them, and none drives away."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InputError
from models.keeping.worth_factor import SPREAD
from retention.economics import profit
from retention.economics.offers import Offer
from retention.economics.profit_curve import profit_curve
from retention.planning.retention_plan import plan
from tests.scored import all_savable

TERMS = {"redeem_rate": 0.3, "save_rate": {"alpha": 4, "beta": 16}}
VOUCHER = Offer(name="voucher", contact_cost=0.5, incentive_cost=5, **TERMS)
CALL = Offer(name="call", contact_cost=2, incentive_cost=0, redeem_rate=0, save_rate=0.25)
OFFERS = [VOUCHER, CALL]
CAMPAIGN = {"campaign": "spring", "salt": "pepper"}
RATE = 0.2
shares = st.sampled_from([0.0, 0.3, 1.0]) | st.floats(0, 1)


def base(count, seed=1):
    draw = np.random.default_rng(seed)
    clv = draw.lognormal(3.5, 1, count)
    scores = pd.DataFrame(
        {
            "customer_id": [f"c{i:05d}" for i in range(count)],
            "churn_probability": draw.beta(4, 2, count),
            "expected_value": clv / 3,
            "clv": clv,
            "clv_p10": clv / 4,
            "clv_p90": clv * 3,
        }
    )
    return all_savable(scores)


def effects_of(scores, seed=2):
    """Effects that have nothing to do with the risk, a third of them below 0."""
    return pd.DataFrame(
        {
            "customer_id": scores["customer_id"],
            "voucher": np.random.default_rng(seed).uniform(-0.1, 0.2, len(scores)),
        }
    )


@given(p=shares, part=st.floats(-1, 1), r=shares, v=st.floats(0, 500), d=st.floats(0, 20), c=st.floats(0, 5))
def test_cost_and_profit_are_the_sum_over_all_that_can_happen(p, part, r, v, d, c):
    """Every case with its probability, counted out: leaves or stays, kept, driven away or neither, redeems or not."""
    effect = part * (p if part > 0 else 1 - p)
    cost = earned = 0.0
    for leaves, moved, redeems in product([True, False], repeat=3):
        can = effect > 0 if leaves else effect < 0  # only a leaver is kept, only a stayer driven away
        mass = p if leaves else 1 - p
        share = abs(effect) / mass if can else 0.0
        chance = mass * (share if moved else 1 - share)
        stays = leaves == moved
        takes = 1.0 if leaves and moved else r if stays else 0.0  # the kept redeem for sure
        chance *= takes if redeems else 1 - takes
        bill = c + d * redeems
        cost += chance * bill
        earned += chance * (v * (stays - (not leaves)) - bill)
    terms = {"churn_probability": p, "effect": effect, "redeem_rate": r, "incentive_cost": d, "contact_cost": c}
    assert profit.expected_cost(**terms) == pytest.approx(cost, abs=1e-9)
    assert profit.expected_profit(kept_worth=v, clv=v, **terms) == pytest.approx(earned, abs=1e-9)


@settings(max_examples=10)
@given(seed=st.integers(0, 99), budget=st.floats(0.1, 500), share=st.sampled_from([0.0, 0.1, 0.3]))
def test_effects_that_are_a_share_of_the_churn_probability_give_the_plan_of_that_save_rate(seed, budget, share):
    scores = base(60, seed)
    same = pd.DataFrame({"customer_id": scores["customer_id"], "voucher": RATE * scores["churn_probability"]})
    how = {"budget": budget, "holdout_share": share, **CAMPAIGN}
    one, other = (plan(scores, OFFERS, effects=effects, **how) for effects in (None, same))
    pd.testing.assert_frame_equal(one.frame, other.frame)
    for name, value in one.summary.items():
        assert other.summary[name] == (value if not isinstance(value, float) else pytest.approx(value)) or name in (
            "offers",
        )
    for before, after in zip(one.summary["offers"], other.summary["offers"], strict=True):
        if before["treated"]:
            assert after == {name: pytest.approx(value) for name, value in before.items()}
    curves = (profit_curve(scores, OFFERS, points=5, effects=effects) for effects in (None, same))
    pd.testing.assert_frame_equal(*curves)


@pytest.mark.parametrize("seed", range(8))
def test_few_customers_get_what_trying_every_list_finds(seed):
    scores = base(5, seed)
    effects = effects_of(scores, seed)
    p, v, tau = (
        scores["churn_probability"],
        scores["clv"],
        np.clip(effects["voucher"], scores["churn_probability"] - 1, 1),
    )
    kept = np.clip(np.minimum(tau, p), 0, None)
    cost = {"voucher": 0.5 + 5 * (kept + (1 - p + np.minimum(tau, 0)) * 0.3), "call": 2 + 0 * p}
    earned = {"voucher": np.minimum(tau, p) * v - cost["voucher"], "call": 0.25 * p * v - cost["call"]}
    budget, most = 4.0, 0.0
    for list_ in product([None, "voucher", "call"], repeat=5):
        named = [(offer, place) for place, offer in enumerate(list_) if offer]
        if sum(cost[offer][place] for offer, place in named) <= budget:
            most = max(most, sum(earned[offer][place] for offer, place in named))
    made = plan(scores, OFFERS, budget=budget, effects=effects, holdout_share=0, **CAMPAIGN)
    assert made.summary["expected_profit"] == pytest.approx(most, rel=1e-6)


def test_the_summary_is_what_pandas_adds_up():
    scores = base(3_000)
    effects = effects_of(scores)
    made = plan(scores, [VOUCHER], budget=400, effects=effects, holdout_share=0.1, **CAMPAIGN)
    treated = made.frame[made.frame["treated"]].merge(scores).merge(effects.rename(columns={"voucher": "tau"}))
    tau = treated["tau"].clip(upper=treated["churn_probability"])
    worth, at_risk = treated["clv"] - 5, scores["churn_probability"] @ scores["clv"]
    assert (treated["tau"] > 0).all()
    assert made.summary["value_at_risk"] == pytest.approx(at_risk)
    assert made.summary["value_at_risk_after"] == pytest.approx(at_risk - (tau * treated["clv"]).sum())
    kept, won = (tau * worth).sum(), (treated["churn_probability"] * worth).sum()
    assert made.summary["save_rate"] == made.summary["offers"][0]["save_rate"] == pytest.approx(kept / won)
    even = made.summary["break_even_save_rate"]
    rest = (treated["churn_probability"] * even * worth).sum() - kept + treated["expected_profit"].sum()
    assert rest == pytest.approx(0, abs=1e-6), "with one save rate of that size these contacts earn nothing"


def test_the_interval_is_that_of_simulated_levels_and_worths():
    """The level of all effects is as uncertain as the save rate, and so is what the kept are worth."""
    draw, scores = np.random.default_rng(3), base(200)
    effects = effects_of(scores)
    made = plan(scores, [VOUCHER], budget=100, effects=effects, holdout_share=0, **CAMPAIGN)
    treated = made.frame.merge(scores).merge(effects.rename(columns={"voucher": "tau"}))
    tau = treated["tau"].clip(upper=treated["churn_probability"]).to_numpy()
    level, factor = draw.beta(4, 16, 20_000) / RATE, draw.lognormal(-(SPREAD**2) / 2, SPREAD, 20_000)
    gross, fixed = (tau * treated["clv"]).sum(), made.summary["expected_cost"] - 5 * tau.sum()
    drawn = level * (factor * gross - 5 * tau.sum()) - fixed
    ends = made.summary["profit_p10"], made.summary["profit_p90"]
    assert ends == pytest.approx(tuple(np.quantile(drawn, [0.1, 0.9])), rel=0.03)


def test_the_curve_is_what_plans_with_effects_earn():
    scores = base(2_000)
    effects = effects_of(scores)
    for point in profit_curve(scores, OFFERS, points=4, effects=effects).iloc[1:].itertuples():
        made = plan(scores, OFFERS, budget=point.budget, effects=effects, holdout_share=0, **CAMPAIGN).summary
        for name in ("expected_profit", "profit_p10", "profit_p90"):
            assert made[name] == pytest.approx(getattr(point, name), rel=3e-3)


def test_who_is_driven_away_is_never_contacted_not_even_if_worth_less_than_nothing():
    scores = base(50).assign(clv=-100.0)
    effects = effects_of(scores).assign(voucher=-0.2)
    free = VOUCHER.model_copy(update={"contact_cost": 0.0, "incentive_cost": 0.0})
    made = plan(scores, [free], budget=9, effects=effects, holdout_share=0, **CAMPAIGN)
    assert made.frame.empty
    assert made.summary["note"].startswith("Nobody is contacted: by the individual effects each offer")


def test_an_effect_beyond_what_can_be_is_cut_off():
    """Nobody is kept more surely than he would leave."""
    scores = all_savable(base(3).assign(churn_probability=[0.1, 0.5, 0.9], clv=100.0))
    effects = pd.DataFrame({"customer_id": scores["customer_id"], "call": 1.0})
    made = plan(scores, [CALL], budget=99, effects=effects, holdout_share=0, **CAMPAIGN).frame
    assert sorted(made["expected_profit"]) == pytest.approx([8, 48, 88])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda one: one.rename(columns={"voucher": "vouchr"}), "effects of 'vouchr'; the offers are voucher, call"),
        (lambda one: one.drop(columns="customer_id"), "there is no customer_id"),
        (lambda one: one.iloc[1:], "1 of 4 scored customers without a row"),
        (lambda one: pd.concat([one, one.iloc[:2]]), "2 of 6 rows with the customer_id of an earlier row"),
        (lambda one: one.assign(voucher=[0.1, np.nan, 1.5, -2]), "3 of 4 rows with a missing effect, or one outside"),
    ],
)
def test_effects_that_cannot_be_used_are_refused_with_counts(change, says):
    with pytest.raises(InputError, match=says):
        plan(base(4), OFFERS, budget=9, effects=change(effects_of(base(4))), holdout_share=0, **CAMPAIGN)


@pytest.mark.parametrize("budget", [5e-324, 1e-300, 1e-12])
@pytest.mark.parametrize("limits", [{}, {"capacity": 3}, {"capacity": 3, "holdout_share": 0.2}])
def test_a_budget_too_small_to_count_buys_what_is_free_and_nothing_else(budget, limits):
    free = Offer(name="mail", contact_cost=0, incentive_cost=0, redeem_rate=0, save_rate=0.1)
    how = {"budget": budget, "holdout_share": 0.0, **CAMPAIGN, **limits}
    nobody = plan(base(20), OFFERS, **how)
    assert nobody.frame.empty
    assert "19 customers would be worth contacting, but the cheapest contact" in nobody.summary["note"]
    made = plan(base(20), [*OFFERS, free], **how)
    assert made.summary["expected_cost"] == 0
    assert made.summary["treated"] == limits.get("capacity", 20)
