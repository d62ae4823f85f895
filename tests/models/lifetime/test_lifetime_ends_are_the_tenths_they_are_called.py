"""clv_p10 and clv_p90 are the 10 % and 90 % points of what a lifetime brings, at every risk: against lifetimes drawn
one by one, from processes that are known."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from models.btyd.pareto_nbd import ParetoNBD
from models.ensemble.baselines import purchase_history
from models.ensemble.intervals import Intervals
from models.evaluation.interval_places import interval_places
from models.lifetime import fit_state_value
from models.lifetime.contract_points import contract_points
from models.lifetime.lattice import LifetimeRows, lattice_of, window_weights
from models.lifetime.lifetime_spread import LifetimeSpread, extended_log_odds, points
from models.trees.feature_matrix import feature_rows

AS_OF = date(2025, 1, 1)
INPUTS = {"rate_told": None, "silent_quarters": None, "orders": None, "spend_total": None}
LEAVING = 0.1
"""The chance of leaving for good in a quarter."""
MARGIN = 8.0


def lives(customers: int, seed: int, quarters: int):
    """Orders by quarter of customers with rates of their own, (customers, quarters), and their rates."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(2, 1, customers)
    ends = rng.geometric(LEAVING, customers)
    alive = np.arange(quarters) < ends[:, None]
    return rng.poisson(rate[:, None] * alive), rate


def frame_at(orders, rate, quarter: int) -> pd.DataFrame:
    """What is known of them before a quarter; those who have not ordered by then are no customers."""
    past = orders[:, :quarter]
    silent = np.where(past.any(axis=1), (past[:, ::-1] > 0).argmax(axis=1), quarter)
    frame = pd.DataFrame({"rate_told": rate.round(1), "silent_quarters": silent.astype(float)})
    frame = frame.assign(orders=past.sum(axis=1).astype(float), customer_id=np.arange(len(rate)).astype(str))
    return frame.assign(spend_total=frame["orders"] * 20)[past.any(axis=1)]


