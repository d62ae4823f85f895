"""What season and model moved since an earlier batch is that of `why`, customer by customer."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.scoring.clv_change import clv_steps
from models.scoring.scorer import predict
from pipelines import score as scores_of
from pipelines.batches import ledger
from pipelines.batches.earlier_scores import earlier_scores
from pipelines.batches.latest_scores import latest_scores
from pipelines.config import load
from pipelines.order_log import read_orders
from pipelines.why import why
from tests.pipelines.late_orders import LOG, frame_of
from tests.shops import config_of

FIRST, LAST, NOW = date(1998, 5, 1), date(1998, 7, 1), datetime(1998, 8, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def models(model):
    """Two models by version: the other one puts every day higher."""
    shifts = [shift - 0.5 for shift in model.calibration.log_odds]
    other = replace(model, calibration=replace(model.calibration, log_odds=shifts), version="another")
    return {"a-model": replace(model, version="a-model"), "another": other}


@pytest.fixture
def shop(tmp_path, models, monkeypatch):
    """A shop that has scored two days by these models; its config, and what `earlier_scores` says of it."""
    frame_of(LOG).to_parquet(tmp_path / "orders.parquet")
    (tmp_path / "stayworth.toml").write_text(config_of(tmp_path / "orders.parquet"))
    config = load(tmp_path / "stayworth.toml")
    monkeypatch.setattr(ledger, "model_of", lambda entry, _: models[entry.model_version])

    def scored(first, last):
        for number, (day, version) in enumerate(((FIRST, first), (LAST, last))):
            champion = SimpleNamespace(scorer=models[version])
            monkeypatch.setattr(scores_of, "load_champion", lambda _, champion=champion: champion)
            at = NOW + timedelta(minutes=number)
            scores_of.score(config, as_of=day, now=at, output=None, say=lambda _: None)
        return config

    return scored


def steps_of(config):
    histories = read_orders(config, now=NOW).histories
    return earlier_scores(config, histories, latest_scores(config.folder), as_of=LAST)


def test_the_model_s_step_is_that_of_why_for_each_customer(shop):
    config = shop("a-model", "another")
    earlier = steps_of(config)
    steps = earlier.steps.set_index("customer_id")
    assert not earlier.is_same_model
    compared = 0
    for customer in set(earlier.scores["customer_id"]) & set(steps.index):
        parts = why(config, customer, first=None, last=None, now=NOW, say=lambda _: None)["parts"]
        if parts:
            (new_model,) = (part["clv"] for part in parts if part["part"] == "new_model")
            assert steps.loc[customer, "model"] == pytest.approx(new_model, rel=1e-9)
            assert new_model > 0
            compared += 1
    assert compared >= 4


def test_one_model_has_no_step_and_every_customer_has_a_season(shop):
    config = shop("a-model", "a-model")
    earlier = steps_of(config)
    assert earlier.is_same_model
    assert (earlier.steps["model"] == 0).all()
    assert set(earlier.steps["customer_id"]) == set(latest_scores(config.folder)["customer_id"])


def test_a_model_that_is_gone_is_said(shop, monkeypatch):
    config = shop("a-model", "another")

    def gone(entry, _):
        raise InputError(f"the model {entry.model_version} is gone")

    monkeypatch.setattr(ledger, "model_of", gone)
    earlier = steps_of(config)
    assert (earlier.steps, earlier.steps_unknown) == (None, "the model another is gone")
    assert len(earlier.scores)


def test_the_calendar_s_step_is_the_value_in_the_one_season_less_that_in_the_other(model, taught):
    """Counting models: only the horizon has a season, which the calibration of its day puts into it."""
    days = ["1997-03-01", "1997-06-01", "1997-09-01", "1997-12-01", "1998-03-01"]
    waves = SeasonalCalibration(days, [0.3, -0.2, -0.6, 0.4, 0.3], [0.0, 0.1, -0.1, 0.2, 0.0])
    seasonal = replace(model, calibration=waves)
    rows = taught[2].head(200).assign(as_of=pd.Timestamp(LAST))
    season, by_model = clv_steps(seasonal, seasonal, rows, since=FIRST)
    assert (by_model == 0).all()
    terms = seasonal.terms
    soon = {
        day: predict(seasonal, rows.assign(as_of=pd.Timestamp(day)))["expected_value"].to_numpy()
        for day in (FIRST, LAST)
    }
    usual = {day: waves.season_of(seasonal.lifetime.log_odds, as_of=np.array([np.datetime64(day)])) for day in soon}
    value = predict(seasonal, rows)["clv"].to_numpy()
    discount = (1 + terms.annual_discount_rate) ** (-terms.horizon_days / 2 / 365)
    later = (value - discount * soon[LAST]) * usual[LAST] / soon[LAST]
    expected = discount * (soon[LAST] - soon[FIRST]) + later * (soon[LAST] / usual[LAST] - soon[FIRST] / usual[FIRST])
    assert season == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert np.abs(season).max() > 0.01
    assert clv_steps(seasonal, seasonal, rows, since=LAST).season == pytest.approx(np.zeros(200), abs=1e-12)
