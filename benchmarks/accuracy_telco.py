"""Telco: contractual churn from attributes alone, as `stayworth evaluate` judges a label table: by folds of customers.

Tuning, blending and calibration happen inside the training part of each fold (pipelines/labelled/judge_folds.py).
"""

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.accuracy_shops import SHARED
from pipelines.labelled.first_label_config import first_label_config
from pipelines.labelled.label_config import LabelConfig, load_either
from pipelines.labelled.train_labelled import evaluate_labelled

CUSTOMERS = SHARED / "telco" / "customers.parquet"
LABEL = "Churn"
TRIALS: int | None = None
"""Optuna trials in every fold; None: as many as the config has."""


def telco() -> dict[str, Any]:
    """The evaluation of the commands `init` and `evaluate`, of churn only."""
    with tempfile.TemporaryDirectory() as folder:
        evaluation = evaluate_labelled(telco_config(Path(folder)), trials=TRIALS, say=lambda _: None)
    return {"as_of": None, "horizon_days": None, **evaluation}


def telco_config(folder: Path, table: Path = CUSTOMERS) -> LabelConfig:
    """The config that `init` writes for the customers."""
    text, _ = first_label_config(str(table), LABEL, config_folder=folder, given={})
    (folder / "stayworth.toml").write_text(text, "utf-8")
    config = load_either(folder / "stayworth.toml")
    assert isinstance(config, LabelConfig)
    return config
