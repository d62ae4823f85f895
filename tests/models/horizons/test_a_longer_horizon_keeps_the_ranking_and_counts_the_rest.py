"""A model that learned on shorter windows: who orders is carried on, how many order is counted."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import rankdata

from models.btyd.gamma_gamma import fit as fit_spend
from models.btyd.pareto_nbd import ParetoNBD
from models.ensemble import stacking
from models.ensemble.baselines import BuyTillYouDie, purchase_history, repeat_spend
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction
from models.horizons import longer_horizon
from models.horizons.longer_horizon import LongerHorizon

DAY, NEAR, FAR, MARGIN = date(2024, 1, 1), 60, 200, 0.4
COUNTING = ParetoNBD(r=0.8, alpha=60.0, s=0.7, beta=90.0, log_likelihood=0.0)
LEVEL = SeasonalCalibration(["2023-09-01", "2023-11-01"], [0.2, -0.1], [0.1, 0.3])
STEADY = SeasonalCalibration(["2023-09-01", "2023-11-01"], [0.1, 0.2], [0.0, 0.0])
AFTER_THE_PEAK = SeasonalCalibration(["2023-07-01", "2023-09-01", "2023-11-01"], [0.0, 0.1, 1.2], [0.0, 0.0, 0.0])


@pytest.fixture(scope="module")
def known() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    orders, age = rng.poisson(1.5, 500), rng.uniform(20, 240, 500)
    recency = np.where(orders, age * rng.random(500), 0.0)
    spend = rng.lognormal(3, 0.5, 500)
    return pd.DataFrame(
        {
            "as_of": pd.Timestamp(DAY),
            "repeat_orders": orders.astype(float),
            "tenure_days": age,
            "recency_days": age - recency,
            "spend_first_order": spend,
            "spend_total": spend * (1 + orders * rng.lognormal(0, 0.3, 500)),
        }
    )


@pytest.fixture(scope="module")
def blended(known) -> LogPrediction:
    rng = np.random.default_rng(6)
    return LogPrediction(0.02 * known["recency_days"].to_numpy() + rng.normal(0, 0.5, 500), rng.normal(3, 0.7, 500))


def extended(blended, known, counted, **changes) -> tuple[LongerHorizon, LogPrediction]:
    """The way to the horizon, and the prediction of the known customers over it."""
    settings = {
        "calibration": LEVEL,
        "counted": counted,
        "purchase_model": COUNTING,
        "learned_days": NEAR,
        "horizon_days": FAR,
        "margin_rate": MARGIN,
        "orders_given_one": np.full(len(known), 1.3),
        "trees_share": 0.6,
    } | changes
    way, calibration = longer_horizon.fit(blended, known, **settings)
    near = calibration.calibrate(blended, as_of=known["as_of"].to_numpy())
    return way, way.extend(near, purchase_history(known), settings["purchase_model"])


def test_as_many_order_as_the_counting_model_says_and_the_ranking_stays(known, blended):
    way, far = extended(blended, known, STEADY)
    assert (1 - far.no_order).sum() == pytest.approx(
        COUNTING.probability_of_order(FAR, *purchase_history(known)).sum(), rel=1e-6
    )
    np.testing.assert_array_equal(rankdata(far.log_odds), rankdata(blended.log_odds))
    np.testing.assert_allclose(far.log_odds - blended.log_odds, far.log_odds[0] - blended.log_odds[0], atol=1e-9)
    assert way.log_odds < 0, "more order within the longer horizon"


def test_value_keeps_its_ranking_and_its_total_is_the_root_of_both_totals(known, blended):
    _, far = extended(blended, known, STEADY)
    near = blended.shifted(np.mean(LEVEL.log_odds), np.mean(LEVEL.log_value)).expected_value
    np.testing.assert_allclose(far.expected_value / near, far.expected_value[0] / near[0], rtol=1e-9)
    history = purchase_history(known)
    carried = (
        near.sum() * COUNTING.expected_orders(FAR, *history).sum() / COUNTING.expected_orders(NEAR, *history).sum()
    )
    spend = fit_spend(*repeat_spend(known)).expected_value(*repeat_spend(known))
    counted = (COUNTING.expected_orders(FAR, *history) * spend).sum() * MARGIN
    assert far.expected_value.sum() == pytest.approx(np.sqrt(carried * counted), rel=1e-9)


def test_expected_orders_grow_as_counted(known, blended):
    way, far = extended(blended, known, STEADY)
    near = expit(-blended.shifted(np.mean(LEVEL.log_odds), 0).log_odds) * 1.3
    history = purchase_history(known)
    times = COUNTING.expected_orders(FAR, *history).sum() / COUNTING.expected_orders(NEAR, *history).sum()
    assert ((1 - far.no_order) * 1.3 * way.orders_factor).sum() == pytest.approx(near.sum() * times, rel=1e-9)


def test_a_counting_model_that_serves_alone_says_what_it_says_of_the_horizon(known):
    alone = BuyTillYouDie(COUNTING, fit_spend(*repeat_spend(known)), NEAR, MARGIN)
    way, far = extended(stacking.log_prediction_of(alone.predict(known)), known, None)
    wanted = replace(alone, horizon_days=FAR).predict(known)
    assert way.by_customer
    np.testing.assert_allclose(far.no_order, wanted.churn_probability, rtol=1e-6)
    np.testing.assert_allclose(far.expected_value, wanted.expected_value, rtol=1e-5)


def test_after_a_level_far_from_the_usual_each_customer_is_moved_by_the_counting_model(known, blended):
    way, far = extended(blended, known, AFTER_THE_PEAK)
    assert (way.by_customer, way.log_odds, way.log_value) == (True, 0.0, 0.0)
    near = LEVEL.calibrate(blended, as_of=known["as_of"].to_numpy())
    assert (far.no_order <= near.no_order).all()
    assert (far.expected_value >= near.expected_value).all()


def test_where_counting_ranks_each_customer_is_moved_by_it_half_way_to_its_totals(known, blended):
    way, far = extended(blended, known, STEADY, trees_share=0.4)
    _, own = extended(blended, known, AFTER_THE_PEAK)
    history = purchase_history(known)
    assert way.by_customer
    np.testing.assert_allclose(far.log_odds - own.log_odds, way.log_odds, atol=1e-9)
    counted = COUNTING.probability_of_order(FAR, *history).sum()
    assert (1 - far.no_order).sum() == pytest.approx((counted + (1 - own.no_order).sum()) / 2, rel=1e-6)
    spend = fit_spend(*repeat_spend(known)).expected_value(*repeat_spend(known))
    counted = (COUNTING.expected_orders(FAR, *history) * spend).sum() * MARGIN
    assert far.expected_value.sum() == pytest.approx(np.sqrt(counted * own.expected_value.sum()), rel=1e-9)


def test_the_end_of_a_contract_keeps_its_hazard():
    within = LongerHorizon(50, 150, by_customer=False).end_of_contract(np.array([0.0, 0.1, 1 - 1e-12]))
    np.testing.assert_allclose(within, [0.0, 1 - 0.9**3, 1.0], rtol=1e-9)
