"""On a made-up base with three states and known chances to move between them, the value of each state is the truth.

Engaged customers order at a rate; each quarter some cool, and of those who cool some are gone. The exact expectation
of every later quarter is a power of one matrix.
"""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.lifetime import fit_state_value
from models.lifetime.lattice import LifetimeRows, lattice_of
from models.lifetime.window_season import Season
from models.trees import boosting
from models.trees.feature_matrix import feature_rows

AS_OF = date(2025, 1, 1)
RATE = np.array([2.0, 0.7, 0.0])
"""Orders a quarter while engaged, cooling and gone at its begin."""
MOVES = np.array([[0.9, 0.1, 0.0], [0.0, 0.6, 0.4], [0.0, 0.0, 1.0]])
"""Chances to be in each state a quarter later."""
MARGIN = 8.0
INPUTS = {"recency_days": None, "orders": None, "spend_total": None}


YOUNG = np.zeros(3)


def rates(windows: int) -> np.ndarray:
    """The true expected orders of each state in each quarter, (windows, 3)."""
    return np.array([np.linalg.matrix_power(MOVES, window) @ RATE for window in range(windows)])


def base(customers: int, seed: int) -> LifetimeRows:
    """Two years of that base, a cut-off a quarter; `recency_days` tells the state, and nothing else does."""
    rng = np.random.default_rng(seed)
    lattice = lattice_of(date(2023, 1, 1), as_of=AS_OF)
    assert lattice is not None
    quarters, near = lattice.months_back // 3 + 1, lattice.near_windows
    state = np.zeros((customers, quarters + 1), int)
    state[:, 0] = rng.choice(3, customers, p=[0.5, 0.2, 0.3])
    for quarter in range(quarters):
        draw = rng.random(customers)
        state[:, quarter + 1] = (draw[:, None] > np.cumsum(MOVES[state[:, quarter]], axis=1)).sum(axis=1)
    orders = rng.poisson(RATE[state[:, :quarters]])
    parts = []
    for quarter in range(quarters):
        back = 3 * (quarters - 1 - quarter)
        label = np.full((customers, near), np.nan)
        for window in range(min(near, back // 3)):
            label[:, window] = orders[:, quarter + window]
        now = state[:, quarter]
        frame = pd.DataFrame({"recency_days": now * 100.0, "orders": 5.0, "spend_total": 100.0})
        frame["customer_id"] = np.arange(customers).astype(str)
        parts.append((frame, np.full(customers, back), label))
    frame = pd.concat([part[0] for part in parts], ignore_index=True)
    later = np.arange(len(frame)) + 4 * customers
    months_back = np.concatenate([part[1] for part in parts])
    label = np.concatenate([part[2] for part in parts])
    return LifetimeRows(lattice, frame, months_back, np.where(months_back >= 12, later, -2), label, label * MARGIN)


@pytest.fixture(scope="module")
def model():
    return fit_state_value.fit(
        base(2500, 1), INPUTS, lifetime_days=1095, annual_discount_rate=0.1, seed=7, device="cpu"
    )


@pytest.fixture(scope="module")
def states():
    """A row of each state, and its matrix."""
    frame = pd.DataFrame({"recency_days": [0.0, 100.0, 200.0], "orders": 5.0, "spend_total": 100.0})
    return frame, boosting.matrix(frame, INPUTS)


def rows_of(frame):
    return feature_rows(frame.assign(as_of=pd.Timestamp("2025-01-01")), INPUTS)


def test_each_state_has_its_rate_in_every_quarter_of_three_years(model, states):
    found, true = model.rates(states[1], YOUNG, 3), rates(12)
    assert found.shape == (12, 3)
    years, true_years = (table.reshape(3, 4, 3).sum(axis=1) for table in (found, true))
    assert years[:, 0] == pytest.approx(true_years[:, 0], rel=0.08)
    assert years[:, 1] == pytest.approx(true_years[:, 1], rel=0.15, abs=0.05)
    assert (years[:, 2] < 0.02).all()


def test_who_is_cooling_fades_faster(model, states):
    found = model.rates(states[1], YOUNG, 3)
    engaged, cooling = (found[8:, state].sum() / found[:4, state].sum() for state in (0, 1))
    assert cooling < 0.5 * engaged


def test_the_value_is_the_discounted_sum_of_the_windows(model, states):
    frame, data = states
    found, year_orders = model.predict(rows_of(frame), INPUTS, lifetime_days=1000, annual_discount_rate=0.1)
    table, expected, begin = model.rates(data, YOUNG, 3), np.zeros(3), 0.0
    assert year_orders == pytest.approx(table[:4].sum(axis=0))
    for rate in table:
        end = min(begin + 365 / 4, 1000)
        season = model.season.at((date(2025, 1, 1) - date(1970, 1, 1)).days + begin)
        disguise = model.season.of_cut_off((date(2025, 1, 1) - date(1970, 1, 1)).days)
        expected += rate * season * disguise * (end - begin) / (365 / 4) / 1.1 ** ((begin + end) / 2 / 365)
        begin = end
    assert found == pytest.approx(expected * model.margin.of(data, frame), rel=1e-9)
    assert model.margin.of(data, frame) == pytest.approx(MARGIN, rel=0.02)


def test_in_the_season_of_another_day_only_the_windows_ahead_are_other_ones(model, states):
    """A season and a disguise are planted: the disguise, and what recent orders owe to the season, stay as they are."""
    frame, data = states
    seasonal = replace(model, season=Season((0.5, 0.2), (0.1, -0.1)))
    rows = rows_of(frame)
    terms = {"lifetime_days": 300, "annual_discount_rate": 0.1}
    other = date(2024, 8, 1)
    then, today = ((day - date(1970, 1, 1)).days for day in (other, date(2025, 1, 1)))
    expected = np.zeros(3)
    for window, rate in enumerate(seasonal.rates(data, YOUNG, 1)):
        begin, end = window * 365 / 4, min((window + 1) * 365 / 4, 300)
        angle = 2 * np.pi * (then + begin) / 365.25
        wave = 1 + 0.5 * np.cos(angle) + 0.2 * np.sin(angle)
        expected += rate * wave * (end - begin) / (365 / 4) / 1.1 ** ((begin + end) / 2 / 365)
    angle = 2 * np.pi * today / 365.25
    expected *= (1 + 0.1 * np.cos(angle) - 0.1 * np.sin(angle)) * seasonal.margin.of(data, frame)
    assert seasonal.predict(rows, INPUTS, **terms, season_of=other)[0] == pytest.approx(expected, rel=1e-9)
    own = seasonal.predict(rows, INPUTS, **terms)[0]
    assert (seasonal.predict(rows, INPUTS, **terms, season_of=date(2025, 1, 1))[0] == own).all()
    assert (own[:2] > 1.05 * expected[:2]).all()


def test_a_longer_life_and_a_lower_discount_are_worth_more(model, states):
    rows = rows_of(states[0])

    def value(lifetime_days, rate):
        return model.predict(rows, INPUTS, lifetime_days=lifetime_days, annual_discount_rate=rate)[0]

    assert (value(400, 0.1) < value(1095, 0.1)).all()
    assert (value(1095, 0.1) < value(1095, 0.0)).all()
    assert (value(3650, 1.0) > 0).all()


def test_those_who_left_bring_nothing_later():
    rows = base(1000, 2)
    left = LifetimeRows(
        rows.lattice,
        rows.frame,
        rows.months_back,
        np.where(rows.year_later >= 0, -1, rows.year_later),
        rows.orders,
        rows.margin,
    )
    fitted = fit_state_value.fit(left, INPUTS, lifetime_days=1095, annual_discount_rate=0.1, seed=7, device="cpu")
    data = boosting.matrix(rows.frame.iloc[:3], INPUTS)
    found = fitted.rates(data, YOUNG, 3)
    assert (found[4:].sum(axis=0) < 0.02 * found[:4].sum(axis=0) + 0.02).all()


def test_the_same_rows_and_seed_give_the_same_trees(model):
    again = fit_state_value.fit(
        base(2500, 1), INPUTS, lifetime_days=1095, annual_discount_rate=0.1, seed=7, device="cpu"
    )
    assert [boosting.to_ubj(one) for one in again.near] == [boosting.to_ubj(one) for one in model.near]
    assert again.margin.shrunk == model.margin.shrunk
    assert again.spread == model.spread


def test_with_a_year_of_cut_offs_missing_it_says_so():
    rows = base(400, 3)
    recent = rows.months_back <= 18
    short = LifetimeRows(
        rows.lattice,
        rows.frame[recent].reset_index(drop=True),
        rows.months_back[recent],
        np.where(rows.year_later[recent] >= 0, rows.year_later[recent] - (~recent).sum(), -2),
        rows.orders[recent],
        rows.margin[recent],
    )
    fitted = fit_state_value.fit(short, INPUTS, lifetime_days=365, annual_discount_rate=0.1, seed=7, device="cpu")
    assert fitted.season == Season()
    assert any("season is not known" in doubt for doubt in fitted.doubts)
    assert len(fitted.near) == 4
    assert len(fitted.later) == 0


def test_costs_to_serve_are_taken_off_as_long_as_orders_last(model, states):
    """A quarter costs three for each order that is expected in it, whether it comes or not."""
    rows, rate = base(2500, 1), RATE[base(2500, 1).frame["recency_days"].to_numpy(int) // 100]
    costs = np.random.default_rng(3).poisson(3.0 * rate).astype(float)
    net = fit_state_value.fit(
        replace(rows, costs=costs), INPUTS, lifetime_days=1095, annual_discount_rate=0.1, seed=7, device="cpu"
    )
    before, after = (
        fitted.predict(rows_of(states[0]), INPUTS, lifetime_days=1095, annual_discount_rate=0.0)[0][:2]
        for fitted in (model, net)
    )
    assert after / before == pytest.approx(np.full(2, 1 - 3.0 / MARGIN), rel=0.03)
