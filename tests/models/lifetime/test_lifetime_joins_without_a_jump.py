"""CLV is the horizon's value and a tail that continues it, term by term; it never prefers who ordered once."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import betainc

from features.errors import InputError, Refusal
from models.btyd import bgnbd, pareto_nbd
from models.btyd.bgnbd import BGNBD
from models.btyd.pareto_nbd import ParetoNBD
from models.lifetime.clv import Tail, clv, fit_tail

MEAN_ORDERS = 1.7
BG = Tail(BGNBD(r=0.25, alpha=33.0, a=0.75, b=2.2, log_likelihood=0), MEAN_ORDERS)
PARETO = Tail(ParetoNBD(r=0.55, alpha=74.0, s=0.6, beta=81.0, log_likelihood=0), MEAN_ORDERS)
CUSTOMERS = {"frequency": [0, 1, 6, 300], "recency": [0.0, 12.0, 200.0, 4.0], "T": [40.0, 90.0, 210.0, 3000.0]}
AGES = np.array(CUSTOMERS["T"])
VALUE = np.array([4.0, 10.0, 55.5, -2.0])


@pytest.fixture(params=[BG, PARETO], ids=["bgnbd", "pareto_nbd"])
def tail(request) -> Tail:
    return request.param


def worth(tail: Tail, horizon: float, lifetime: float, rate: float, value: np.ndarray = VALUE) -> np.ndarray:
    terms = {"horizon_days": horizon, "lifetime_days": lifetime, "annual_discount_rate": rate}
    return clv(value, tail=tail, **terms, **CUSTOMERS)


def orders(tail: Tail, t: float, T: float) -> float:
    """Expected orders in (T, T + t] up to a factor, without closed forms: a sum over orders, an integral over time."""
    shape = tail.purchase_model
    if isinstance(shape, ParetoNBD):
        return quad(lambda y: (1 + y / (shape.beta + T)) ** -shape.s, 0, t, epsabs=0, epsrel=1e-12)[0]
    z, k, stays, total, term = t / (shape.alpha + T + t), 0, 1.0, 0.0, np.inf
    while term > 1e-14 * total:
        k += 1
        term = stays * betainc(k, shape.r + MEAN_ORDERS, z)
        stays *= (shape.b + MEAN_ORDERS + k - 1) / (shape.a + shape.b + MEAN_ORDERS + k - 1)
        total += term
    return total


def test_clv_is_the_sum_over_periods_written_out(tail):
    horizon, lifetime, rate = 90, 1000, 0.12  # eleven whole periods and ten days
    for value, T, got in zip(VALUE, AGES, worth(tail, horizon, lifetime, rate), strict=True):
        expected, day, before = 0.0, 0, 0.0
        while day < lifetime:
            end = min(day + horizon, lifetime)
            until = orders(tail, end, T)
            expected += value * (until - before) / orders(tail, horizon, T) / (1 + rate) ** ((day + end) / 2 / 365)
            day, before = end, until
        assert got == pytest.approx(expected, rel=1e-9)


def test_a_lifetime_of_one_horizon_is_the_horizons_value(tail):
    assert worth(tail, 90, 90, 0) == pytest.approx(VALUE)
    assert worth(tail, 365, 365, 0.21) == pytest.approx(VALUE / 1.1)


def test_one_more_day_adds_about_a_days_worth(tail):
    jump = worth(tail, 90, 91, 0) - VALUE
    assert (np.abs(jump) <= np.abs(VALUE) / 90).all()  # rates only fall
    assert (jump / VALUE > 0.5 / 90).all()


def test_splitting_time_finer_changes_nothing_undiscounted(tail):
    share = tail.expected_orders(45, AGES) / tail.expected_orders(90, AGES)
    assert worth(tail, 45, 720, 0, VALUE * share) == pytest.approx(worth(tail, 90, 720, 0))


def test_discounting_and_a_shorter_life_lower_it(tail):
    buyers = VALUE > 0
    assert (worth(tail, 90, 1095, 0.1) < worth(tail, 90, 1095, 0.05))[buyers].all()
    assert (worth(tail, 90, 730, 0.1) < worth(tail, 90, 1095, 0.1))[buyers].all()


@pytest.mark.parametrize(
    "tail",
    [
        BG,
        PARETO,
        Tail(BGNBD(r=2.0, alpha=40.0, a=0.5, b=60.0, log_likelihood=0), 0.2),
        Tail(BGNBD(r=0.5, alpha=20.0, a=3.0, b=0.7, log_likelihood=0), 9.0),
        Tail(BGNBD(r=0.5, alpha=20.0, a=1.0, b=2.0, log_likelihood=0), 40.0),
        Tail(ParetoNBD(r=0.5, alpha=200.0, s=1.0, beta=3.0, log_likelihood=0), 2.0),
        Tail(ParetoNBD(r=0.5, alpha=3.0, s=40.0, beta=9000.0, log_likelihood=0), 2.0),
    ],
)
@pytest.mark.parametrize("days_since_order", [0.0, 10.0, 300.0])
def test_at_equal_value_and_recency_one_order_is_never_worth_more_than_several(tail, days_since_order):
    since_first = np.array([0.0, 0.5, 20.0, 90.0, 400.0, 3000.0])  # of the last order; 0: the only one
    found = clv(
        np.full(6, 25.0), tail=tail, horizon_days=90, lifetime_days=1095, annual_discount_rate=0.1,
        frequency=[0, 1, 300, 3, 1, 40], recency=since_first, T=since_first + days_since_order,
    )  # fmt: skip
    assert (np.diff(found) >= -1e-9).all()


def test_a_long_dead_heavy_buyer_gets_a_number(tail):
    dead = {"frequency": [900], "recency": [30.0], "T": [4000.0]}
    assert tail.purchase_model.probability_alive(**dead)[0] == pytest.approx(0, abs=1e-100)
    found = clv([0.01], tail=tail, **dead, horizon_days=90, lifetime_days=1095, annual_discount_rate=0.1)
    assert 0.01 < found[0] < 0.13


def history(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    T = rng.uniform(30, 600, 400).round()
    x = rng.geometric(0.5, 400) - 1
    return x, np.where(x > 0, (rng.random(400) * T).round(), 0.0), T


def test_the_likelier_shape_is_kept():
    past = history(1)
    tail = fit_tail(*past)
    fits = [bgnbd.fit(*past), pareto_nbd.fit(*past)]
    assert tail.purchase_model == max(fits, key=lambda one: one.log_likelihood)
    assert tail.frequency == past[0].mean()
    assert fit_tail(*(pd.Series(column) for column in past)) == tail


def test_a_shape_whose_maximum_cannot_be_found_is_left_out(monkeypatch):
    def refuse(*_: object) -> None:
        raise Refusal("the likelihood has no maximum that can be found")

    monkeypatch.setattr(bgnbd, "fit", refuse)
    assert isinstance(fit_tail(*history(1)).purchase_model, ParetoNBD)
    monkeypatch.setattr(pareto_nbd, "fit", refuse)
    with pytest.raises(Refusal, match="no maximum"):
        fit_tail(*history(1))


def test_a_tail_survives_json(tail):
    assert Tail.from_json(json.loads(json.dumps(tail.to_json(), allow_nan=False))) == tail


def test_impossible_terms_are_named(tail):
    with pytest.raises(InputError, match="a lifetime of 30 days is shorter than one horizon of 90 days"):
        worth(tail, 90, 30, 0.1)
    with pytest.raises(InputError, match="annual_discount_rate is -1"):
        worth(tail, 90, 365, -1)
    with pytest.raises(InputError, match="1 expected values for 4 customers"):
        worth(tail, 90, 365, 0.1, np.ones(1))