@pytest.fixture(scope="module")
def learned():
    """A model of two years of log, today's customers, and what they bring in three years."""
    lattice = lattice_of(date(2023, 1, 1), as_of=AS_OF)
    assert lattice is not None
    orders, rate = lives(4000, 1, 20)
    last, near, parts = 8, lattice.near_windows, []
    for back in range(18, -1, -3):
        quarter = last - back // 3
        frame = frame_at(orders, rate, quarter)
        label = np.full((len(frame), near), np.nan)
        for window in range(min(near, back // 3)):
            label[:, window] = orders[frame.index, quarter + window]
        parts.append((frame.assign(months_back=back), label))
    frame, label = (
        pd.concat([part for part, _ in parts], ignore_index=True),
        np.concatenate([part for _, part in parts]),
    )
    place = {key: row for row, key in enumerate(zip(frame["customer_id"], frame["months_back"], strict=True))}
    later = [
        place.get((who, back - 12), -2) for who, back in zip(frame["customer_id"], frame["months_back"], strict=True)
    ]
    rows = LifetimeRows(lattice, frame, frame.pop("months_back").to_numpy(), np.array(later), label, label * MARGIN)
    model = fit_state_value.fit(rows, INPUTS, lifetime_days=1095, annual_discount_rate=0.0, seed=7, device="cpu")
    now = frame_at(orders, rate, last)
    came = orders[now.index, last:].sum(axis=1) * MARGIN
    return model, feature_rows(now.assign(as_of=pd.Timestamp(AS_OF)), INPUTS), came


def test_eight_of_ten_lifetimes_end_inside_at_every_risk(learned):
    model, rows, came = learned
    value, year = model.predict(rows, INPUTS, lifetime_days=1095, annual_discount_rate=0.0)
    log_odds = model.spread.nothing_log_odds(year, rows.frame["orders"].to_numpy())
    low, high = points(value, log_odds, model.spread.intervals)
    places = interval_places(came, low, high, expit(log_odds))
    assert 0.76 <= places.inside.mean() <= 0.86
    silent = rows.frame["silent_quarters"].to_numpy()
    for some in (silent == 0, silent == 1, (silent > 1) & (silent < 5), silent >= 5):
        # Wide rather than narrow: the value knows each customer's rate, which trees of others only guess.
        assert 0.74 <= places.inside[some].mean() <= 0.9
        assert expit(log_odds[some]).mean() == pytest.approx((came[some] == 0).mean(), abs=0.1)
    dead = silent >= 5
    assert (low[dead] == 0).all()
    assert ((high > 0) == (expit(log_odds) < 0.9)).all()


def test_ratios_ascend_and_have_a_mean_of_one(learned):
    model, _, _ = learned
    ratios = np.array(model.spread.intervals.ratios)
    assert (np.diff(ratios, axis=1) >= 0).all()
    assert np.diff(model.spread.intervals.edges).min(initial=1) > 0
    mean = ratios.mean(axis=1)
    assert mean == pytest.approx(np.ones(len(mean)), abs=0.12), "ratios to the value given an order"


def test_log_odds_of_nothing_are_the_regression_written_out_and_level_beyond_what_it_has_seen():
    spread = LifetimeSpread((0.5, -1.0, 0.1, -0.4, 0.05), ((-2.0, 2.0), (0.0, 3.0)), Intervals([], [[1.0] * 101]))
    year, orders = np.array([0.4, 1e9, 0.0]), np.array([5.0, 1e6, 1.0])
    expected = []
    for a, b in ((np.log(0.401), np.log(5)), (2.0, 3.0), (-2.0, 0.0)):
        expected.append(0.5 - a + 0.1 * a * a - 0.4 * b + 0.05 * a * b)
    assert spread.nothing_log_odds(year, orders) == pytest.approx(expected)


def test_points_are_those_of_the_mixture():
    """Nothing with 30 %, otherwise evenly between 0 and twice the value given an order."""
    ratios = Intervals([], [np.linspace(0, 2, 101).tolist()])
    low, high = points(np.array([70.0, 7.0]), logit(np.array([0.3, 0.95])), ratios)
    given = 70 / 0.7
    assert (low[0], high[0]) == pytest.approx((0.0, 2 * given * (0.9 - 0.3) / 0.7))
    assert (low[1], high[1]) == (0, 0)
    costs = points(np.array([-70.0]), logit(np.array([0.3])), ratios)
    assert np.concatenate(costs) == pytest.approx([-high[0], -low[0]]), "who costs more than they bring"


def test_a_contract_brings_its_payments_until_it_ends():
    """Against contracts drawn one by one: an end by the survival curve, payments of the first quarter in whole ones."""
    rng, draws = np.random.default_rng(4), 200_000
    weights = window_weights(91.25, 1095, 0.1)
    hazards = np.array([[0.05] * 12, [0.5] + [0.1] * 11, [3.0] + [0.2] * 11]).T
    running = np.exp(-np.cumsum(np.vstack([np.zeros(3), hazards]), axis=0))
    orders, ratios = np.array([3.0, 3.0, 1.4]), (0.8, 1.0, 1.1)
    low, high, nothing = contract_points(running, orders, weights, ratios)
    until = np.append(0.0, np.cumsum(weights))
    for row in range(3):
        left = -np.log(rng.random(draws))
        hazard_until = np.append(0.0, np.cumsum(hazards[:, row]))
        windows = np.interp(left, hazard_until, np.arange(13.0))
        count = orders[row] * np.interp(windows, np.arange(13.0), until)
        whole = np.floor(count + rng.random(draws))
        brought = np.where(windows < 1, whole, count) * rng.choice(ratios, draws)
        assert nothing[row] == pytest.approx((brought == 0).mean(), abs=0.04)
        for point, share in ((low[row], 0.1), (high[row], 0.9)):
            below, up_to = (brought < point - 1e-9).mean(), (brought <= point + 1e-9).mean()
            assert below - 0.02 <= share <= up_to + 0.02, "payments are whole ones: a point may hold many"


def test_without_years_to_learn_from_the_purchase_model_carries_the_horizon_half_way():
    shape = ParetoNBD(r=0.55, alpha=74.0, s=0.6, beta=81.0, log_likelihood=0)
    frame = pd.DataFrame({"repeat_orders": [0, 6], "recency_days": [40.0, 10.0], "tenure_days": [40.0, 210.0]})
    told = np.array([0.7, -1.0])
    found = extended_log_odds(told, frame, shape, horizon_days=90, lifetime_days=1095)
    near, far = (logit(shape.probability_of_order(days, *purchase_history(frame))) for days in (90, 1095))
    assert found == pytest.approx(((told - (far - near)) - far) / 2)
    assert (found < told).all()
