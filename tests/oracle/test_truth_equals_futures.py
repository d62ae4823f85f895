"""What is said to be true of a customer is what happens in tens of thousands of his futures, and what calculus says."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from pipelines.simulator import parameters, season
from pipelines.simulator.buying import lines, orders
from pipelines.simulator.lifetimes import COOLING, ENGAGED, GONE
from pipelines.simulator.refunds import refunds
from pipelines.simulator.silence import silence
from pipelines.simulator.truth import truth
from pipelines.simulator.worth import expected_orders
from tests.oracle.counted import discount, service_costs

FUTURES = 20_000
SWING = parameters.SEASON_SWING
FAR = 4.5
"""Standard errors; of the hundred figures compared here, one in a thousand test runs would have one so far off."""


@pytest.fixture(scope="module", params=[(stage, kind) for stage in (ENGAGED, COOLING) for kind in range(4)])
def one(request, shop, base, stage, futures):
    """A customer of a stage and kind: his truth, the stage, and what came of many of his futures."""
    of_stage, kind = request.param
    who = np.flatnonzero((stage == of_stage) & (base.customers.kind == kind))[3]
    customers, stages = base.customers.take(np.full(FUTURES, who)), np.full(FUTURES, of_stage)
    lived = futures(customers, stages, branch=np.arange(1, FUTURES + 1))
    true = truth(base.customers.take(np.array([who])), stages[:1], day=shop.day).iloc[0]
    return true, outcomes(customers, lived, shop)


def outcomes(customers, lived, shop):
    """What came of each future, counted order by order."""
    day, horizon, lifetime = shop.day, parameters.HORIZON_DAYS, parameters.LIFETIME_DAYS
    placed = orders(customers, lived.ended(day + lifetime), seed=shop.seed)
    bought = lines(customers, lived, placed, seed=shop.seed)
    back = refunds(customers, lived, placed, bought, seed=shop.seed)
    after = placed.at - day
    gross = np.bincount(bought.order, bought.margin_cents, minlength=len(placed)) / 100
    in_time = back.at < day + horizon
    netted, all_netted = (
        gross - np.bincount(bought.order[back.line[some]], back.margin_cents[some], minlength=len(placed)) / 100
        for some in (in_time, np.ones(len(back), bool))
    )

    def total(weight):
        return np.bincount(placed.lifetime, weight, minlength=FUTURES)

    return {
        "orders": total(after < horizon),
        "value": total(np.where(after < horizon, netted, 0)),
        "clv": total((all_netted - parameters.DELIVERY_COST) * discount(after)) - service_costs(customers, lived, shop),
        "stage": lived.stage(day + horizon),
    }


def is_mean(said, found):
    """Whether a number may be the mean that a sample comes from."""
    return abs(found.mean() - said) <= FAR * found.std() / np.sqrt(len(found)) + 1e-9


def test_staying_orders_and_value_are_what_futures_have(one):
    true, done = one
    assert is_mean(true["churn_probability"], done["orders"] == 0)
    assert is_mean(true["expected_orders"], done["orders"])
    assert is_mean(true["expected_value"], done["value"])
    assert is_mean(true["clv"], done["clv"])


def test_what_keeping_is_worth_is_the_difference_between_futures_with_and_without_an_order(one):
    true, done = one
    stays = done["orders"] > 0
    apart = done["clv"][stays].mean() - done["clv"][~stays].mean()
    error = np.hypot(*(done["clv"][some].std() / np.sqrt(some.sum()) for some in (stays, ~stays)))
    assert abs(apart - true["kept_value"]) <= FAR * error


def test_silence_by_stage_is_what_futures_have(shop, base, stage, futures):
    """Everybody alive, one future each: as many are silent and in each stage then as is expected."""
    alive = np.flatnonzero(stage != GONE)
    customers, days = base.customers.take(alive), parameters.HORIZON_DAYS
    told = silence(customers, stage[alive], day=shop.day, days=days)
    lived = futures(customers, stage[alive], branch=1)
    silent = np.ones(len(alive), bool)
    silent[orders(customers, lived.ended(shop.day + days), seed=shop.seed).lifetime] = False
    then = lived.stage(shop.day + days)
    for at, likely in ((ENGAGED, told.engaged), (COOLING, told.cooling), (GONE, told.gone)):
        error = np.sqrt((likely * (1 - likely)).sum())
        assert abs((silent & (then == at)).sum() - likely.sum()) <= FAR * error


def test_silence_solves_the_equations_of_the_stages(shop, base, stage):
    """Kolmogorov's equations of staying silent, solved step by step in time."""
    days = parameters.HORIZON_DAYS
    rows = np.concatenate([np.flatnonzero(stage == of)[:10] for of in (ENGAGED, COOLING)])
    customers = base.customers.take(rows)
    told = silence(customers, stage[rows], day=shop.day, days=days)
    for place in range(len(rows)):
        rate, cooling, leaving = customers.ordering[place], customers.cooling[place], customers.leaving[place]

        def change(t, p, rate=rate, cooling=cooling, leaving=leaving):
            ordering = rate * season.season(shop.day + t, swing=SWING)
            engaged, cool, _ = p
            lost = (ordering + cooling) * engaged, (parameters.COOL_ORDERS * ordering + leaving) * cool
            return [-lost[0], cooling * engaged - lost[1], leaving * cool]

        start = np.eye(3)[stage[rows[place]]]
        found = solve_ivp(change, (0, days), start, rtol=1e-10, atol=1e-13).y[:, -1]
        assert [told.engaged[place], told.cooling[place], told.gone[place]] == pytest.approx(found, abs=1e-8)


def test_the_season_adds_up(shop):
    a, b = shop.day + 10.0, shop.day + 300.0

    def season_of(t):
        return season.season(t, swing=SWING)

    assert season.season_integral(a, b, swing=SWING) == pytest.approx(quad(season_of, a, b)[0], rel=1e-9)
    for rate in (1e-4, 0.01, 0.3):
        found = quad(lambda u, rate=rate: season_of(a + u) * np.exp(-rate * u), 0, 290, limit=200)[0]
        assert season.fading_season_integral(a, 290, rate, swing=SWING) == pytest.approx(found, rel=1e-9)


def test_equal_rates_of_cooling_and_leaving_are_no_division_by_nothing(shop, base):
    customers = base.customers.take(np.arange(50))
    near, same = (replace(customers, leaving=customers.cooling * factor) for factor in (1 + 1e-4, 1.0))
    how = {"day": shop.day, "days": 90}
    engaged = np.full(50, ENGAGED)
    assert expected_orders(same, engaged, **how) == pytest.approx(expected_orders(near, engaged, **how), rel=1e-3)


def test_the_gone_bring_nothing_and_cannot_be_kept(shop, base, stage):
    true = truth(base.customers, stage, day=shop.day)[stage == GONE]
    assert (true["churn_probability"] == 1).all()
    nothing = ["expected_orders", "expected_value", "clv", "kept_value", "effect_voucher", "effect_call"]
    assert (true[nothing] == 0).all(axis=None)
    for offer in parameters.OFFERS:
        assert true[f"profit_{offer.name}"].to_numpy() == pytest.approx(-offer.contact_cost)
