"""CLV is the horizon's value and a tail that continues it, term by term."""

import numpy as np
import pytest

from features.errors import InputError
from models.bgnbd import BGNBD
from models.lifetime import clv

SHAPE = BGNBD(r=0.25, alpha=33.0, a=0.75, b=2.2, log_likelihood=0)
CUSTOMERS = {"frequency": [0, 1, 6, 300], "recency": [0.0, 12.0, 200.0, 4.0], "T": [40.0, 90.0, 210.0, 3000.0]}
VALUE = np.array([4.0, 10.0, 55.5, -2.0])


def worth(**terms: float) -> np.ndarray:
    return clv(VALUE, bgnbd=SHAPE, **CUSTOMERS, **terms)


def test_clv_is_the_sum_over_periods_written_out():
    horizon, lifetime, rate = 90, 1000, 0.12  # eleven whole periods and ten days
    for value, x, T, got in zip(
        VALUE, CUSTOMERS["frequency"], CUSTOMERS["T"], worth_of(horizon, lifetime, rate), strict=True
    ):
        expected, day = 0.0, 0
        first = SHAPE.expected_orders_if_alive(horizon, [x], [T])[0]
        while day < lifetime:
            end = min(day + horizon, lifetime)
            orders = SHAPE.expected_orders_if_alive(end, [x], [T])[0]
            if day:
                orders -= SHAPE.expected_orders_if_alive(day, [x], [T])[0]
            expected += value * orders / first / (1 + rate) ** ((day + end) / 2 / 365)
            day = end
        assert got == pytest.approx(expected, rel=1e-12)


def worth_of(horizon: float, lifetime: float, rate: float) -> np.ndarray:
    return worth(horizon_days=horizon, lifetime_days=lifetime, annual_discount_rate=rate)


def test_a_lifetime_of_one_horizon_is_the_horizons_value():
    assert worth_of(90, 90, 0) == pytest.approx(VALUE)
    assert worth_of(365, 365, 0.21) == pytest.approx(VALUE / 1.1)


def test_one_more_day_adds_about_a_days_worth():
    jump = worth_of(90, 91, 0) - VALUE
    assert (np.abs(jump) <= np.abs(VALUE) / 90).all()  # rates only fall
    assert (jump / VALUE > 0.5 / 90).all()


def test_splitting_time_finer_changes_nothing_undiscounted():
    half = SHAPE.expected_orders_if_alive(45, CUSTOMERS["frequency"], CUSTOMERS["T"])
    whole = SHAPE.expected_orders_if_alive(90, CUSTOMERS["frequency"], CUSTOMERS["T"])
    fine = clv(
        VALUE * half / whole, bgnbd=SHAPE, **CUSTOMERS, horizon_days=45, lifetime_days=720, annual_discount_rate=0
    )
    assert fine == pytest.approx(worth_of(90, 720, 0))


def test_discounting_and_a_shorter_life_lower_it():
    buyers = VALUE > 0
    assert (worth_of(90, 1095, 0.1) < worth_of(90, 1095, 0.05))[buyers].all()
    assert (worth_of(90, 730, 0.1) < worth_of(90, 1095, 0.1))[buyers].all()


def test_a_long_dead_heavy_buyer_gets_a_number():
    dead = clv(
        [0.01], bgnbd=SHAPE, frequency=[900], recency=[30.0], T=[4000.0],
        horizon_days=90, lifetime_days=1095, annual_discount_rate=0.1,
    )  # fmt: skip
    assert SHAPE.expected_orders(90, [900], [30.0], [4000.0])[0] == 0
    assert 0.01 < dead[0] < 0.13


def test_impossible_terms_are_named():
    with pytest.raises(InputError, match="a lifetime of 30 days does not hold one horizon of 90 days"):
        worth_of(90, 30, 0.1)
    with pytest.raises(InputError, match="annual_discount_rate is -1"):
        worth_of(90, 365, -1)
    with pytest.raises(InputError, match="1 expected values for 4 customers"):
        clv([1.0], bgnbd=SHAPE, **CUSTOMERS, horizon_days=90, lifetime_days=365, annual_discount_rate=0.1)
