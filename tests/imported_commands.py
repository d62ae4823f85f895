"""What the server of tests/forked_commands.py imports before it forks: most of what commands need. It runs nothing."""

import os
from importlib import import_module

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # read at import; commands set it themselves
MODULES = [
    *(f"pipelines.{name}" for name in ("cli", "features", "monitor", "plan", "promotion", "readout", "score", "train")),
    *("mlflow.pyfunc", "mlflow.artifacts", "mlflow.store.tracking.sqlalchemy_store", "alembic"),
    *("pytest", "tests.shops"),
]
for module in MODULES:
    import_module(module)
