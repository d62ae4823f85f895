"""Probability and money of one customer never contradict each other, and nobody is left without a score."""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from models import churn, intervals, scorer, value
from models.trees import DEFAULTS


def test_every_customer_has_finite_scores_one_order_customers_too(model, taught):
    _, _, test = taught
    scores = scorer.score(model, test)
    assert (test["orders"] == 1).sum() > 1000
    numbers = scores.select_dtypes("number")
    assert np.isfinite(numbers.to_numpy()).all()
    assert scores["churn_probability"].between(0, 1, inclusive="neither").all()
    assert (scores["expected_value"] > 0).all()
    assert (scores["value_p10"] <= scores["value_p90"]).all()
    assert (scores["clv"] >= scores["expected_value"] * 0.95).all()
    assert len(scores) == len(test)


def test_expected_value_and_orders_are_the_chance_of_buying_times_what_buyers_bring(model, taught):
    _, _, test = taught
    scores = scorer.score(model, test)
    buys = 1 - scores["churn_probability"]
    np.testing.assert_allclose(scores["expected_value"], buys * model.value.margin(test, model.inputs), rtol=1e-12)
    assert (scores["expected_orders"] >= buys - 1e-12).all()


def test_a_customer_scored_alone_equals_the_same_customer_in_the_batch(model, taught):
    _, _, test = taught
    batch = scorer.score(model, test)
    for row in range(0, len(test), 700):
        pd.testing.assert_frame_equal(
            scorer.score(model, test.iloc[[row]]), batch.iloc[[row]], check_exact=False, rtol=1e-9
        )


def test_the_total_and_the_level_are_right_on_the_calibration_window(model, taught):
    lesson, _, _ = taught
    scores = scorer.score(model, lesson.latest)
    np.testing.assert_allclose(scores["expected_value"].sum(), lesson.latest["future_value"].sum(), rtol=1e-6)
    np.testing.assert_allclose(scores["churn_probability"].mean(), lesson.latest["churned"].mean(), atol=1e-4)


def test_calibration_keeps_the_ranking(model, taught):
    lesson, _, test = taught
    raw = churn.fit(lesson.rows, model.inputs, params=DEFAULTS, seed=7).probability(test, model.inputs)
    calibrated = scorer.score(model, test)["churn_probability"].to_numpy()
    order = np.argsort(raw, kind="stable")
    assert (np.diff(calibrated[order]) >= 0).all()


def test_recalibration_finds_a_known_distortion(taught):
    """Labels drawn from log-odds 0.5 × raw + 1: the fitted line must say so."""

    class Stub:
        def predict(self, _: object) -> np.ndarray:
            return raw

    lesson, _, _ = taught
    rng = np.random.default_rng(3)
    rows = pd.concat([lesson.rows] * 3, ignore_index=True)
    raw = rng.uniform(0.02, 0.98, len(rows))
    rows["churned"] = rng.random(len(rows)) < expit(0.5 * logit(raw) + 1)
    fitted = churn.calibrate(churn.Churn(Stub()), rows, {"recency_days": None})
    np.testing.assert_allclose([fitted.slope, fitted.intercept], [0.5, 1.0], atol=0.03)
    one_class = churn.calibrate(churn.Churn(Stub()), rows.assign(churned=True), {"recency_days": None})
    assert (one_class.slope, one_class.intercept) == (1.0, 0.0)


def test_intervals_hold_four_of_five_where_values_are_continuous():
    rng = np.random.default_rng(4)
    expected = rng.lognormal(3, 1, 40_000)
    realised = expected * rng.gamma(2, 0.5, len(expected))
    fitted = intervals.fit(expected[::2], realised[::2])
    low, high = fitted.interval(expected[1::2])
    inside = ((realised[1::2] >= low) & (realised[1::2] <= high)).mean()
    assert 0.785 < inside < 0.815


def test_intervals_of_equal_or_few_expectations_have_no_empty_group():
    rng = np.random.default_rng(5)
    for expected in (np.full(500, 3.0), rng.choice([1.0, 2.0, 2.0, 2.0], 500), np.array([1.0])):
        fitted = intervals.fit(expected, expected * 1.1)
        low, high = fitted.interval(expected)
        assert np.isfinite(low).all()
        assert (low <= high).all()


def test_a_base_that_brought_nothing_keeps_the_level(model, taught):
    lesson, _, _ = taught
    nothing = lesson.latest.assign(future_value=0.0)
    kept = value.calibrate(model.value, np.full(len(nothing), 0.5), nothing, model.inputs)
    assert kept.level == model.value.level


def test_reasons_are_what_the_trees_added_largest_first(model, taught):
    """Tree contributions add up to the raw score; the named feature is the one with the largest share."""
    from features.catalogue import words
    from models import trees

    _, _, test = taught
    rows = test.head(300)
    booster = model.churn.booster
    added = trees.contributions(booster, trees.matrix(rows, model.inputs))
    np.testing.assert_allclose(expit(added.sum(axis=1)), booster.predict(trees.matrix(rows, model.inputs)), atol=1e-5)
    said = scorer.score(model, rows)["reason_1"]
    for place, reason in enumerate(said):
        best = list(model.inputs)[int(np.argmax(added[place, :-1]))]
        if added[place, :-1].max() > 0:
            assert reason == words(best, rows[best].iloc[place])
        else:
            assert reason is None
