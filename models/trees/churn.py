"""Trees of a probability within the horizon: of no order, or, under a contract, of its end."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from models.trees import boosting, training_rows


@dataclass(frozen=True)
class Churn:
    """Trees with the calibration slope and intercept of their log-odds."""

    booster: boosting.Booster
    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, rows: pd.DataFrame, inputs: boosting.Inputs) -> np.ndarray:
        """The event's probability for each row, in (0, 1)."""
        return self.calibrated(self.booster.predict(boosting.matrix(rows, inputs)))

    def of(self, data: boosting.Matrix) -> np.ndarray:
        """The same for a matrix of the inputs; feature names are not checked, which takes as long as scoring a row."""
        return self.calibrated(self.booster.predict(data, validate_features=False))

    def raw_log_odds(self, data: boosting.Matrix) -> np.ndarray:
        """The log-odds of the trees alone, before calibration."""
        return _log_odds(self.booster.predict(data, validate_features=False))

    def calibrated(self, raw: np.ndarray) -> np.ndarray:
        """Calibrate the trees' raw probability: `expit(slope * logit(raw) + intercept)`."""
        return expit(self.slope * _log_odds(raw) + self.intercept)


def fit(
    rows: training_rows.Rows,
    inputs: boosting.Inputs,
    *,
    params: Mapping[str, float],
    seed: int,
    target: str = "churned",
    monotone: Mapping[str, int] = boosting.FREE,
    device: str = "cpu",
    offset: str | np.ndarray | None = None,
) -> Churn:
    """Grow the trees on rows labelled in the bool column `target`; not calibrated yet.

    monotone: 1 for a feature with which the probability may only rise, -1 for one with which it may only fall. offset:
    the log-odds of each row before the first tree, or their column.
    """
    booster = training_rows.grow_trees(
        rows,
        inputs,
        label=target,
        offset=offset,
        objective="binary:logistic",
        params=params,
        seed=seed,
        monotone=monotone,
        device=device,
    )
    return Churn(booster)


def calibrate(churn: Churn, rows: pd.DataFrame, inputs: boosting.Inputs, *, target: str = "churned") -> Churn:
    """Calibrate on rows the trees have not seen: logistic recalibration (Cox 1958, Biometrika 45).

    Strictly increasing, so the ranking stays. With one class only in `rows`, or a fit that would reverse the ranking,
    nothing is changed.
    """
    raw = churn.booster.predict(boosting.matrix(rows, inputs))
    happened = rows[target].to_numpy()
    if happened.all() or not happened.any():
        return churn
    regression = LogisticRegression(C=np.inf).fit(_log_odds(raw)[:, None], happened)
    slope, intercept = float(regression.coef_[0, 0]), float(regression.intercept_[0])
    return Churn(churn.booster, slope, intercept) if slope > 0 else churn


def _log_odds(probability: np.ndarray) -> np.ndarray:
    return logit(np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7))
