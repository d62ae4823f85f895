"""Lifetime values of simulated worlds against their truth, in total and by risk, made as training makes them."""

from datetime import date

import duckdb
import numpy as np
import pytest

from features.ingest.build_histories import ingest
from features.snapshots.snapshot import snapshot
from models.lifetime import fit_state_value
from models.trees import boosting
from models.trees.feature_matrix import feature_rows
from pipelines.config import load
from pipelines.simulate import simulate
from pipelines.simulator.scenario import Scenario
from pipelines.training.lifetime_rows import lifetime_rows
from pipelines.training.training_set import training_features

pytestmark = pytest.mark.slow

AS_OF = date(2025, 1, 1)
WORLDS = {"no-cooling": 0.08, "rare-orders": 0.08, "wide-rates": 0.08}
"""How far the total may be off. Strong season and contract are further off (docs/explanation/formulas.md)."""


@pytest.mark.parametrize("world", WORLDS)
def test_totals_and_risk_bands_are_the_truth(world, tmp_path):
    shop = Scenario(customers=10_000, days=730, seed=31, as_of=AS_OF, world_name=world)
    simulate(tmp_path / "shop", shop, chunk_size=10_000, say=lambda _: None)
    histories = ingest(load(tmp_path / "shop" / "stayworth.toml").log, now_us=None).histories
    known = snapshot(histories, as_of=[AS_OF])
    features = training_features(known.column_names[2:])
    frame = known.to_pandas(date_as_object=False)
    rows = lifetime_rows(histories, as_of=AS_OF, features=features)
    assert rows is not None
    inputs = boosting.inputs_of(rows.frame, features)
    model = fit_state_value.fit(rows, inputs, lifetime_years=3, seed=7, device="cpu")
    known_rows = feature_rows(frame, inputs)
    told = model.value(known_rows, inputs, lifetime_days=1095, annual_discount_rate=0.1)
    truth = duckdb.sql(f"select customer_id, clv, churn_probability from '{tmp_path}/shop/truth/*.parquet'").df()
    true = truth.set_index("customer_id").loc[frame["customer_id"], "clv"].to_numpy()
    total = true.sum()
    assert told.sum() == pytest.approx(total, rel=WORLDS[world])
    risk = np.exp(-model.rates(known_rows.matrix(inputs), 1)[0])
    for low, high in ((0, 0.05), (0.05, 0.1), (0.1, 0.2), (0.2, 0.4), (0.4, 0.7)):
        band = (risk >= low) & (risk < high)
        if true[band].sum() > 0.03 * total:
            assert told[band].sum() == pytest.approx(true[band].sum(), rel=0.15), (low, high)
    assert told[risk > 0.95].sum() < 0.03 * total
