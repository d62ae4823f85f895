"""The tables of an evaluation, ready for JSON: calibration, deciles, gains and coverage by group of customers.

Tenths are of the ranking, highest first; customers of equal score are spread evenly over the tenths they fall in.
`low` and `high` hold `confidence` (0 … 1) of the sampling spread of the number beside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from features.arrays import Floats
from models.evaluation.bootstrap import percentile_interval
from models.evaluation.interval_places import IntervalPlaces
from models.evaluation.ranking import DECILES, captured_totals, ratio

TWENTIETHS = np.linspace(0, 1, 21)

Row = dict[str, float | int | None]


def calibration(probability: Floats, churned: Floats, *, confidence: float) -> list[Row]:
    """Mean churn probability and observed churn rate per tenth, the most likely to leave first."""
    size, predicted, left = np.diff(captured_totals(probability, None, DECILES, probability, churned))
    low, high = wilson(left, size, confidence=confidence)
    return _rows(len(churned), predicted=predicted / size, observed=left / size, low=low, high=high)


def deciles(expected: Floats, value: Floats, *, confidence: float) -> list[Row]:
    """Mean expected and realised value per tenth, best expected first; the interval is the normal one of a mean.

    Its interval is too narrow where a few customers bring most of a tenth's value.
    """
    size, predicted, brought, squares = np.diff(captured_totals(expected, None, DECILES, expected, value, value**2))
    mean = brought / size
    error = np.sqrt(np.maximum(squares / size - mean**2, 0) / size) * ndtri((1 + confidence) / 2)
    return _rows(len(value), predicted=predicted / size, realised=mean, low=mean - error, high=mean + error)


def gains(score: Floats, amount: Floats) -> list[float | None]:
    """Share of the whole amount held by the best-scored 0, 5, … 100 % of customers."""
    _, held = captured_totals(score, None, TWENTIETHS, amount)
    return [finite_or_none(share) for share in ratio(held, np.full(held.shape, held[-1]))]


def coverage(expected: Floats, places: IntervalPlaces, *, confidence: float) -> dict[str, Any]:
    """Share of customers inside their interval, overall and by tenth of expected value; and of those `below` and
    `above` it, a tenth each if the intervals are right: one too low can cover as many customers as one too high.
    """
    size, predicted, covered = np.diff(captured_totals(expected, None, DECILES, expected, places.inside))
    ends = wilson(covered, size, confidence=confidence)
    tenths = _rows(len(expected), predicted=predicted / size, value=covered / size, low=ends[0], high=ends[1])
    parts = {"overall": places.inside, "below": places.below, "above": places.above}
    return {name: _share(part, confidence=confidence) for name, part in parts.items()} | {"deciles": tenths}


def wilson(hits: Floats, trials: Floats, *, confidence: float) -> tuple[Floats, Floats]:
    """The interval of a share of `hits` in `trials` independent customers (Wilson 1927, JASA 22); NaN without trials.

    >>> [round(float(end), 4) for end in wilson(np.array(8.0), np.array(10.0), confidence=0.95)]
    [0.4902, 0.9433]
    """
    z = ndtri((1 + confidence) / 2)
    middle = ratio(hits + z**2 / 2, trials + z**2 * (trials > 0))
    spread = ratio(z * np.sqrt(ratio(hits * (trials - hits), trials) + z**2 / 4), trials + z**2)
    return middle - spread, middle + spread


def with_interval(value: float | Floats, draws: Floats, *, confidence: float) -> dict[str, float | None]:
    """A number beside the interval that holds `confidence` (0 … 1) of its draws."""
    low, high = percentile_interval(draws, confidence=confidence)
    return {"value": finite_or_none(value), "low": finite_or_none(low), "high": finite_or_none(high)}


def finite_or_none(value: float | Floats) -> float | None:
    """A float for JSON: None in place of NaN and infinity."""
    return float(value) if np.isfinite(value) else None


def _share(part: Floats, *, confidence: float) -> Row:
    hits, trials = np.array(part.sum()), np.array(float(len(part)))
    low, high = wilson(hits, trials, confidence=confidence)
    share = {"value": finite_or_none(ratio(hits, trials)), "low": finite_or_none(low), "high": finite_or_none(high)}
    return share | {"customers": len(part)}


def _rows(customers: int, **columns: Floats) -> list[Row]:
    """One row per tenth, with its whole number of customers."""
    sizes = np.diff(np.round(DECILES * customers)).astype(int)
    return [
        {name: finite_or_none(column[place]) for name, column in columns.items()} | {"customers": int(size)}
        for place, size in enumerate(sizes)
    ]
