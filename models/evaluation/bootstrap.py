"""Percentile bootstrap over customers, for intervals of metrics (Efron & Tibshirani 1993, chapter 13)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.arrays import Floats

MAX_STACK_COUNTS = 2_000_000  # counts in memory at a time


def resample_counts(customers: int, *, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield the times each customer is drawn in each resample (as many draws as customers, with replacement).

    Comes in stacks (rows = resamples, columns = customers) of bounded size. Use each stack for every model: paired
    resamples make the interval of a difference narrow.
    """
    rng = np.random.default_rng(seed)
    height = max(1, MAX_STACK_COUNTS // customers)
    for start in range(0, resamples, height):
        rows = min(height, resamples - start)
        draws = rng.integers(customers, size=(rows, customers))
        yield np.stack([np.bincount(row, minlength=customers) for row in draws]).astype(float)


def percentile_interval(draws: Floats, *, confidence: float) -> tuple[float, float]:
    """The central interval that holds `confidence` (0 … 1) of the draws; NaN if the metric was undefined in any."""
    outside = (1 - confidence) / 2
    low, high = np.quantile(draws, [outside, 1 - outside])
    return float(low), float(high)
