"""What `python -m serving.warm` compiled is all that the service would compile at its first start."""

import os
import subprocess
import sys

import pytest

ANSWER = """
import sys
from datetime import date
from pathlib import Path
from serving import active_model
from serving.store import store

folder = Path(sys.argv[1])
active_model.load(active_model.pointer_file(folder / "bundle"))
batch = store.open_store(folder / "scores.store")
batch.rows(batch.scores()["customer_id"].head(3).tolist())
"""


@pytest.mark.slow
def test_after_warm_nothing_is_compiled(batch, tmp_path):
    def run(*command):
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        subprocess.run([sys.executable, *command], check=True, env=environment, timeout=600)
        return {path.name: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nb*")}

    kept = run("-m", "serving.warm")
    assert kept
    assert run("-c", ANSWER, str(batch.folder)) == kept
