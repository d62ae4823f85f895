"""Fitting a ContractValue on the rows of a lattice: leaving, orders of those who stay, hazards by tenure."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from features.arrays import Bools, Floats, Integers
from models.lifetime import margin_per_order
from models.lifetime.contract_value import ContractValue, hazard_apart
from models.lifetime.lattice import QUARTER, YEAR, LifetimeRows, row_later
from models.lifetime.lifetime_trees import LEAVING, RATES, LifetimeTrees
from models.lifetime.tenure_fade import TENURE_SHIFT, TenureHazard
from models.trees import boosting

LEAVING_TREES = {"rounds": 80, "learning_rate": 0.1, "max_depth": 4, "min_child_weight": 20}
LAGS = 4
"""Windows over which it is measured how much of a customer's own hazard lasts."""
FEWEST_LEFT = 30
"""Ends of contracts within a window: with fewer, there is no survival to learn."""
SMALLEST = 1e-9
RATIOS = 9
"""Quantiles of what contracts bring ÷ what is expected while they last."""


def fit(rows: LifetimeRows, inputs: boosting.Inputs, *, seed: int, device: str) -> ContractValue | None:
    """Fit on the rows of a lattice that know who left; None if too few did, or nobody stayed."""
    assert rows.left is not None
    closed = np.flatnonzero(rows.months_back >= QUARTER)
    left = rows.left[closed]
    if left.sum() < FEWEST_LEFT or left.all():
        return None
    trees = LifetimeTrees(rows.frame, rows.lattice.days(rows.months_back), inputs, seed=seed, device=device)
    share = float(left.mean())
    leaving = trees.grow(LEAVING, left.astype(float), closed, params=LEAVING_TREES, start=share)
    stayed = closed[~left]
    tenure = rows.frame["tenure_days"].to_numpy(dtype=float)
    by_tenure = hazard_by_tenure(tenure[closed], left)
    apart = hazard_apart(leaving, trees.all, by_tenure.of(tenure))
    orders, score = trees.grow_checked(rows.orders[stayed, 0], stayed, params=RATES)
    running = (1 + np.exp(-by_tenure.of(tenure) * np.exp(apart))) / 2
    margin = margin_per_order.fit(trees, rows, running * np.exp(score))
    return ContractValue(
        leaving=leaving,
        orders=orders,
        by_tenure=by_tenure,
        lasting=_lasting(apart, rows.frame["customer_id"], rows.months_back),
        margin=margin,
        ratios=_ratios(rows, np.exp(score) * margin.before_costs(trees.all, rows.frame)),
    )


def _ratios(rows: LifetimeRows, expected: Floats) -> tuple[float, ...]:
    """What contracts that lasted a year, or else a window, brought in it ÷ what was expected, as quantiles."""
    assert rows.left is not None
    lasted = (rows.months_back >= YEAR) & (rows.year_later >= 0)
    windows = rows.lattice.near_windows if lasted.any() else 1
    if windows == 1:
        lasted = (rows.months_back >= QUARTER) & ~rows.left
    ratio = rows.margin[lasted, :windows].mean(axis=1) / expected[lasted]
    return tuple(np.quantile(ratio, (np.arange(RATIOS) + 0.5) / RATIOS).tolist())


def hazard_by_tenure(tenure_days: Floats, left: Bools) -> TenureHazard:
    """Maximise the likelihood of leaving within a window, 1 − exp(−hazard); a rise with tenure is kept level."""
    logs = np.log(np.maximum(tenure_days, 0) + TENURE_SHIFT)
    middle = float(logs.mean())

    def loss(parameters: Floats) -> float:
        hazard = np.exp(parameters[0] + parameters[1] * (logs - middle))
        return float(np.where(left, -np.log(np.maximum(-np.expm1(-hazard), SMALLEST)), hazard).mean())

    start = np.array([np.log(-np.log1p(-left.mean())), -0.1])
    level, slope = minimize(loss, start, method="L-BFGS-B", bounds=[(-30, 5), (-2, 0)]).x
    return TenureHazard(float(level - slope * middle), float(slope))


def _lasting(apart: Floats, customer_ids: pd.Series, months_back: Integers) -> tuple[float, ...]:
    """The slope of what sets customers apart on what did 1, 2, … windows before, never rising."""
    slopes = [1.0]
    for lag in range(1, LAGS + 1):
        later = row_later(customer_ids, months_back, lag * QUARTER)
        known = np.flatnonzero(later >= 0)
        spread = float(apart[known].var()) if len(known) else 0.0
        if spread > 0:
            slope = float(np.cov(apart[known], apart[later[known]], bias=True)[0, 1]) / spread
            slopes.append(float(np.clip(slope, 0, slopes[-1])))
    return tuple(slopes[1:]) or (1.0,)
