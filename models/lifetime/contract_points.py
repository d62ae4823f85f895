"""The 10 % and 90 % points of what a contract brings: when it ends, times how much it brings until then.

    F(y) = Σ_j P(ends in span j) · G(y ÷ orders until the middle of span j)

Spans: the windows of the lifetime, the first two in parts; and that it outlasts the lifetime. P: by the survival curve,
at an even hazard within a window. G: the ratios of what contracts brought in a year to what was expected while they
last. In the first window payments are whole ones: of an expected 1.3 payments, one comes in seven of ten cases and two
in three; who leaves before the first one brings nothing. Later the number of payments is taken for as many as expected:
rough where a contract pays once a year.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from features.arrays import Floats
from models.btyd.maximum_likelihood import blocks
from models.ensemble.intervals import HIGH, LOW

PARTS = (4, 2)
"""Parts of the first windows; a later one is one span."""
LEAST_SURVIVAL = 1e-300


def contract_points(
    running: Floats, orders: Floats, weights: Floats, ratios: Sequence[float]
) -> tuple[Floats, Floats, Floats]:
    """The 10 % point, the 90 % point and the probability of nothing, (rows,) each; points in orders of the margin.

    running: the chance that the contract still runs at the begin of each window and at the end of the last one,
    (windows + 1, rows); orders: expected in a window while it runs; weights: of each window; ratios: quantiles of G.
    """
    parts = [_points(each, survival.T, weights, np.array(ratios)) for each, survival in blocks(orders, running.T)]
    low, high, nothing = (np.concatenate(column) for column in zip(*parts, strict=True))
    return low, high, nothing


def _points(orders: Floats, running: Floats, weights: Floats, ratios: Floats) -> tuple[Floats, Floats, Floats]:
    until = np.append(0.0, np.cumsum(weights))
    brought, chances = [], []
    for window, (begin, end) in enumerate(pairwise(running)):
        count = PARTS[window] if window < len(PARTS) else 1
        hazard = np.log(np.maximum(end, LEAST_SURVIVAL) / np.maximum(begin, LEAST_SURVIVAL)) / count
        for part in range(count):
            expected = orders * (until[window] + weights[window] * (part + 0.5) / count)
            chance = begin * (np.exp(part * hazard) - np.exp((part + 1) * hazard))
            if window == 0:
                more = expected % 1
                brought += [expected - more, expected - more + 1]
                chances += [chance * (1 - more), chance * more]
            else:
                brought.append(expected)
                chances.append(chance)
    brought.append(orders * until[-1])
    chances.append(running[-1])
    value, chance = np.array(brought), np.array(chances)
    nothing = (chance * (value == 0)).sum(axis=0)
    value = (value[:, None] * ratios[:, None]).reshape(-1, len(orders))
    chance = np.repeat(chance / len(ratios), len(ratios), axis=0)
    order = np.argsort(value, axis=0)
    value = np.take_along_axis(value, order, axis=0)
    below = np.cumsum(np.take_along_axis(chance, order, axis=0), axis=0)
    low, high = (
        value[np.minimum((below < share).sum(axis=0), len(value) - 1), np.arange(len(orders))] for share in (LOW, HIGH)
    )
    return low, high, nothing
