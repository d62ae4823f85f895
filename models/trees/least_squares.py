"""Trees of a least-squares loss with a slope per row, of which all uplift learners consist.

The loss of a row is (target - slope × f(features))² / 2, f being the trees. Slope 1 is least squares, slope √w with a
target √w y is least squares of y with weights w, and slope t - e is the R-learner's loss (models/uplift/learners.py).
Slopes are scaled to a mean square of 1, so that one set of parameters suits all. Effects are small next to the noise:
the trees start at the best constant, are shallow, and let no leaf hold less than 1 % of the rows.
"""

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.trees import boosting


def params(rows: int) -> boosting.Params:
    """Parameters of the trees for a number of rows."""
    return {
        "rounds": 100,
        "max_depth": 3,
        "learning_rate": 0.05,
        "min_child_weight": max(rows / 100, 10.0),
        "reg_lambda": 5.0,
        "subsample": 0.8,
        "colsample_bytree": 1.0,
    }


def grow_trees(
    rows: pd.DataFrame, inputs: boosting.Inputs, target: Floats, *, slope: Floats | float = 1.0, seed: int
) -> boosting.Booster:
    """Fit the trees; target and slope as above."""
    slopes = np.broadcast_to(np.asarray(slope, float), target.shape)
    size = np.sqrt(np.mean(slopes**2))
    scaled_slope, scaled_target = slopes / size, target / size

    def gradient(outputs: np.ndarray, _: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        by_row = (len(scaled_slope), *[1] * (outputs.ndim - 1))
        t, y = scaled_slope.reshape(by_row), scaled_target.reshape(by_row)
        return t * (t * outputs - y), np.broadcast_to(t**2, outputs.shape)

    loss = boosting.Objective(gradient, [float(np.mean(scaled_slope * scaled_target))])
    return boosting.grow_trees(
        boosting.matrix(rows, inputs, scaled_target), objective=loss, params=params(len(rows)), seed=seed
    )


def predict(booster: boosting.Booster, rows: pd.DataFrame, inputs: boosting.Inputs) -> Floats:
    """f(features) of each row."""
    return booster.predict(boosting.matrix(rows, inputs), output_margin=True).astype(np.float64).reshape(len(rows))
