"""What is said to be true of the customers of each world is what their futures bring, and what calculus says."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from features.clock import YEAR_DAYS
from pipelines.simulator import campaign_truth, parameters
from pipelines.simulator.buying import lines, orders
from pipelines.simulator.contact_response import respond_to_contacts
from pipelines.simulator.lifetimes import COOLING, ENGAGED, GONE, draw_lifetimes
from pipelines.simulator.refunds import refunds
from pipelines.simulator.scenario import Scenario, customer_chunk
from pipelines.simulator.truth import truth
from pipelines.simulator.worlds import WORLDS
from pipelines.simulator.worth import expected_orders, order_margin
from tests.oracle.counted import discount, service_costs

HORIZON, LIFETIME = parameters.HORIZON_DAYS, parameters.LIFETIME_DAYS
FALLS = np.log1p(parameters.ANNUAL_DISCOUNT_RATE) / YEAR_DAYS
FUTURES = 3
"""Of each customer."""
FAR = 4.5
"""Standard errors."""
OTHERS = [name for name in WORLDS if name != "standard"]
"""tests/oracle/test_truth_equals_futures.py judges the standard world in detail."""


@pytest.fixture(scope="module", params=OTHERS)
def world(request):
    """The customers of a world who are alive on its day, and their stages."""
    shop = Scenario(customers=8000, days=730, seed=11, as_of=date(2025, 3, 1), world_name=request.param)
    everyone = customer_chunk(shop, np.arange(shop.customers))
    stage = everyone.lifetimes.stage(shop.day)
    alive = np.flatnonzero(stage != GONE)
    return shop, everyone.customers.take(alive), stage[alive]


@pytest.fixture(scope="module")
def futures(world):
    """The truth of each future's customer, and what came of it, counted order by order."""
    shop, customers, stage = world
    true = truth(customers, stage, day=shop.day)
    again = np.repeat(np.arange(len(customers)), FUTURES)
    branch = np.tile(np.arange(1, FUTURES + 1), len(customers))
    start = {"start": float(shop.day), "stage": stage[again]}
    lived = draw_lifetimes(customers, again, seed=shop.seed, branch=branch, **start)
    placed = orders(customers, lived.ended(shop.day + LIFETIME), seed=shop.seed)
    bought = lines(customers, lived, placed, seed=shop.seed)
    back = refunds(customers, lived, placed, bought, seed=shop.seed)
    after = placed.at - shop.day
    assert (after >= 0).all()
    gross = np.bincount(bought.order, bought.margin_cents, minlength=len(placed)) / 100
    netted, netted_in_time = (
        gross - np.bincount(bought.order[back.line[some]], back.margin_cents[some], minlength=len(placed)) / 100
        for some in (np.ones(len(back), bool), back.at < shop.day + HORIZON)
    )

    def total(weight):
        return np.bincount(placed.lifetime, weight, minlength=len(lived))

    bought_in_time = total(after < HORIZON)
    left = lived.gone < shop.day + HORIZON if shop.world.contract else bought_in_time == 0
    done = {
        "churn_probability": left * 1.0,
        "expected_orders": bought_in_time,
        "expected_value": total(np.where(after < HORIZON, netted_in_time, 0)),
        "clv": total((netted - parameters.DELIVERY_COST) * discount(after)) - service_costs(customers, lived, shop),
    }
    return true.iloc[again].reset_index(drop=True), done


@pytest.mark.slow
@pytest.mark.parametrize("name", ["churn_probability", "expected_orders", "expected_value", "clv"])
def test_the_truth_is_what_futures_bring_in_total_and_at_each_risk(futures, name):
    true, done = futures
    risk = true["churn_probability"].to_numpy()
    bands = np.searchsorted(np.quantile(risk, [0.25, 0.5, 0.75, 0.9]), risk)
    apart = done[name] - true[name].to_numpy()
    for some in (np.full(len(true), True), *(bands == band for band in range(5))):
        error = np.sqrt((apart[some] ** 2).sum())
        assert abs(apart[some].sum()) <= FAR * error + 1e-9
    assert np.sqrt((apart**2).sum()) < 0.04 * true[name].sum(), "an error that could be seen"


@pytest.mark.slow
def test_what_keeping_is_worth_is_what_stayers_bring_more_than_leavers(futures):
    """Of all customers weighted by p (1 − p): E[clv (stays − (1 − p))] = p (1 − p) W."""
    true, done = futures
    p, worth = true["churn_probability"].to_numpy(), true["kept_value"].to_numpy()
    apart = (done["clv"] - true["clv"].to_numpy()) * (p - done["churn_probability"]) - p * (1 - p) * worth
    assert abs(apart.sum()) <= FAR * np.sqrt((apart**2).sum())


