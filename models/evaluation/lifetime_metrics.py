"""The judgement of lifetime values on lifetimes that have closed: totals, ranking, and told ÷ came by group.

A total may be right where groups are not: bands of risk and of silence show who is overvalued.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from features.arrays import Floats
from models.evaluation import evaluation_tables
from models.evaluation.bootstrap import resample_counts
from models.evaluation.evaluation_tables import finite_or_none, with_interval
from models.evaluation.interval_places import IntervalPlaces, interval_places
from models.evaluation.metrics import mae, normalized_gini, total_bias

METRICS = {"total_bias": total_bias, "normalized_gini": normalized_gini, "mae": mae}
RISK_BANDS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 0.95, 1.0)
"""Of the churn probability."""
SILENCE_BANDS = (0.0, 90.0, 180.0, 365.0, 730.0, np.inf)
"""Of the days since the last order."""


class LifetimeEnds(NamedTuple):
    """The 80 % interval of each customer, shape (rows,) each."""

    low: Floats
    """Currency units."""
    high: Floats
    nothing: Floats
    """The probability of no order within the lifetime."""


def judge(
    came: Floats,
    told: Mapping[str, Floats],
    *,
    ends: LifetimeEnds,
    churn_probability: Floats,
    recency_days: Floats,
    resamples: int,
    seed: int,
    confidence: float,
) -> dict[str, Any]:
    """Judge lifetime values (currency units, by model) against what came, ready for JSON.

    models: each metric with an interval that holds `confidence` of `resamples` draws of customers, the same for every
    model. deciles: as of models/evaluation/evaluation_tables.py. risk, silence: `bands`. coverage: the shares of
    customers below, inside and above their interval, who brought nothing being divided as
    models/evaluation/interval_places.py has it; of all and of each band.
    """
    places = interval_places(came, *ends)
    draws: dict[str, dict[str, list[Floats]]] = {name: {metric: [] for metric in METRICS} for name in told}
    for weights in resample_counts(len(came), resamples=resamples, seed=seed):
        for name, values in told.items():
            for metric, measure in METRICS.items():
                draws[name][metric].append(measure(came, values, weights))

    def measured(name: str, metric: str) -> dict[str, float | None]:
        value = METRICS[metric](came, told[name])
        return with_interval(value, np.concatenate(draws[name][metric]), confidence=confidence)

    return {
        "customers": len(came),
        "came": float(came.sum()),
        "confidence": confidence,
        "models": {name: {metric: measured(name, metric) for metric in METRICS} for name in told},
        "deciles": {
            name: evaluation_tables.deciles(values, came, confidence=confidence) for name, values in told.items()
        },
        "coverage": {name: float(part.mean()) for name, part in places._asdict().items()},
        "risk": bands(churn_probability, RISK_BANDS, came, told, places),
        "silence": bands(recency_days, SILENCE_BANDS, came, told, places),
    }


def bands(
    by: Floats, edges: Sequence[float], came: Floats, told: Mapping[str, Floats], places: IntervalPlaces
) -> list[dict[str, Any]]:
    """Customers whose `by` lies in [edge, next edge), the last edge included, where there are any.

    share: of all that came; ratio: told ÷ came by model, None where nothing came; coverage: as of `judge`.
    """
    rows = []
    for low, high in pairwise(edges):
        inside = (by >= low) & ((by < high) | (high == edges[-1]))
        if not inside.any():
            continue
        brought = float(came[inside].sum())
        rows.append(
            {
                "from": low,
                "to": finite_or_none(high),
                "customers": int(inside.sum()),
                "share": finite_or_none(np.divide(brought, came.sum())),
                "ratio": {
                    name: float(values[inside].sum()) / brought if brought > 0 else None
                    for name, values in told.items()
                },
                "coverage": {name: float(part[inside].mean()) for name, part in places._asdict().items()},
            }
        )
    return rows
