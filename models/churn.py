"""The probability that a customer orders nothing within the horizon: trees, then a logistic recalibration."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from models import trees


@dataclass(frozen=True)
class Churn:
    """A fitted churn model: the trees and the line that corrects their log-odds."""

    booster: trees.Booster
    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, rows: pd.DataFrame, inputs: trees.Inputs) -> np.ndarray:
        """Churn probability of each row, in (0, 1)."""
        return self.corrected(self.booster.predict(trees.matrix(rows, inputs)))

    def corrected(self, raw: np.ndarray) -> np.ndarray:
        """The calibrated probability for the trees' own: `expit(slope * logit(raw) + intercept)`."""
        return expit(self.slope * _log_odds(raw) + self.intercept)


def fit(rows: pd.DataFrame, inputs: trees.Inputs, *, params: Mapping[str, float], seed: int) -> Churn:
    """Grow the trees on labelled rows; not calibrated yet."""
    data = trees.matrix(rows, inputs, rows["churned"].to_numpy(np.float32))
    return Churn(trees.grow(data, objective="binary:logistic", params=params, seed=seed))


def calibrate(churn: Churn, rows: pd.DataFrame, inputs: trees.Inputs) -> Churn:
    """Correct level and spread on rows the trees have not seen: logistic recalibration (Cox 1958, Biometrika 45).

    Strictly increasing, so the ranking stays. With one class only in `rows`, or a fit that would turn the ranking
    round, nothing is changed.
    """
    raw = churn.booster.predict(trees.matrix(rows, inputs))
    churned = rows["churned"].to_numpy()
    if churned.all() or not churned.any():
        return churn
    line = LogisticRegression(C=np.inf).fit(_log_odds(raw)[:, None], churned)
    slope, intercept = float(line.coef_[0, 0]), float(line.intercept_[0])
    return Churn(churn.booster, slope, intercept) if slope > 0 else churn


def _log_odds(probability: np.ndarray) -> np.ndarray:
    return logit(np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7))
