"""The margin of an order to come: the customer's own mean, shrunk to that of all, times a small correction by trees.

Costs to serve, where the log has them, are taken off: what is booked to a customer in a window ÷ the orders expected in
it, by trees, so that they last as long as the orders do. Wrong where customers who no longer order go on costing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers
from models.lifetime.lattice import LifetimeRows
from models.lifetime.lifetime_trees import LEAST_RATE, MARGIN, LifetimeTrees, raw
from models.trees import boosting

LEAST_MARGIN = 0.05
"""The least margin per order, as a share of the mean of all, and the least correction."""
OWN_AFTER = (0.3, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Candidates for the number of orders after which a customer's own mean margin counts half."""
SERVING = {
    "rounds": 40,
    "learning_rate": 0.15,
    "max_depth": 3,
    "min_child_weight": 50,
    "tweedie_variance_power": 1.1,
}
CORRECTION = {"rounds": 60, "learning_rate": 0.1, "max_depth": 3, "min_child_weight": 50}


@dataclass(frozen=True)
class ShrunkMean:
    """The customer's own mean margin per order, shrunk to that of all."""

    mean: float
    """Of all, currency units."""
    per_spend: float
    """Margin in orders to come ÷ what the column `source` holds of past ones."""
    own_after: float
    """The number of orders after which a customer's own mean counts half."""
    source: str
    """`margin_total` where the log has costs of goods, else `spend_total`."""

    def of(self, frame: pd.DataFrame) -> Floats:
        """Currency units, positive, (rows,)."""
        orders = frame["orders"].to_numpy(dtype=float)
        own = frame[self.source].to_numpy(dtype=float) * self.per_spend
        shrunk = (own + self.own_after * self.mean) / (orders + self.own_after)
        return np.maximum(shrunk, LEAST_MARGIN * self.mean)


@dataclass(frozen=True)
class MarginPerOrder:
    """A shrunk mean, trees of what it misses, and trees of what serving costs."""

    shrunk: ShrunkMean
    correction: boosting.Booster
    """Trees of the margin per order ÷ `shrunk`."""
    serving: boosting.Booster | None = None
    """Trees of ln(costs to serve per order, currency units); None where the log has no such costs."""

    def of(self, data: boosting.Matrix, frame: pd.DataFrame) -> Floats:
        """Expected margin of an order to come less its costs to serve, currency units, (rows,).

        data: the matrix of the frame.
        """
        margin = self.before_costs(data, frame)
        return margin if self.serving is None else margin - np.exp(raw(self.serving, data))

    def before_costs(self, data: boosting.Matrix, frame: pd.DataFrame) -> Floats:
        """Expected margin of an order to come, currency units, positive, (rows,)."""
        return self.shrunk.of(frame) * np.maximum(raw(self.correction, data), LEAST_MARGIN)


def fit(trees: LifetimeTrees, rows: LifetimeRows, expected_orders: Floats) -> MarginPerOrder:
    """Fit to the margin per order of those who ordered in the first window, and to all costs in it.

    expected_orders: of each row in the first window.
    """
    closed = np.flatnonzero(rows.months_back >= rows.lattice.window_months)
    serving = _fit_serving(trees, rows.costs, closed, expected_orders) if rows.costs is not None else None
    bought = np.flatnonzero((rows.months_back >= rows.lattice.window_months) & (rows.orders[:, 0] > 0))
    orders, margin = rows.orders[bought, 0], rows.margin[bought, 0]
    frame = rows.frame.iloc[bought]
    source = "margin_total" if "margin_total" in frame else "spend_total"
    past = frame[source].to_numpy(dtype=float)
    mean = float(max(margin.sum() / orders.sum(), LEAST_RATE))
    per_spend = mean * float(frame["orders"].sum()) / float(max(past.sum(), LEAST_RATE))

    def missed(own_after: float) -> float:
        told = ShrunkMean(mean, per_spend, own_after, source).of(frame)
        came = np.log1p(np.maximum(margin / orders, 0) / mean)
        return float(np.average((came - np.log1p(told / mean)) ** 2, weights=orders))

    shrunk = ShrunkMean(mean, per_spend, min(OWN_AFTER, key=missed), source)
    told = shrunk.of(frame)
    weight = orders * told
    correction = trees.grow(
        MARGIN,
        np.maximum(margin / orders / told, 0),
        bought,
        params=CORRECTION,
        start=1.0,
        weight=weight / weight.mean(),
    )
    return MarginPerOrder(shrunk, correction, serving)


def _fit_serving(
    trees: LifetimeTrees, costs: Floats, closed: Integers, expected_orders: Floats
) -> boosting.Booster | None:
    """Trees of ln(costs per expected order); None where nothing was booked in a window that has closed."""
    if costs[closed].sum() <= 0:
        return None
    orders = np.maximum(expected_orders[closed], LEAST_RATE)
    per_order = np.maximum(costs[closed], 0) / orders
    return trees.grow_rates(per_order, closed, weight=orders / orders.mean(), params=SERVING)
