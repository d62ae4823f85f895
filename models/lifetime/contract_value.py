"""The value of a customer under a contract: what they pay in each window, times the chance that it still runs.

    CLV = margin per order · orders · Σ_k γ_k (S_k + S_{k+1}) / 2,    S_{k+1} = S_k exp(−H_k)
    H_k = exp(a + b ln(t_k + 30)) · (H ÷ exp(a + b ln(t_0 + 30)))^(p_k)

S_k: the contract still runs at the begin of window k, S_0 = 1. exp(a + b ln(t + 30)): the hazard of a window at a
tenure of t days, a regression on all customers, which goes on beyond the tenures that the log has seen. H: the
customer's own hazard of the next window, by trees; p_k: how much of what sets them apart lasts k windows.

Hazards that fall with tenure, and projecting them: Fader & Hardie (2007), How to Project Customer Retention, Journal of
Interactive Marketing 21(1), 76-90. Wrong where leaving follows the calendar, and where the shop changes its terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.arrays import Floats
from models.lifetime.contract_points import contract_points
from models.lifetime.lattice import MONTH_DAYS, QUARTER, window_weights
from models.lifetime.lifetime_spread import LifetimePrediction
from models.lifetime.lifetime_trees import raw
from models.lifetime.margin_per_order import MarginPerOrder
from models.lifetime.tenure_fade import TenureHazard
from models.trees import boosting
from models.trees.feature_matrix import FeatureMatrix

WINDOW_DAYS = QUARTER * MONTH_DAYS
LEAST_HAZARD, MOST_HAZARD = 1e-12, 50.0
"""Of a window: between a contract that nearly surely lasts and one that surely ends."""
NO_RATIOS = (1.0,)
"""What a contract brings while it lasts, where nothing is known of it: as much as expected."""


@dataclass(frozen=True)
class ContractValue:
    """Fitted trees of leaving and of orders while a contract runs, and how hazards go on."""

    leaving: boosting.Booster
    """Trees of the log-odds of leaving within a window."""
    orders: boosting.Booster
    """Trees of ln(orders in a window) of those who stay."""
    by_tenure: TenureHazard
    lasting: Sequence[float]
    """How much of the difference of a customer's ln hazard from their tenure's is left 1, 2, … windows later, 0 … 1,
    falling; those after as the last."""
    margin: MarginPerOrder
    ratios: Sequence[float] = NO_RATIOS
    """What a contract brought in a year ÷ what was expected while it lasts: quantiles of even weight. Bundles before
    format 6 have none: their ends know when a contract ends, and not how much it brings until then."""
    doubts: tuple[str, ...] = ()
    """What a reader of its values should know, a sentence each."""

    @property
    def derivation(self) -> str:
        """How the values are made, in words for people who decide."""
        return "what contracts bring while they last, survival by tenure and state learned from the log"

    def survival(self, data: boosting.Matrix, frame: pd.DataFrame, windows: int) -> Floats:
        """The chance that the contract still runs at the begin of each window and at the end of the last one.

        Shape (windows + 1, rows), 1 in the first row; data: the matrix of the frame.
        """
        tenure = frame["tenure_days"].to_numpy(dtype=float)
        apart = hazard_apart(self.leaving, data, self.by_tenure.of(tenure))
        share = [1.0, *self.lasting]
        hazards = [
            np.minimum(
                self.by_tenure.of(tenure + window * WINDOW_DAYS) * np.exp(apart * share[min(window, len(share) - 1)]),
                MOST_HAZARD,
            )
            for window in range(windows)
        ]
        return np.exp(-np.cumsum([np.zeros(len(tenure)), *hazards], axis=0))

    def predict(
        self, rows: FeatureMatrix, inputs: boosting.Inputs, *, lifetime_days: float, annual_discount_rate: float
    ) -> LifetimePrediction:
        """Discounted expected margin over the lifetime, currency units, and its distribution."""
        data = rows.matrix(inputs)
        weights = window_weights(WINDOW_DAYS, lifetime_days, annual_discount_rate)
        running = self.survival(data, rows.frame, len(weights))
        orders, margin = np.exp(raw(self.orders, data)), self.margin.of(data, rows.frame)
        lasts = (weights[:, None] * (running[:-1] + running[1:]) / 2).sum(axis=0)
        low, high, nothing = contract_points(running, orders, weights, self.ratios)
        low, high = np.sort(
            [low * margin, high * margin], axis=0
        )  # where serving costs more, the higher end is the lower
        return LifetimePrediction(lasts * orders * margin, low, high, nothing)


def hazard_apart(leaving: boosting.Booster, data: boosting.Matrix, by_tenure: Floats) -> Floats:
    """What sets customers apart: ln of their own hazard of the next window, −ln(1 − P(leaves in it)), less ln of their
    tenure's, (rows,)."""
    own = np.logaddexp(0, raw(leaving, data))
    return np.log(np.maximum(own, LEAST_HAZARD) / by_tenure)
