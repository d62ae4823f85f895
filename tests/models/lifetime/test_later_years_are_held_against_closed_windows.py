"""What trees say of the first later year is raised to what its closed windows brought, as far as they tell."""

from types import SimpleNamespace

import numpy as np
import pytest

from models.lifetime.fit_state_value import _first_step
from models.lifetime.lattice import QUARTER, YEAR
from models.lifetime.window_season import Season

NEAR = 4


def log_of(customers: int, *, came: float, seed: int = 3):
    """Customers at cut-offs 24, 21, … 0 months back who bring one order a window, in the year after `came`."""
    backs = np.arange(24, -1, -3)
    months_back = np.repeat(backs, customers)
    row = np.arange(len(months_back))
    year_later = np.where(months_back >= YEAR, row + YEAR // 3 * customers, -2)
    open_windows = months_back[:, None] < QUARTER * (np.arange(NEAR) + 1)
    orders = np.random.default_rng(seed).poisson(came, (len(row), NEAR)).astype(float)
    orders[open_windows] = np.nan
    lattice = SimpleNamespace(window_months=QUARTER, days=lambda back: 19_000.0 - 30 * back)
    return SimpleNamespace(lattice=lattice, months_back=months_back, year_later=year_later, orders=orders)


def step(rows, *, told: float) -> float:
    return _first_step(rows, [np.ones(len(rows.months_back))] * NEAR, np.full(len(rows.months_back), told), Season())


def test_a_step_that_says_too_much_is_lowered_to_what_came():
    assert step(log_of(4000, came=0.5), told=0.6) == pytest.approx(0.5 / 0.6, abs=0.02)
    assert step(log_of(4000, came=0.5), told=0.45) == pytest.approx(0.5 / 0.45, abs=0.02)


def test_a_few_orders_change_little():
    """Twenty customers bring a hundred orders, each counted in twelve cut-offs: that is worth about ten."""
    assert abs(step(log_of(20, came=0.5), told=0.6) - 1) < 0.04


def test_who_has_left_brings_nothing():
    rows = log_of(4000, came=0.5)
    half = np.arange(len(rows.months_back)) % 2 == 0
    rows.year_later[half & (rows.year_later >= 0)] = -1
    assert step(rows, told=0.5) == pytest.approx(0.5, abs=0.04)


def test_where_no_window_has_closed_nothing_changes():
    rows = log_of(100, came=0.5)
    rows.months_back[:] = YEAR
    assert step(rows, told=0.1) == 1.0
