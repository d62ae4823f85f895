"""A customer whom a plan contacts is never in the segment "let go", by any budget, save rate or individual effect."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.customer_base.segments import LET_GO, average_cuts, gain_cut, value_quadrants
from retention.economics.offers import Offer
from retention.planning.retention_plan import plan

CUSTOMERS = 60
costs = st.sampled_from([0.0, 0.05, 2.0]) | st.floats(0, 20)
shares = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)


@st.composite
def offers(draw):
    """One to three offers, from one that costs nothing and always works to one that never pays."""
    return [
        Offer(
            name=f"offer {number}",
            contact_cost=draw(costs),
            incentive_cost=draw(costs),
            save_rate=draw(shares),
            redeem_rate=draw(shares),
        )
        for number in range(draw(st.integers(1, 3)))
    ]


def base(seed):
    """Customers whose gain has little to do with what they spend, a third of them with none at all."""
    draw = np.random.default_rng(seed)
    p = draw.beta(2, 1, CUSTOMERS)
    q = p * np.where(draw.random(CUSTOMERS) < 0.3, 1.0, draw.random(CUSTOMERS))
    clv = draw.lognormal(2, 1.5, CUSTOMERS)
    gain = np.where(draw.random(CUSTOMERS) < 0.3, 0.0, draw.lognormal(0, 1.5, CUSTOMERS))
    return pd.DataFrame(
        {
            "customer_id": [f"{number:03d}" for number in range(CUSTOMERS)],
            "churn_probability": p,
            "savable_probability": np.where(gain > 0, q, 0.0),
            "gain": gain,
            "expected_value": clv / 3,
            "clv": clv,
            "spend_last_365d": draw.lognormal(2, 1.5, CUSTOMERS),
        }
    )


def segments(scores, cut):
    values = (scores[name] for name in ("spend_last_365d", "clv", "gain"))
    now, later = average_cuts(scores["spend_last_365d"], scores["clv"])
    return value_quadrants(*values, current_cut=now, future_cut=later, gain_cut=cut)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 9999),
    offers=offers(),
    budget=st.sampled_from([0.01, 1e9]) | st.floats(0.01, 500),
    learned=st.booleans(),
)
def test_no_plan_contacts_a_customer_who_is_let_go(seed, offers, budget, learned):
    """Whether by the save rates or by effects that are the largest a contact can have."""
    scores = base(seed)
    let_go = scores.loc[segments(scores, gain_cut(offers)) == LET_GO, "customer_id"]
    effects = pd.DataFrame({"customer_id": scores["customer_id"], offers[0].name: 1.0}) if learned else None
    made = plan(scores, offers, budget=budget, effects=effects, holdout_share=0.0, campaign="spring", salt="pepper")
    assert not set(made.frame["customer_id"]) & set(let_go)


def test_the_promise_is_about_somebody():
    """At a cut that is ten times too high plans do contact customers who are let go."""
    scores = base(1)
    offer = Offer(name="mail", contact_cost=0.2, incentive_cost=0.0, save_rate=0.9, redeem_rate=0.0)
    made = plan(scores, [offer], budget=1e6, holdout_share=0.0, campaign="spring", salt="pepper")
    contacted = scores["customer_id"].isin(made.frame["customer_id"])
    assert (segments(scores, gain_cut([offer])) == LET_GO).sum() > 5
    assert not (contacted & (segments(scores, gain_cut([offer])) == LET_GO)).any()
    assert (contacted & (segments(scores, 10 * gain_cut([offer])) == LET_GO)).any()


def test_the_cut_is_the_cheapest_contact():
    costs = (3.0, 0.5, 6.0)
    offers = [
        Offer(name=f"{cost}", contact_cost=cost, incentive_cost=1.0, save_rate="measured", redeem_rate=0.1)
        for cost in costs
    ]
    assert gain_cut(offers) == pytest.approx(0.5)
    assert gain_cut([]) == float("inf"), "nobody can be contacted"
