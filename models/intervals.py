"""How far the realised value may lie from the expected one: 80 % intervals, measured, not assumed.

Split-conformal by group (Vovk 2012, conditional validity by taxonomy): rows the model has not seen are grouped by
expected value; within a group the 10 % and 90 % quantiles of realised / expected value scale the expectation.
Where most customers buy nothing, both ends are rightly zero and coverage is above 80 %: realised values are
discrete at zero, and no interval can split them.
"""

from dataclasses import dataclass

import numpy as np

GROUPS = 20
SMALLEST_GROUP = 50


@dataclass(frozen=True)
class Intervals:
    """Groups by expected value: upper edges (groups - 1,), and the factors of the ends (groups,)."""

    edges: list[float]
    low: list[float]
    high: list[float]

    def interval(self, expected_value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """value_p10 and value_p90 for each expected value, currency units."""
        group = np.searchsorted(self.edges, expected_value, side="right")
        return expected_value * np.asarray(self.low)[group], expected_value * np.asarray(self.high)[group]


def fit(expected_value: np.ndarray, realised_value: np.ndarray) -> Intervals:
    """Learn the factors from rows the model has not seen; both shape (rows,), expected positive."""
    groups = int(np.clip(len(expected_value) // SMALLEST_GROUP, 1, GROUPS))
    edges = np.unique(np.quantile(expected_value, np.linspace(0, 1, groups + 1)[1:-1], method="lower"))
    edges = edges[edges > expected_value.min()]  # so that no group is empty
    group = np.searchsorted(edges, expected_value, side="right")
    ratio = realised_value / expected_value
    low, high = [], []
    for g in range(len(edges) + 1):
        ratios = ratio[group == g]
        n = len(ratios)
        low.append(float(np.quantile(ratios, max(0.1 * (n + 1) - 1, 0) / max(n - 1, 1))))
        high.append(float(np.quantile(ratios, min((0.9 * (n + 1) - 1) / max(n - 1, 1), 1.0))))
    return Intervals(edges.tolist(), low, high)
