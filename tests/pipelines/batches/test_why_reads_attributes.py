"""The change of a score is split for models that read attributes of customers too."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.artifacts import bundle
from models.ensemble.recipe import Recipe
from models.scoring.score_change import MEASURES
from models.trees.boosting import defaults
from pipelines import score as scores_of
from pipelines import why as score_change
from pipelines.batches import ledger
from pipelines.config import load
from pipelines.training.training_set import fit_model, training_set
from tests.pipelines.batches.conftest import FIRST, LAST, NOW, TERMS
from tests.shops import config_of


@pytest.fixture
def shop(tmp_path, read, cdnow_path, monkeypatch):
    frame = pd.read_parquet(cdnow_path)
    frame = frame[frame["customer_id"].astype(int) % 10 == 0]
    ids = frame["customer_id"].unique()
    people = pd.DataFrame({"customer_id": ids, "town": np.resize(["Ulm", "Bonn", "Rom"], len(ids))})
    frame.to_parquet(tmp_path / "orders.parquet")
    people.to_csv(tmp_path / "people.csv", index=False)
    (tmp_path / "stayworth.toml").write_text(
        config_of(tmp_path / "orders.parquet", more='[features]\nattributes = ["town"]\n').replace(
            "[data]\n", '[data]\ncustomers = "people.csv"\n'
        )
    )
    few = {name: of for name, of in defaults(5000).items() if name != "rounds"} | {"rounds": 40}
    histories = read(frame, customers=people, attributes=("town",)).histories
    made = fit_model(training_set(histories, TERMS, as_of=TRAINED), TERMS, Recipe(few, few, kind="gamma", seed=7))
    (tmp_path / "model").mkdir()
    bundle.write(tmp_path / "model", made, training={"as_of": str(TRAINED)})
    model = bundle.read(tmp_path / "model")
    monkeypatch.setattr(ledger, "model_of", lambda *_: model)
    monkeypatch.setattr(scores_of, "load_champion", lambda _: SimpleNamespace(scorer=model))
    config = load(tmp_path / "stayworth.toml")
    for day in (FIRST, LAST):
        scores_of.score(config, as_of=day, now=NOW + timedelta(days=day.month), output=None, say=lambda _: None)
    return config, str(ids[0]), model


TRAINED = FIRST - timedelta(days=30)


def test_the_parts_sum_to_the_change_and_the_scores_are_reproduced(shop):
    config, customer, model = shop
    assert "town" in model.inputs
    told = score_change.why(config, customer, first=None, last=None, now=NOW, say=lambda _: None)
    assert told["in_words"] == []
    for measure in MEASURES:
        assert sum(part[measure] for part in told["parts"]) == pytest.approx(told["change"][measure], abs=1e-9)
