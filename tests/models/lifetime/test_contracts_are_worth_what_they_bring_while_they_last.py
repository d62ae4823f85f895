"""Under a contract: survival by tenure and state, on made-up contracts whose hazards are known."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.lifetime import fit_contract_value
from models.lifetime.contract_value import WINDOW_DAYS
from models.lifetime.fit_contract_value import FEWEST_LEFT, hazard_by_tenure
from models.lifetime.lattice import LifetimeRows, lattice_of, row_later
from models.lifetime.tenure_fade import TenureHazard
from models.trees import boosting
from models.trees.feature_matrix import feature_rows

AS_OF = date(2025, 1, 1)
INPUTS = {"tenure_days": None, "complaint_count": None, "orders": None, "spend_total": None}
MARGIN, ORDERS = 8.0, 3
CALM, ANGRY = 0.04, 0.30
"""Hazards of a window of a customer who complained and of one who did not, at a tenure of a year."""


def true_hazard(tenure_days, angry):
    """Falls with tenure; who complained once stays angry."""
    return np.where(angry, ANGRY, CALM) * ((tenure_days + 30) / 395) ** -0.4


def contracts(customers, seed, hazard=true_hazard):
    """A log of two years; customers join in its first year, and pay three times a window until they leave."""
    rng = np.random.default_rng(seed)
    lattice = lattice_of(date(2023, 1, 1), as_of=AS_OF, is_contractual=True)
    assert lattice is not None
    tenure, angry = rng.uniform(0, 300, customers), rng.random(customers) < 0.3
    running = np.ones(customers, bool)
    parts = []
    for back in range(lattice.months_back // 3 * 3, -1, -3):
        leaves = rng.random(customers) < -np.expm1(-hazard(tenure, angry))
        frame = pd.DataFrame(
            {
                "customer_id": np.arange(customers).astype(str),
                "tenure_days": tenure,
                "complaint_count": angry * 1.0,
                "orders": 5.0,
                "spend_total": 100.0,
            }
        )
        parts.append(frame.assign(months_back=back, left=leaves & (back >= 3))[running])
        running = running & ~leaves
        tenure = tenure + WINDOW_DAYS
    frame = pd.concat(parts).sort_values(["customer_id", "months_back"], ascending=[True, False], ignore_index=True)
    months_back, left = frame.pop("months_back").to_numpy(), frame.pop("left").to_numpy()
    orders = np.full((len(frame), lattice.near_windows), np.nan)
    orders[:, 0] = np.where(months_back >= 3, np.where(left, 1, ORDERS), np.nan)
    later = row_later(frame["customer_id"], months_back, 12)
    return LifetimeRows(lattice, frame, months_back, later, orders, orders * MARGIN, left)


@pytest.fixture(scope="module")
def model():
    fitted = fit_contract_value.fit(contracts(6000, 1), INPUTS, seed=7, device="cpu")
    assert fitted is not None
    return fitted


@pytest.fixture(scope="module")
def four():
    """Rows of a calm and an angry customer of a hundred days, and of two years."""
    frame = pd.DataFrame({"tenure_days": [100.0, 100, 730, 730], "complaint_count": [0.0, 1, 0, 1], "orders": 5.0})
    return feature_rows(frame.assign(spend_total=100.0, as_of=pd.Timestamp(AS_OF)), INPUTS)


def true_survival(tenure, angry, windows):
    hazards = [true_hazard(tenure + window * WINDOW_DAYS, angry) for window in range(windows)]
    return np.exp(-np.cumsum([np.zeros(len(tenure)), *hazards], axis=0))


def test_survival_follows_state_and_tenure_beyond_what_the_log_has_seen(model, four):
    found = model.survival(four.matrix(INPUTS), four.frame, 12)
    tenure, angry = four.frame["tenure_days"].to_numpy(), four.frame["complaint_count"].to_numpy() > 0
    true = true_survival(tenure, angry, 12)
    assert found.shape == (13, 4)
    assert (np.diff(found, axis=0) < 0).all()
    assert found[4, :3] == pytest.approx(true[4, :3], abs=0.06)
    assert found[4, 3] == pytest.approx(true[4, 3], abs=0.15), "of whom hardly anybody is left to learn from"
    assert found[12] == pytest.approx(true[12], abs=0.15)
    assert found[12, 2] > found[12, 0], "the longer they have stayed, the fewer leave"


def test_the_value_is_what_is_paid_in_each_window_while_it_runs(model, four):
    found = model.predict(four, INPUTS, lifetime_days=1000, annual_discount_rate=0.1).value
    running, expected, begin = model.survival(four.matrix(INPUTS), four.frame, 11), np.zeros(4), 0.0
    for window in range(11):
        end = min(begin + WINDOW_DAYS, 1000)
        share = (end - begin) / WINDOW_DAYS
        expected += share * (running[window] + running[window + 1]) / 2 / 1.1 ** ((begin + end) / 2 / 365)
        begin = end
    assert found == pytest.approx(expected * ORDERS * MARGIN, rel=0.03)


def test_what_sets_customers_apart_lasts_where_it_does(model):
    assert min(model.lasting) > 0.8


def test_what_does_not_last_is_let_go():
    rows, rng = contracts(6000, 3), np.random.default_rng(1)
    moods = rng.integers(0, 2, len(rows.frame)) * 1.0
    left = rows.left | ((moods > 0) & (rng.random(len(moods)) < 0.3) & (rows.months_back >= 3))
    moody = replace(rows, frame=rows.frame.assign(complaint_count=moods), left=left)
    fitted = fit_contract_value.fit(moody, INPUTS, seed=7, device="cpu")
    assert max(fitted.lasting) < 0.1


def test_a_planted_fall_with_tenure_is_found_and_a_rise_is_kept_level():
    rng = np.random.default_rng(4)
    tenure = rng.uniform(0, 700, 60_000)
    for slope, kept in ((-0.5, -0.5), (0.5, 0.0)):
        planted = TenureHazard(np.log(0.1) - slope * np.log(395), slope)
        left = rng.random(len(tenure)) < -np.expm1(-planted.of(tenure))
        found = hazard_by_tenure(tenure, left)
        assert found.slope == pytest.approx(kept, abs=0.05)
        assert found.of(tenure).mean() == pytest.approx(-np.log1p(-left.mean()), rel=0.06)


def test_without_ends_of_contracts_there_is_no_survival_to_learn():
    rows = contracts(300, 5)
    few = np.zeros(len(rows.frame), bool)
    few[np.flatnonzero(rows.months_back >= 3)[: FEWEST_LEFT - 1]] = True
    assert fit_contract_value.fit(replace(rows, left=few), INPUTS, seed=7, device="cpu") is None


def test_the_same_rows_and_seed_give_the_same_trees(model):
    again = fit_contract_value.fit(contracts(6000, 1), INPUTS, seed=7, device="cpu")
    assert boosting.to_ubj(again.leaving) == boosting.to_ubj(model.leaving)
    assert (again.by_tenure, again.lasting) == (model.by_tenure, model.lasting)


def test_the_row_of_a_later_month_is_the_same_customers():
    ids, back = pd.Series(["b", "a", "a", "b", "a"]), np.array([6, 6, 3, 0, 0])
    assert row_later(ids, back, 3).tolist() == [-1, 2, 4, -2, -2]
    assert row_later(ids, back, 6).tolist() == [3, 4, -2, -2, -2]
