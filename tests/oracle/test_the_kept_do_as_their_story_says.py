"""What a kept customer adds is the mean over many futures with and without the contact, in each story of the kept."""

from dataclasses import replace

import numpy as np
import pytest

from pipelines.simulator import campaign_truth, parameters
from pipelines.simulator.buying import lines, orders
from pipelines.simulator.contact_response import respond_to_contacts
from pipelines.simulator.lifetimes import COOLING, ENGAGED, GONE, latest_lifetimes
from pipelines.simulator.parameters import ANOTHER_FUTURE, FRESH_START, ONE_ORDER
from pipelines.simulator.refunds import refunds
from pipelines.simulator.truth import truth
from tests.oracle.counted import discount, service_costs

CUSTOMERS, FUTURES, FAR = 2000, 6, 4.5
HORIZON, LIFETIME = parameters.HORIZON_DAYS, parameters.LIFETIME_DAYS


@pytest.fixture(scope="module", params=[ANOTHER_FUTURE, ONE_ORDER, FRESH_START])
def told(request, shop, base, stage, futures):
    """The story, its customers in several futures, their stages and truth, and their lifetimes without and with."""
    alive = np.flatnonzero(stage != GONE)[:CUSTOMERS]
    again = np.repeat(alive, FUTURES)
    customers = base.customers.take(again)
    customers = replace(customers, world=replace(customers.world, kept=request.param))
    lived = futures(customers, stage[again], branch=np.tile(np.arange(1, FUTURES + 1), len(alive)))
    how = {"seed": shop.seed, "day": float(shop.day)}
    done = respond_to_contacts(customers, lived, np.zeros(len(again), np.int64), days=HORIZON, **how)
    return request.param, customers, stage[again], truth(customers, stage[again], day=shop.day), lived, done


def brought(customers, lifetimes, shop):
    """The discounted margin of each customer over the lifetime, after all costs to serve, order by order."""
    placed = orders(customers, lifetimes.ended(shop.day + LIFETIME), seed=shop.seed)
    bought = lines(customers, lifetimes, placed, seed=shop.seed)
    back = refunds(customers, lifetimes, placed, bought, seed=shop.seed)
    margin = np.bincount(bought.order, bought.margin_cents, minlength=len(placed)) / 100
    margin -= np.bincount(bought.order[back.line], back.margin_cents, minlength=len(placed)) / 100
    total = np.bincount(
        lifetimes.customer[placed.lifetime],
        (margin - parameters.DELIVERY_COST) * discount(placed.at - shop.day),
        minlength=len(customers),
    )
    return total - np.bincount(lifetimes.customer, service_costs(customers, lifetimes, shop), minlength=len(customers))


@pytest.mark.slow
@pytest.mark.parametrize("of_stage", [ENGAGED, COOLING])
def test_the_gain_is_what_keeping_adds_over_many_futures(shop, told, of_stage):
    _, customers, stages, true, lived, done = told
    more = brought(customers, done.lifetimes, shop) - brought(customers, lived, shop)
    assert (more[~done.kept] == 0).all()
    rows = stages == of_stage
    off = (more - true["keeps_voucher"] * true["gain"])[rows].to_numpy()
    assert abs(off.mean()) <= FAR * off.std() / np.sqrt(len(off))
    assert (true["gain"] == true["savable_probability"] * true["kept_value"]).all()


def test_what_they_add_in_the_horizon_is_what_is_expected(shop, told):
    _, customers, _, _, _, done = told
    totals = campaign_truth.offer_totals(
        customers, done, np.zeros(len(customers), np.int64), seed=shop.seed, day=shop.day
    )
    bought, margin = campaign_truth.horizon_totals(customers, done, seed=shop.seed, day=shop.day)
    for name, found in (("orders", bought), ("margin", margin)):
        error = np.sqrt((found[done.kept] ** 2).sum())
        assert totals[name][0] == pytest.approx(totals[f"expected_{name}"][0], abs=FAR * error)


def test_the_lives_of_the_kept_are_those_of_their_story(shop, told):
    story, customers, stages, _, lived, done = told
    latest = latest_lifetimes(done.lifetimes, len(customers))
    placed = orders(customers, done.lifetimes.ended(shop.day + HORIZON), seed=shop.seed)
    in_horizon = np.bincount(done.lifetimes.customer[placed.lifetime], minlength=len(customers))
    assert (in_horizon[done.kept] > 0).all()
    if story == ONE_ORDER:
        assert (in_horizon[done.kept] == 1).all()
        assert (latest.gone == lived.gone).all()
    elif story == FRESH_START:
        assert (latest.cooled > shop.day)[done.kept].all()
    else:
        assert (latest.cooled <= shop.day)[done.kept & (stages == COOLING)].all()


def test_only_the_story_differs(told):
    """Who is kept, who redeems, and what the shop can know before it is the same in all of them."""
    _, customers, stages, true, lived, done = told
    usual = replace(customers, world=replace(customers.world, kept=ANOTHER_FUTURE))
    assert done.kept.sum() > 200
    names = ["churn_probability", "savable_probability", "clv", "effect_voucher"]
    assert true[names].equals(truth(usual, stages, day=float(lived.start[0]))[names])
