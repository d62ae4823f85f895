"""What a customer who orders within the horizon brings: orders and margin given at least one order.

With the churn probability this is a two-part (hurdle) model: expected value = P(orders) × value given ordering
(Cragg 1971, Econometrica 39), so the money can never contradict the probability. Margin given ordering is a gamma
regression with a log link: right-skewed, and unbiased in total where squared or absolute errors on logs are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from models import trees

LEAST = 0.01
"""Currency units: margins at or below nothing (refunds, free orders) count as this when fitting the gamma."""


@dataclass(frozen=True)
class Value:
    """A fitted model of orders and margin given ordering; `level` is the correction of the margin's total."""

    orders_booster: trees.Booster
    margin_booster: trees.Booster
    level: float = 1.0

    def orders(self, rows: pd.DataFrame, inputs: trees.Inputs) -> np.ndarray:
        """Expected orders in the horizon given at least one; at least 1."""
        return 1.0 + self.orders_booster.predict(trees.matrix(rows, inputs)).astype(np.float64)

    def margin(self, rows: pd.DataFrame, inputs: trees.Inputs) -> np.ndarray:
        """Expected margin in the horizon given at least one order: currency units, positive."""
        return self.level * self.margin_booster.predict(trees.matrix(rows, inputs)).astype(np.float64)


def fit(rows: pd.DataFrame, inputs: trees.Inputs, *, params: Mapping[str, float], seed: int) -> Value:
    """Grow both on the rows of customers who ordered; the level is not corrected yet."""
    bought = rows[~rows["churned"]]
    more = (bought["future_orders"] - 1).to_numpy(np.float32)
    margin = bought["future_value"].clip(lower=LEAST).to_numpy(np.float32)
    return Value(
        trees.grow(trees.matrix(bought, inputs, more), objective="count:poisson", params=params, seed=seed),
        trees.grow(trees.matrix(bought, inputs, margin), objective="reg:gamma", params=params, seed=seed),
    )


def calibrate(value: Value, churn_probability: np.ndarray, rows: pd.DataFrame, inputs: trees.Inputs) -> Value:
    """Set the level so that the expected total of `rows` is what they brought: one number, so the ranking stays.

    Left at 1 where the rows brought nothing in total.
    """
    expected = ((1 - churn_probability) * value.margin(rows, inputs)).sum()
    realised = rows["future_value"].sum()
    return replace(value, level=float(realised / expected)) if realised > 0 else value
