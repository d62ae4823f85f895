"""A shop that scored on two days with a log that went on becoming known, and two small models."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from models.artifacts import bundle
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.trees.boosting import defaults
from pipelines import score as scores_of
from pipelines.batches import ledger
from pipelines.config import load
from pipelines.training.training_set import fit_model, training_set
from tests.pipelines.late_orders import LATE, LOG, frame_of
from tests.shops import config_of

FIRST, LAST, NOW = date(1998, 5, 1), date(1998, 7, 1), datetime(1998, 8, 1, tzinfo=UTC)
TERMS = Terms(horizon_days=90, currency="USD", gross_margin=0.4, annual_discount_rate=0.1, lifetime_days=1095)


@pytest.fixture(scope="session")
def models(read, cdnow_path, tmp_path_factory):
    """Two small models by version, that differ in the level of their days."""
    frame = pd.read_parquet(cdnow_path)
    histories = read(frame[frame["customer_id"].astype(int) % 10 == 0]).histories
    few = {name: of for name, of in defaults(5000).items() if name != "rounds"} | {"rounds": 40}
    made = fit_model(
        training_set(histories, TERMS, as_of=date(1998, 4, 2)), TERMS, Recipe(few, few, kind="gamma", seed=7)
    )
    calibration = replace(made.calibration, log_odds=[shift + 0.5 for shift in made.calibration.log_odds])
    found = []
    for number, one in enumerate((made, replace(made, calibration=calibration))):
        folder = tmp_path_factory.mktemp(f"model-{number}")
        bundle.write(folder, one, training={"as_of": "1998-04-02"})
        found.append(bundle.read(folder))
    return found


@pytest.fixture
def shop(tmp_path, models, monkeypatch):
    """A shop that scored on two days, each with the log as it stood then; the days and models to score can be told."""
    log = frame_of(LOG)
    (tmp_path / "stayworth.toml").write_text(config_of(tmp_path / "orders.parquet", more=LATE))
    config = load(tmp_path / "stayworth.toml")
    made = {one.version: one for one in models}
    monkeypatch.setattr(ledger, "model_of", lambda entry, _: made[entry.model_version])

    def scored(*batches):
        for number, (day, model) in enumerate(batches):
            known = log[(log[["ordered_at", "recorded_at"]] < pd.Timestamp(day)).all(axis=1)]
            known.to_parquet(tmp_path / "orders.parquet")
            registered = SimpleNamespace(scorer=model)
            monkeypatch.setattr(scores_of, "load_champion", lambda _, registered=registered: registered)
            scores_of.score(
                config,
                as_of=day,
                now=NOW + timedelta(minutes=number),
                output=None,
                say=lambda _: None,
            )
        log.to_parquet(tmp_path / "orders.parquet")
        return config

    return scored
