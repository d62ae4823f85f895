"""The model of many tests, and models in a registry, as `train` leaves them there."""

from datetime import datetime

import plotly.graph_objects as go

from models.artifacts import bundle
from models.ensemble.recipe import Recipe
from models.trees.boosting import DEFAULTS
from pipelines.training import tracking
from pipelines.training.dataset_fingerprint import fingerprint

QUICK_TREES = {**DEFAULTS, "rounds": 130, "learning_rate": 0.09}
"""A third of the trees at thrice the rate: as good, and soon grown, scored with and explained."""
RECIPE = Recipe(churn=QUICK_TREES, value=QUICK_TREES, kind="gamma", seed=7)
"""Of the fixture `model` (tests/conftest.py)."""


def registered(config, folder, model, lesson, *, seed: int, made_at: datetime) -> None:
    """Write the model's bundle into a new folder and register it with what was said of it; the gate let it pass."""
    folder.mkdir()
    bundle.write(folder, model, training={"as_of": "1998-04-02", "horizon_days": 90, "seed": seed, "params": {}})
    tracking.log_run(
        uri=config.tracking_uri,
        bundle=folder,
        dataset=fingerprint(lesson),
        source={},
        params={},
        metrics={"roc_auc": 0.8},
        figures={"one": go.Figure()},
        metrics_json={"gate": {"accepted": True, "reasons": [], "warnings": []}},
        made_at=made_at,
    )
