"""Probability and money of one customer never contradict each other, and nobody is left without a score."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from features.errors import InputError
from models import STAYWORTH
from models.artifacts import bundle
from models.ensemble import stacking
from models.ensemble.baselines import fit_baselines
from models.evaluation.interval_places import interval_places
from models.scoring import batch_scores, scorer
from models.trees import churn
from models.trees.value import KINDS
from pipelines.training.holdout_evaluation import evaluate_model

CONTRACT = "contract"
ALONE = tuple(pytest.param(name, marks=pytest.mark.slow) for name in ("trees", "last_period", "hiatus", "rfm_logistic"))
OFTEN = ("gamma", CONTRACT, "bgnbd_gamma_gamma")
EVERY = (*OFTEN, pytest.param("ziln", marks=pytest.mark.slow), *ALONE)
"""The makes, some of them with the fast tests."""


@pytest.fixture(params=EVERY)
def model(request, made):
    return made(request.param)


def test_every_customer_has_finite_scores_one_order_customers_too(model, small):
    scores = scorer.predict(model, small.test)
    assert (small.test["orders"] == 1).sum() > 1000
    assert len(scores) == len(small.test)
    assert np.isfinite(scores.select_dtypes("number").to_numpy()).all()
    assert scores["churn_probability"].between(0, 1, inclusive="neither").all()
    assert (scores["expected_value"] > 0).all()
    assert (scores["value_p10"] <= scores["value_p90"]).all()
    discount = (1 + model.terms.annual_discount_rate) ** (-model.terms.horizon_days / 2 / 365)
    for end in ("p10", "p90"):
        assert (scores[f"clv_{end}"] >= discount * scores[f"value_{end}"] - 1e-12).all(), "the horizon is a part of it"
    assert (scores["clv_p10"] <= scores["clv_p90"]).all()
    assert (scores["clv"] >= scores["expected_value"] * 0.95).all()


def test_expected_value_and_orders_are_the_chance_of_an_order_times_what_one_brings(model, small):
    scores, said = scorer.predict(model, small.test), model.log_prediction(small.test)
    orders = 1 - said.no_order
    np.testing.assert_allclose(scores["expected_value"], orders * np.exp(said.log_value), rtol=1e-12)
    given = model.base_learners.value.orders(small.test, model.inputs)
    np.testing.assert_allclose(scores["expected_orders"], orders * given, rtol=1e-12)
    assert (given >= 1 - 1e-12).all()
    if model.contract_end is None:
        np.testing.assert_allclose(scores["churn_probability"], said.no_order, rtol=1e-12)


@pytest.mark.parametrize(
    "kind", [kind if kind == "gamma" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_a_score_is_the_members_opinions_weighted_at_the_level_of_the_day(made, small, kind):
    """Customer by customer in plain Python, from what each member says by itself."""
    model, rows = made(kind), small.test.head(200)
    odds_shift, value_shift = model.calibration.shifts_at(as_of=rows["as_of"].iloc[0].date())
    (other,) = model.base_learners.baselines
    counted = model.base_learners.baselines[other].predict(rows)
    quiet = model.base_learners.no_order.probability(rows, model.inputs)
    margin = model.base_learners.value.margin(rows, model.inputs)
    scores = scorer.predict(model, rows)
    for row in range(len(rows)):
        p, q = float(quiet[row]), float(counted.churn_probability[row])
        odds = math.log(p / (1 - p)) * model.blend.no_order["trees"]
        odds += math.log(q / (1 - q)) * model.blend.no_order[other]
        value = math.log(margin[row]) * model.blend.value["trees"]
        value += math.log(counted.expected_value[row] / (1 - q)) * model.blend.value[other]
        churned = 1 / (1 + math.exp(-odds - odds_shift))
        assert scores["churn_probability"].iloc[row] == pytest.approx(churned, rel=1e-6)
        expected = (1 - churned) * math.exp(value + value_shift)
        assert scores["expected_value"].iloc[row] == pytest.approx(expected, rel=1e-6)


def test_a_customer_scored_alone_equals_the_same_customer_in_the_batch(made, small):
    model = made("gamma")
    batch = batch_scores.score(model, small.test)
    for row in range(0, len(small.test), 350):
        pd.testing.assert_frame_equal(
            batch_scores.score(model, small.test.iloc[[row]]), batch.iloc[[row]], check_exact=False, rtol=1e-9
        )


@pytest.mark.parametrize("make", ["gamma", "bgnbd_gamma_gamma", *ALONE])
def test_no_rows_are_refused_in_words(made, small, make):
    with pytest.raises(InputError, match="no customers"):
        batch_scores.score(made(make), small.test.iloc[:0])


def test_totals_of_the_window_nobody_has_seen_are_within_ten_percent(made, small):
    for kind in KINDS:
        scores = scorer.predict(made(kind), small.test)
        assert scores["expected_value"].sum() == pytest.approx(small.test["future_value"].sum(), rel=0.1)
        assert (1 - scores["churn_probability"]).sum() == pytest.approx(small.test["bought"].sum(), rel=0.1)


def test_one_in_ten_of_them_bring_more_than_the_upper_end_and_nobody_likely_has_one_of_zero(made, small):
    """Judged where the upper end can be passed by one in ten: an order has a probability of more than that."""
    scores = scorer.predict(made("gamma"), small.test)
    likely = scores["churn_probability"] < 0.9
    assert likely.sum() > 400
    assert 0.07 < (small.test["future_value"] > scores["value_p90"])[likely].mean() < 0.13
    assert (scores["value_p90"][likely] > 0).all()
    assert (small.test["future_value"] < scores["value_p10"]).mean() < 0.1


def test_one_order_customers_are_worth_no_more_than_repeat_buyers_of_equal_value_and_recency(made, small):
    scores = scorer.predict(made("gamma"), small.test)
    frame = small.test[["orders", "recency_days"]].assign(clv=scores["clv"] / scores["expected_value"])
    for _, group in frame.groupby((frame["recency_days"] // 30).astype(int)):
        once, more = group[group["orders"] == 1], group[group["orders"] > 1]
        if len(once) and len(more):
            assert once["clv"].mean() <= more["clv"].mean() * (1 + 1e-9)


@pytest.mark.parametrize("make", EVERY)
def test_a_bundle_scores_as_the_model_did_and_has_its_weights(made, small, tmp_path, make):
    model, rows = made(make), small.test.head(300)
    bundle.write(tmp_path, model, training={})
    back = bundle.read(tmp_path)
    assert back.blend == model.blend
    assert back.calibration == model.calibration
    assert back.intervals == model.intervals
    assert back.base_learners.baselines == model.base_learners.baselines
    pd.testing.assert_frame_equal(
        batch_scores.score(back, rows).drop(columns="model_version"),
        batch_scores.score(model, rows).drop(columns="model_version"),
    )
    kept = json.loads((tmp_path / "model.json").read_text())["blend"]
    assert kept == {"no_order": model.blend.no_order, "value": model.blend.value}


@pytest.mark.parametrize("make", ["gamma", CONTRACT])
def test_the_same_rows_and_seed_give_the_same_bundle(grow, made, tmp_path, make):
    hashes = []
    for number, model in enumerate((made(make), grow(make))):
        (tmp_path / str(number)).mkdir()
        hashes.append(bundle.write(tmp_path / str(number), model, training={}))
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("make", ["bgnbd_gamma_gamma", "last_period", "hiatus", "rfm_logistic"])
def test_a_member_alone_ranks_as_the_opponent_does(made, small, make):
    """The opponent fitted on the same rows by itself; only the level of the day stands between the two."""
    rows = small.training_set.rows
    how = {"horizon_days": 90, "margin_rate": small.training_set.margin_rate}
    opponent = fit_baselines(rows, small.training_set.current_rows, **how)[make].predict(small.test)
    scores = scorer.predict(made(make), small.test)
    order, value = made(make).calibration.shifts_at(as_of=small.test["as_of"].iloc[0].date())
    churned = np.clip(opponent.churn_probability, 1e-6, 1 - 1e-6)
    np.testing.assert_allclose(scores["churn_probability"], expit(logit(churned) + order), rtol=1e-9)
    given = np.maximum(opponent.expected_value / (1 - churned), stacking.MIN_VALUE)
    np.testing.assert_allclose(
        scores["expected_value"], (1 - scores["churn_probability"]) * given * np.exp(value), rtol=1e-6
    )


def test_under_a_contract_churn_is_its_end_and_money_is_that_of_orders(made, small):
    """The same rows without the contract: other probabilities of churn, the same expected value."""
    ends, orders = scorer.predict(made(CONTRACT), small.test), scorer.predict(made("gamma"), small.test)
    silent = small.test["recency_days"] > 60
    assert ends["churn_probability"][silent].mean() == pytest.approx(0.35, abs=0.05)
    assert ends["churn_probability"][~silent].mean() == pytest.approx(0.05, abs=0.05)
    np.testing.assert_allclose(ends["expected_value"], orders["expected_value"], rtol=1e-9)


def test_under_a_contract_a_member_alone_still_says_who_orders(grow, made, small):
    """Not who leaves: its end, here drawn by lot, tells nothing of orders."""
    model = grow("rfm_logistic", under_contract=True)
    scores, said = scorer.predict(model, small.test), model.log_prediction(small.test)
    without = made("rfm_logistic").log_prediction(small.test)
    np.testing.assert_allclose(said.no_order, without.no_order, rtol=1e-9)
    np.testing.assert_allclose(scores["expected_value"], without.expected_value, rtol=1e-9)


def test_under_a_contract_intervals_are_judged_by_who_orders_not_by_who_leaves(made, small):
    model, test = made(CONTRACT), small.test
    judged = evaluate_model(test, small.training_set, model, model.terms, offer=None, gain_cut=1.0, resamples=2, seed=1)
    scores, no_order = scorer.predict(model, test), model.log_prediction(test).no_order
    ends = (scores[name].to_numpy() for name in ("value_p10", "value_p90"))
    places = interval_places(test["future_value"].to_numpy(), *ends, no_order)
    for name, part in {"overall": places.inside, "below": places.below, "above": places.above}.items():
        assert judged["coverage"][STAYWORTH][name]["value"] == pytest.approx(part.mean())


class Stub:
    """Trees that say what they are told."""

    def __init__(self, raw: np.ndarray):
        self.raw = raw

    def predict(self, _: object) -> np.ndarray:
        return self.raw


def test_recalibration_finds_a_known_distortion_and_keeps_the_ranking():
    """Labels drawn from log-odds 0.5 × raw + 1: the fitted line must say so."""
    rng = np.random.default_rng(3)
    raw = rng.uniform(0.02, 0.98, 150_000)
    rows = pd.DataFrame({"recency_days": raw, "churned": rng.random(len(raw)) < expit(0.5 * logit(raw) + 1)})
    fitted = churn.calibrate(churn.Churn(Stub(raw)), rows, {"recency_days": None})
    np.testing.assert_allclose([fitted.slope, fitted.intercept], [0.5, 1.0], atol=0.03)
    assert (np.diff(fitted.probability(rows, {"recency_days": None})[np.argsort(raw)]) >= 0).all()


@pytest.mark.parametrize("turned", [True, False])
def test_recalibration_leaves_alone_what_one_class_or_a_turned_ranking_says(turned):
    rng = np.random.default_rng(4)
    raw = rng.uniform(0.02, 0.98, 5000)
    rows = pd.DataFrame({"recency_days": raw, "churned": rng.random(len(raw)) > raw if turned else True})
    kept = churn.calibrate(churn.Churn(Stub(raw)), rows, {"recency_days": None})
    assert (kept.slope, kept.intercept) == (1.0, 0.0)