def test_a_campaign_keeps_and_brings_what_is_expected_of_it(world):
    """A call to everybody alive, against their lifetimes without it."""
    shop, customers, stage = world
    start = {"branch": 9, "start": float(shop.day), "stage": stage}
    lived = draw_lifetimes(customers, np.arange(len(customers)), seed=shop.seed, **start)
    offer, how = np.ones(len(customers), np.int64), {"seed": shop.seed, "day": shop.day}
    done = respond_to_contacts(customers, lived, offer, days=HORIZON, **how)
    totals = campaign_truth.totals_as_json(campaign_truth.offer_totals(customers, done, offer, **how))
    assert totals["kept"] == done.kept.sum() > 40
    assert totals["kept"] == pytest.approx(totals["expected_kept"], abs=FAR * np.sqrt(totals["expected_kept"]))
    with_call = campaign_truth.horizon_totals(customers, done, **how)
    without = campaign_truth.horizon_totals(customers, replace(done, lifetimes=lived), **how)
    for name, after, before in zip(("orders", "margin"), with_call, without, strict=True):
        more = after - before
        assert (more[~done.kept] == 0).all()
        assert totals[name] == pytest.approx(more.sum())
        assert totals[name] == pytest.approx(totals[f"expected_{name}"], abs=FAR * np.sqrt((more**2).sum()))


def risk(world, tenure):
    """The factor of the rates at a tenure."""
    return 1.0 if world.contract is None else [by for start, by in world.contract.risk if start <= tenure][-1]


def by_calculus(world, customer, stage, day, joined):
    """Kolmogorov's equations, step by step: p, the discounted orders of the lifetime, and those of leavers."""
    ordering, cooling, leaving, sudden = (*customer, world.sudden)
    year = 2 * np.pi / parameters.SEASON_YEAR

    def change(t, state):
        """Engaged and cooling; the same of those who have not ordered, and those gone; discounted orders."""
        by = risk(world, day + t - joined)
        swing = 0 if world.contract else world.season_swing
        rate = ordering * (1 + swing * np.cos(year * (day + t - parameters.SEASON_PEAK)))
        engaged, cool, silent, silent_cool, _, _ = state
        return [
            -by * cooling * engaged,
            by * ((1 - sudden) * cooling * engaged - leaving * cool),
            -(rate + cooling) * silent,
            (1 - sudden) * cooling * silent - (parameters.COOL_ORDERS * rate + leaving) * silent_cool,
            sudden * cooling * silent + leaving * silent_cool,
            rate * (engaged + parameters.COOL_ORDERS * cool) * np.exp(-FALLS * t),
        ]

    def states(begins, stops):
        found = {stops[0]: np.array(begins, dtype=float)}
        for a, b in pairwise(stops):
            found[b] = solve_ivp(change, (a, b - 1e-9), found[a], rtol=1e-9, atol=1e-13).y[:, -1]
        return found

    begins, h, end = [stage == ENGAGED, stage == COOLING] * 2 + [0, 0], float(HORIZON), float(LIFETIME)
    if world.contract is None:
        found = states(begins, [0.0, h, end])
        later = states([*found[h][2:4], 0, 0, 0, 0], [h, end])[end][5]
        return found[h][2:5].sum(), found[end][5], later
    dates = joined - day + world.contract.days_between_payments * np.arange(200)
    dates = [float(t) for t in dates if 0 <= t < end]
    changes = [joined + start - day for start, _ in world.contract.risk]
    there = states(begins, sorted({0.0, h, end, *dates, *(t for t in changes if 0 < t < end)}))
    there = {t: at[:2].sum() for t, at in there.items()}
    paid = sum(there[t] * np.exp(-FALLS * t) for t in dates)
    return 1 - there[h], paid, sum((there[t] - there[h]) * np.exp(-FALLS * t) for t in dates if t < h)


def test_the_truth_solves_the_equations_of_the_stages(world, monkeypatch):
    """The customers who order most often and least often, and others of each stage; futures judge their service."""
    monkeypatch.setattr(parameters, "SERVICE_COST", 0.0)
    shop, customers, stage = world
    rows = [np.argmax(customers.ordering), np.argmin(customers.ordering), np.argmax(customers.leaving)]
    rows += [row for of in (ENGAGED, COOLING) for row in np.flatnonzero(stage == of)[:2]]
    some, stages = customers.take(np.array(rows)), stage[rows]
    true, rate = truth(some, stages, day=shop.day), parameters.ANNUAL_DISCOUNT_RATE
    told = expected_orders(some, stages, day=shop.day, days=LIFETIME, annual_rate=rate)
    for place, at in enumerate(stages):
        customer = some.ordering[place], some.cooling[place], some.leaving[place]
        p, brought, by_leavers = by_calculus(shop.world, customer, at, shop.day, some.joined[place])
        said = true.loc[place, "churn_probability"], told[place]
        assert said == pytest.approx((p, brought), rel=1e-5, abs=1e-8)
        each = true.loc[place, "clv"] / told[place]
        worth = each * ((brought - by_leavers) / (1 - p) - by_leavers / p)
        assert true.loc[place, "kept_value"] == pytest.approx(worth, rel=1e-3)


def test_an_order_brings_in_what_its_customer_spends(world):
    """The margin of an order by hand: a basket's mean margin of the mean order."""
    _, customers, _ = world
    for row in (0, 7, 70):
        kind = parameters.KINDS[customers.kind[row]]
        share = sum(part * margin for part, margin in zip(kind.basket, parameters.MARGINS, strict=True))
        assert order_margin(customers)[row] == pytest.approx(customers.mean_order[row] * share)
