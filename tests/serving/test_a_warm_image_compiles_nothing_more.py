"""What `python -m serving.warm` compiled is all that the service would compile at its first start."""

import os
import subprocess
import sys
from datetime import date

import pytest

from features.families.catalogue import feature_templates
from features.kernel.code_generation import compile_pass
from features.online.feature_rows import compute_feature_rows
from features.online.request import histories_of_request
from features.snapshots.snapshot import snapshot

ANSWER = """
import sys
from datetime import date
from pathlib import Path
from serving import active_model
from serving.store import score_store as store

folder = Path(sys.argv[1])
active_model.load(active_model.pointer_file(folder / "bundle"))
batch = store.open_store(folder / "scores.store")
batch.rows(batch.scores()["customer_id"].head(3).tolist())
"""
CUSTOMERS = [
    {"customer_id": name, "orders": [{"ordered_at": "2020-01-01T00:00:00Z", "amount": 1.0}], "interactions": []}
    for name in ("ann", "bob", "cem")
]


@pytest.mark.parametrize("customers", [1, 3])
@pytest.mark.parametrize("features", [("recency_days",), ("recency_days", "orders", "spend_total")])
def test_one_compilation_of_the_pass_serves_any_number_of_customers_and_features(customers, features):
    """NumPy gives an array of one row or one column the layout of both orders: the pass was once compiled for each."""
    histories = histories_of_request(CUSTOMERS[:customers], currency="USD", gross_margin=1.0)
    compute_feature_rows(histories, features, as_of=date(2020, 2, 1))
    snapshot(histories, as_of=[date(2020, 2, 1)], features=features)
    assert len(compile_pass(feature_templates()).walk.signatures) == 1


@pytest.mark.slow
def test_after_warm_nothing_is_compiled(batch, tmp_path):
    def run(*command):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        subprocess.run([sys.executable, *command], check=True, env=environment, timeout=600)
        return {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")}

    kept = run("-m", "serving.warm")
    assert kept
    assert run("-c", ANSWER, str(batch.folder)) == kept
