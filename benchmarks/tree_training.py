"""Training of trees on 200,000 rows × 46 features: ours (models/trees/boosting.py) beside scikit-learn's.

The same rows, rounds, depth, learning rate, ridge and share of columns; both with all cores. scikit-learn has no
subsampling of rows. The rows are simulated: correlated features, some missing, a target that depends on a few of them.
"""

from collections.abc import Callable
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from models.trees import boosting

ROWS, FEATURES, JUDGED = 200_000, 46, 50_000


def simulate_rows(rows: int, *, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Simulated features and a binary target, which depends on thresholds, products and a missing value."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((rows, FEATURES)) @ (
        np.eye(FEATURES) + 0.15 * rng.standard_normal((FEATURES, FEATURES))
    )
    values[:, ::3] = np.exp(values[:, ::3])  # skewed, as money is
    signal = np.tanh(values[:, 1]) + 0.5 * values[:, 2] * (values[:, 4] > 0) - 0.7 * np.log1p(values[:, 3])
    missing = rng.random(rows) < 0.2
    values[missing, 5] = np.nan
    target = rng.random(rows) < 1 / (1 + np.exp(-(signal + 0.6 * missing)))
    return pd.DataFrame(values, columns=[f"feature_{number}" for number in range(FEATURES)]), target.astype(float)


def train(*, repetitions: int) -> dict[str, dict[str, float]]:
    """Seconds of the fastest repetition, taken in turns, and the AUC on rows not trained on."""
    table, target = simulate_rows(ROWS + JUDGED, seed=5)
    train_rows, test_rows = table[:ROWS], table[ROWS:]
    inputs = boosting.inputs_of(train_rows, list(table))
    settings: dict[str, Any] = {
        **{"max_iter": int(boosting.DEFAULTS["rounds"]), "max_depth": int(boosting.DEFAULTS["max_depth"])},
        **{"learning_rate": boosting.DEFAULTS["learning_rate"], "l2_regularization": boosting.DEFAULTS["reg_lambda"]},
        **{"max_features": boosting.DEFAULTS["colsample_bytree"], "max_leaf_nodes": None, "early_stopping": False},
    }
    fits: dict[str, Callable[[], Any]] = {
        "stayworth": lambda: boosting.grow_trees(
            boosting.matrix(train_rows, inputs, target[:ROWS]),
            objective="binary:logistic",
            params=boosting.DEFAULTS,
            seed=1,
        ),
        "scikit-learn": lambda: HistGradientBoostingClassifier(**settings, random_state=1).fit(
            train_rows, target[:ROWS]
        ),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in fits}
    fitted: dict[str, Any] = {}
    for name, fit in list(fits.items()) * repetitions:
        start, cpu_start = perf_counter(), process_time()
        fitted[name] = fit()
        taken[name].append((perf_counter() - start, process_time() - cpu_start))
    predictions = {
        "stayworth": fitted["stayworth"].predict(boosting.matrix(test_rows, inputs)),
        "scikit-learn": fitted["scikit-learn"].predict_proba(test_rows)[:, 1],
    }
    return {
        name: {
            "seconds": min(wall for wall, _ in taken[name]),
            "cpu_seconds": min(cpu for _, cpu in taken[name]),
            "auc": float(roc_auc_score(target[ROWS:], predictions[name])),
        }
        for name in fits
    }
