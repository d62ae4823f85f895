"""Orders and margin within the horizon of a customer who orders at least once.

With the churn probability this is a two-part (hurdle) model: expected value = P(orders) × value given ordering
(Cragg 1971, Econometrica 39), so the money can never contradict the probability. Margin given ordering is right-skewed;
there are four kinds of model for it:

    gamma       gamma regression with a log link
    lognormal   squared error on ln(margin), times the mean of exp(residual): Duan's smearing (1983, JASA 78)
    tweedie     Tweedie regression of power 1.5 with a log link (Jørgensen 1987, JRSS B 49)
    ziln        zero-inflated lognormal, on buyers and others: models/trees/ziln.py
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from models.trees import boosting, training_rows, ziln

KINDS = ("gamma", "lognormal", "tweedie", "ziln")
OBJECTIVES = {"gamma": "reg:gamma", "lognormal": "reg:squarederror", "tweedie": "reg:tweedie"}
MIN_MARGIN = 0.01
"""Currency units: a margin below this (refunds, free orders) counts as this when fitting."""
TARGET = "(target)"
"""The column of the target; no feature has such a name."""


@dataclass(frozen=True)
class Value:
    """A fitted model of orders and margin given ordering."""

    kind: str
    """One of `KINDS`: the meaning of the outputs of the margin's trees."""
    orders_booster: boosting.Booster
    margin_booster: boosting.Booster
    factor: float = 1.0
    """Multiplies the margin read from the trees: the smearing factor for lognormal, 1 for the others."""

    def orders(self, rows: pd.DataFrame, inputs: boosting.Inputs) -> np.ndarray:
        """Expected orders in the horizon given at least one; at least 1."""
        return self.orders_of(boosting.matrix(rows, inputs))

    def orders_of(self, data: boosting.Matrix) -> np.ndarray:
        """The same for a matrix of the inputs; feature names are not checked, which takes as long as scoring a row."""
        return 1.0 + self.orders_booster.predict(data, validate_features=False).astype(np.float64)

    def margin(self, rows: pd.DataFrame, inputs: boosting.Inputs) -> np.ndarray:
        """Expected margin in the horizon given at least one order: currency units, positive."""
        return self.margin_of(boosting.matrix(rows, inputs))

    def margin_of(self, data: boosting.Matrix) -> np.ndarray:
        """The same for a matrix of the inputs."""
        return self.factor * read_margin(self.kind, self.margin_booster, data)

    def contributions(self, data: boosting.Matrix) -> np.ndarray:
        """Contributions of each feature to ln(margin), (rows, features); with a constant they sum to it.

        ziln: a contribution to the output behind sigma counts at the mean slope of sigma² / 2 between the base's output
        and the row's.
        """
        added = boosting.contributions(self.margin_booster, data).astype(np.float64)
        if self.kind != "ziln":
            return added[:, :-1]
        return added[:, 1, :-1] + ziln.mean_slope(added[:, 2, -1], added[:, 2].sum(axis=1))[:, None] * added[:, 2, :-1]


def fit(
    rows: training_rows.Rows,
    inputs: boosting.Inputs,
    *,
    params: Mapping[str, float],
    seed: int,
    kind: str = "gamma",
    device: str = "cpu",
) -> Value:
    """Grow the trees of orders and of margin on labelled rows."""
    further, margins = (training_rows.changed(rows, change) for change in (_further_orders, partial(_margins, kind)))
    orders_booster = training_rows.grow_trees(
        further, inputs, label=TARGET, objective="count:poisson", params=params, seed=seed, device=device
    )
    objective = _objective(
        kind, lambda: np.concatenate([batch[TARGET] for batch in training_rows.batches(margins, ())])
    )
    margin_booster = training_rows.grow_trees(
        margins, inputs, label=TARGET, objective=objective, params=params, seed=seed, device=device
    )
    model = Value(kind, orders_booster, margin_booster)
    return replace(model, factor=_smearing(model, margins, inputs)) if kind == "lognormal" else model


def _smearing(model: Value, margins: training_rows.Rows, inputs: boosting.Inputs) -> float:
    """The mean of exp(residual) over the training rows of the margin."""
    ratios = [
        np.exp(rows[TARGET].to_numpy(np.float64)) / model.margin(rows, inputs)
        for rows in training_rows.batches(margins, list(inputs))
    ]
    return float(np.concatenate(ratios).mean())


def _further_orders(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of buyers; the target is the number of further orders."""
    buyers = rows[bought(rows)]
    return buyers.assign(**{TARGET: buyers["future_orders"] - 1})


def _margins(kind: str, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of a kind's `margin_target`, with the target."""
    kept, target = margin_target(kind, rows)
    return rows[kept].assign(**{TARGET: target})


def bought(rows: pd.DataFrame) -> np.ndarray:
    """True for rows of customers who ordered in the horizon; under a contract, one who left may have ordered."""
    return rows["bought"].to_numpy() if "bought" in rows else ~rows["churned"].to_numpy()


def margin_target(kind: str, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Choose the rows that a kind's trees are grown on (bool), and the target of each chosen row (float32)."""
    buys, margin = bought(rows), rows["future_value"].clip(lower=MIN_MARGIN).to_numpy()
    if kind == "ziln":
        return np.ones(len(rows), bool), np.where(buys, margin, 0.0).astype(np.float32)
    return buys, (np.log(margin) if kind == "lognormal" else margin)[buys].astype(np.float32)


def grow_margin(
    kind: str, data: boosting.Matrix, *, params: Mapping[str, float], seed: int, device: str = "cpu"
) -> boosting.Booster:
    """Grow the trees of the margin on a matrix of the kind's `margin_target`."""
    return boosting.grow_trees(
        data, objective=_objective(kind, data.get_label), params=params, seed=seed, device=device
    )


def _objective(kind: str, target: Callable[[], np.ndarray]) -> str | boosting.Objective:
    """The loss of the margin; target: returns the target of each row, for a loss that depends on it."""
    return ziln.objective(target()) if kind == "ziln" else OBJECTIVES[kind]


def read_margin(kind: str, booster: boosting.Booster, data: boosting.Matrix, *, rounds: int = 0) -> np.ndarray:
    """Predict margin given ordering from the first `rounds` trees (0: all), before `Value.factor`; positive."""
    outputs = booster.predict(data, output_margin=True, iteration_range=(0, rounds), validate_features=False)
    outputs = outputs.astype(np.float64)
    return ziln.mean(outputs) if kind == "ziln" else np.exp(outputs)
