"""Tuning: level does not decide, nothing later than a fold's judged day is read, noise changes nothing."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import log_loss, mean_tweedie_deviance

from models.trees import boosting
from models.trees.value import KINDS
from pipelines.training import tuning
from pipelines.training.tuning import TuningResult, churn_loss, tune, value_loss

DAYS = [date(2020, month, 1) for month in range(1, 7)]
FOLDS = [(DAYS[:2], DAYS[3]), (DAYS[:3], DAYS[4])]


def silent(_: str) -> None:
    """Nobody listens."""


def drawn(customers: int, seed: int = 1) -> pd.DataFrame:
    """Every customer at every day: who is `recent` buys more often, who is `large` brings more."""
    rng = np.random.default_rng(seed)
    ids = np.repeat([f"c{number}" for number in range(customers)], len(DAYS))
    rows = len(ids)
    recent, large = rng.normal(0, 1, rows), rng.normal(0, 1, rows)
    bought = rng.random(rows) < expit(1.5 * recent - 1)
    return pd.DataFrame(
        {
            "customer_id": ids,
            "as_of": pd.to_datetime(DAYS * customers),
            "recent": recent,
            "large": large,
            "churned": ~bought,
            "bought": bought,
            "future_value": np.where(bought, np.exp(3 + large + rng.normal(0, 0.5, rows)), 0.0),
        }
    )


def tuned(rows: pd.DataFrame, **changes: object) -> TuningResult:
    settings = {"folds": FOLDS, "trials": 2, "seed": 7, "say": silent} | changes
    return tune(rows, ["recent", "large"], **settings)


@pytest.fixture(scope="module")
def usual() -> tuple[pd.DataFrame, TuningResult]:
    rows = drawn(500)
    return rows, tuned(rows)


def test_the_value_loss_is_the_tweedie_deviance_and_blind_to_the_level():
    rng = np.random.default_rng(2)
    margin, expected = rng.lognormal(3, 1, 500), rng.lognormal(3, 1, 500)
    margin[:50] = 0
    loss = value_loss(margin, expected)
    of_means = mean_tweedie_deviance(margin / margin.mean(), expected / expected.mean(), power=1.5)
    np.testing.assert_allclose(loss.mean(), of_means, rtol=1e-9)
    np.testing.assert_allclose(value_loss(margin, 7 * expected), loss, rtol=1e-9)
    np.testing.assert_allclose(value_loss(3 * margin, expected), loss, rtol=1e-9)


def test_the_churn_loss_is_the_log_loss_after_the_best_shift_and_blind_to_the_level():
    rng = np.random.default_rng(3)
    log_odds = rng.normal(2, 3, 500)
    churned = (rng.random(500) < expit(log_odds - 1)).astype(float)
    best = min(log_loss(churned, expit(log_odds + shift)) for shift in np.linspace(-1.5, -0.5, 201))
    np.testing.assert_allclose(churn_loss(churned, log_odds).mean(), best, atol=1e-5)
    np.testing.assert_allclose(churn_loss(churned, log_odds + 9), churn_loss(churned, log_odds), atol=1e-4)


def test_the_same_seed_finds_the_same_and_every_kind_was_judged(usual):
    rows, first = usual
    assert tuned(rows) == first
    assert first.kind in KINDS
    assert {f"value_{kind}" for kind in KINDS} <= set(first.scores)
    assert first.scores["churn"] <= first.scores["churn_default"]
    assert first.scores["value"] <= first.scores["value_default"]
    for params in (first.churn, first.value):
        assert set(params) == set(boosting.DEFAULTS)


@pytest.mark.slow
def test_what_follows_the_judged_days_and_the_season_of_a_day_change_nothing(usual):
    """Rows of other days are not read; margins of a judged day doubled leave kind and parameters alone."""
    rows, first = usual
    later = rows["as_of"] == pd.Timestamp(DAYS[5])
    assert (
        tuned(
            rows.assign(future_value=rows["future_value"] * np.where(later, 1e6, 1), recent=rows["recent"].mask(later))
        )
        == first
    )
    christmas = rows["as_of"] == pd.Timestamp(DAYS[4])
    season = rows.assign(future_value=rows["future_value"] * np.where(christmas, 2.0, 1.0))
    again = tuned(season)
    assert (again.churn, again.value, again.kind) == (first.churn, first.value, first.kind)


def test_features_of_pure_noise_bring_no_more_trees_and_no_other_kind():
    rng = np.random.default_rng(4)
    rows = drawn(300)
    found = tuned(rows.assign(recent=rng.normal(size=len(rows)), large=rng.normal(size=len(rows))), trials=1)
    assert found.churn["rounds"] <= boosting.defaults(len(rows))["rounds"]
    assert found.value["rounds"] <= boosting.defaults(int(rows["bought"].sum()))["rounds"]
    assert found.kind == "gamma"


def test_nothing_to_judge_on_gives_the_defaults():
    rows = drawn(50)
    none = tuned(rows, folds=[])
    assert none == TuningResult(boosting.defaults(300), boosting.defaults(int(rows["bought"].sum())), "gamma", {})
    one_outcome = tuned(rows.assign(churned=True, bought=False, future_value=0.0))
    assert one_outcome.scores == {}


def test_a_fold_holds_whole_customers_up_to_its_limit(usual, monkeypatch):
    rows, _ = usual
    lot = tuning.random_ranks(rows["customer_id"], seed=7)
    assert (pd.Series(lot).groupby(rows["customer_id"]).nunique() == 1).all()
    monkeypatch.setattr(tuning, "MAX_ROWS", 1_000)
    kept = tuning.sample(np.ones(len(rows), bool), lot)
    assert 950 <= kept.sum() <= 1_050
    assert set(rows["customer_id"][kept]).isdisjoint(rows["customer_id"][~kept])


def test_progress_says_every_trial_and_both_decisions():
    said: list[str] = []
    tuned(drawn(150), trials=2, say=said.append)
    assert sum("trial" in line for line in said) == 4
    assert [line for line in said if "lognormal" in line]
    assert sum("by default" in line for line in said) == 2


def test_the_churn_trees_are_held_to_the_directions_asked_for(usual):
    """Held the wrong way round, the strongest feature is of no use."""
    rows, first = usual
    wrong = tuned(rows, trials=1, monotone={"recent": 1})
    assert wrong.scores["churn"] > first.scores["churn_default"] + 0.05
