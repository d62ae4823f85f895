"""The season of orders in windows of three months: what a window has of a usual one, by its first day.

    S(day) = 1 + Σ a_h cos(2π h t) + b_h sin(2π h t),   t the day in years, h = 1 … 3

Fitted to orders that came ÷ orders that a model without a calendar expected, a ratio per cut-off, with a level and a
trend beside it that are not kept (harmonic regression: Hyndman & Athanasopoulos, Forecasting, 3rd ed., section 7.4).
Coefficients are shrunk towards none, as normal ones of standard deviation `USUAL_SWING`, and the mean over a year is 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

import numpy as np

from features.arrays import Floats

YEAR = 365.25
USUAL_SWING = 0.4
"""The standard deviation of a season's coefficients before any data."""
USUAL_TREND = 0.15
"""The standard deviation of the trend a year."""
NOISE = 0.1 * 3**0.5
"""The standard deviation of a ratio beyond season and trend; three windows overlap."""
MIN_CUT_OFFS = 11
"""A year of cut-offs, nearly: with fewer no season is seen."""
TREND_FROM = 22
"""Cut-offs from which a trend and a second harmonic can be told from a season."""
THIRD_FROM = 34
LEAST = 0.05
"""No window has less than this of a usual one."""


@dataclass(frozen=True)
class Season:
    """Coefficients of cosine and sine by harmonic; none: every window is a usual one."""

    coefficients: tuple[float, ...] = ()

    def at(self, days: Floats | float) -> Floats:
        """S of windows that begin on these days (since 1970); mean 1 over a year."""
        phase = 2 * np.pi * np.asarray(days, dtype=float) / YEAR
        level = np.ones_like(phase)
        for number, (cosine, sine) in enumerate(zip(self.coefficients[::2], self.coefficients[1::2], strict=True), 1):
            level = level + cosine * np.cos(number * phase) + sine * np.sin(number * phase)
        return np.maximum(level, LEAST)


def fit(days: Floats, came: Floats, expected: Floats) -> Season:
    """Fit to the orders of each cut-off's window; days: the cut-offs, since 1970. Without a year of them: no season."""
    count = len(days)
    if count < MIN_CUT_OFFS:
        return Season()
    harmonics = 3 if count >= THIRD_FROM else 2 if count >= TREND_FROM else 1
    weight = expected / expected.mean()
    phase = 2 * np.pi * days / YEAR
    waves = chain.from_iterable((np.cos(h * phase), np.sin(h * phase)) for h in range(1, harmonics + 1))
    columns = [*waves, np.ones(count)]
    prior = [USUAL_SWING] * (2 * harmonics) + [1e3]
    if count >= TREND_FROM:
        columns.append((days - np.average(days, weights=weight)) / YEAR)
        prior.append(USUAL_TREND)
    design = np.column_stack(columns)
    precision = (design * weight[:, None]).T @ design + np.diag((NOISE / np.array(prior)) ** 2)
    solution = np.linalg.solve(precision, (design * weight[:, None]).T @ (came / expected))
    level = solution[2 * harmonics]
    return Season(tuple(float(wave / level) for wave in solution[: 2 * harmonics]))
