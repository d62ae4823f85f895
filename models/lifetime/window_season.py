"""The season of orders in windows of three months: what a window has of a usual one, by its first day.

    S(day) = 1 + Σ a_h cos(2π h t) + b_h sin(2π h t),   t the day in years, h = 1 … 3
    D(day) = 1 + c cos(2π t) + d sin(2π t)

D, the disguise of a cut-off, is what all that customers will order is of what trees without a calendar expect of them
by how they look on that day: after Christmas everybody looks busy. The orders of a window that begins `w` days after a
cut-off are those expected times S(cut-off + w) D(cut-off): windows near and far tell one from the other.

Fitted to orders that came ÷ orders expected, a ratio per cut-off and window, with a level and a trend beside them that
are not kept (harmonic regression: Hyndman & Athanasopoulos, Forecasting, 3rd ed., section 7.4). Coefficients are shrunk
towards none, as normal ones of standard deviation `USUAL_SWING` and `USUAL_DISGUISE`; the mean over a year is 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from features.arrays import Floats
from models.trees.boosting import Inputs

YEAR = 365.25
WINDOW_DAYS = YEAR / 4
PAST_DAYS = re.compile(r"(?:orders|spend|margin|refunds|new_products)_last_([0-9]+)d")
"""Names of features that count or sum what was ordered in the last days."""
USUAL_SWING = 0.4
"""The standard deviation of a season's coefficients before any data."""
USUAL_DISGUISE = 0.2
USUAL_TREND = 0.15
"""The standard deviation of the trend a year."""
NOISE = 0.1 * 3**0.5
"""The standard deviation of a ratio beyond season and trend; three windows overlap."""
MIN_CUT_OFFS = 11
"""A year of cut-offs, nearly: with fewer no season is seen."""
TURNS = 10
"""How often season and disguise are fitted in turn."""
TREND_FROM = 22
"""Cut-offs from which a trend and a second harmonic can be told from a season."""
THIRD_FROM = 34
LEAST = 0.05
"""No window has less than this of a usual one."""


@dataclass(frozen=True)
class Season:
    """Coefficients of cosine and sine by harmonic; none: every window is a usual one."""

    coefficients: tuple[float, ...] = ()
    disguise: tuple[float, ...] = ()

    def at(self, days: Floats | float) -> Floats:
        """S of windows that begin on these days (since 1970); mean 1 over a year."""
        return _wave(self.coefficients, days)

    def before(self, days: Floats, span_days: float) -> Floats:
        """What the season made of orders in so many days before each of these days (since 1970), of mean 1 over a year.

        The mean of a wave over a span is the wave in its middle times sinc(h · span), so from that of a window's span.
        """
        parts = np.asarray(self.coefficients).reshape(-1, 2)
        order = np.arange(1, len(parts) + 1)
        narrowed = np.sinc(order * span_days / YEAR) / np.sinc(order * WINDOW_DAYS / YEAR)
        middles = np.asarray(days, dtype=float) - span_days / 2
        return _wave(tuple((parts * narrowed[:, None]).ravel()), middles - WINDOW_DAYS / 2)

    def of_cut_off(self, days: Floats | float) -> Floats:
        """D of cut-offs on these days (since 1970)."""
        return _wave(self.disguise, days)


def without_season(values: Floats, inputs: Inputs, season: Season, days: Floats) -> Floats:
    """Divide what customers ordered in the last days by what the season made of those days, (rows, inputs).

    values: of the inputs in their order; days: of each row, since 1970.
    """
    if not season.coefficients:
        return values
    distinct, place = np.unique(days, return_inverse=True)
    values = values.copy()
    for column, span_days in _past_spans(tuple(inputs)).items():
        values[:, column] /= season.before(distinct, span_days)[place]
    return values


@cache
def _past_spans(names: tuple[str, ...]) -> dict[int, float]:
    """The columns that say what was ordered in the last days, and how many days; read once, not at every request."""
    found = {column: PAST_DAYS.fullmatch(name) for column, name in enumerate(names)}
    return {column: float(match[1]) for column, match in found.items() if match}


def fit(cut_offs: Floats, first_days: Floats, came: Floats, expected: Floats) -> Season:
    """Fit to the orders of windows after cut-offs; both in days since 1970. Without a year of cut-offs: no season.

    Under a year of cut-offs with a second window, nothing is disguised.
    """
    count, later = len(np.unique(cut_offs)), len(np.unique(cut_offs[first_days > cut_offs]))
    if count < MIN_CUT_OFFS:
        return Season()
    harmonics = 3 if count >= THIRD_FROM else 2 if count >= TREND_FROM else 1
    weight, ratio = expected / expected.mean(), came / expected
    constant = [np.ones(len(ratio))]
    prior = [1e3]
    if count >= TREND_FROM:
        constant.append((first_days - np.average(first_days, weights=weight)) / YEAR)
        prior.append(USUAL_TREND)
    windows = _Regression([*_waves(first_days, harmonics), *constant], [USUAL_SWING] * (2 * harmonics) + prior, weight)
    disguises = _Regression(list(_waves(cut_offs, 1)), [USUAL_DISGUISE] * 2, weight)
    fitted = Season()
    for _ in range(TURNS):
        solution, explained = windows.fit(ratio / fitted.of_cut_off(cut_offs))
        level = solution[2 * harmonics]
        fitted = replace(fitted, coefficients=tuple(float(wave / level) for wave in solution[: 2 * harmonics]))
        if later < MIN_CUT_OFFS:
            break
        disguise, _ = disguises.fit(ratio / np.maximum(explained, LEAST * level) - 1)
        fitted = replace(fitted, disguise=tuple(disguise.tolist()))
    return fitted


class _Regression:
    """Weighted ridge regression on fixed columns."""

    def __init__(self, columns: list[Floats], prior: list[float], weight: Floats):
        self.design = np.column_stack(columns)
        self.weighted = (self.design * weight[:, None]).T
        self.precision = self.weighted @ self.design + np.diag((NOISE / np.array(prior)) ** 2)

    def fit(self, target: Floats) -> tuple[Floats, Floats]:
        """The coefficients, and the fitted values."""
        solution: Floats = np.asarray(np.linalg.solve(self.precision, self.weighted @ target), np.float64)
        return solution, np.asarray(self.design @ solution)


def _waves(days: Floats | float, harmonics: int) -> Iterator[Floats]:
    """Cosine and sine of each harmonic of the year."""
    phase = 2 * np.pi * np.asarray(days, dtype=float) / YEAR
    for number in range(1, harmonics + 1):
        yield np.cos(number * phase)
        yield np.sin(number * phase)


def _wave(coefficients: tuple[float, ...], days: Floats | float) -> Floats:
    level = np.ones_like(np.asarray(days, dtype=float))
    for coefficient, wave in zip(coefficients, _waves(days, len(coefficients) // 2), strict=True):
        level = level + coefficient * wave
    return np.maximum(level, LEAST)
