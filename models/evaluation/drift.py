"""Drift of one column between an earlier day and now, as population stability index and as a distance.

PSI     Σ (q − p) ln(q / p) over bins, p the earlier shares and q today's: Jeffreys' divergence (Jeffreys 1946), in
        credit scoring the population stability index (Siddiqi 2006, Credit Risk Scorecards). 0: no drift
distance  of numbers the 1-Wasserstein distance in ranks: how far a customer moves, on average, in the order of the
        earlier day (0 … 1, 0.1: ten places of a hundred). Of names the Jensen-Shannon distance, base 2 (0 … 1)

Many features are 0 for most customers, and a rise of all prices moves only the others. So beside the PSI of all
customers stands that of the rest: of those who are neither missing nor at the commonest value.

PSI says that customers look different, not that a model is wrong: half of them may have swapped places unseen, and a
feature may move that hardly counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, wasserstein_distance

from features.arrays import Floats

MAX_BINS = 10
MAX_NAMES = 20
"""The most names with a bin of their own, the commonest of the earlier day; all others share one."""
MIN_COMMON_SHARE = 0.1
"""The least share of a value of the earlier day that has a bin of its own."""
CHANCE_QUANTILE = 0.999
"""The probability that sampling alone stays below `Psi.chance`: with fifty features and two indices each, one in ten
runs does not,
and it must also pass the thresholds of its reader."""
MIN_CUSTOMERS = 100
"""The fewest customers, by effective sample size, on either day for which a PSI is given."""
OTHERS, MISSING = "all others", "missing"


class Psi(NamedTuple):
    """A population stability index, and its upper limit by chance alone."""

    value: float
    chance: float
    """Without drift the index stays below it 999 times of 1,000: the quantile of χ² with bins − 1 degrees of freedom
    times 1/n + 1/m (Yurdakul 2018, Statistical Properties of Population Stability Index, Western Michigan
    University)."""


@dataclass(frozen=True)
class Drift:
    """One column on two days."""

    all: Psi | None
    """Of all customers; None with too few of them."""
    rest: Psi | None
    """Of those who are neither missing nor at the commonest value; None of names, and with too few of them."""
    distance: float | None
    missing: tuple[float, float]
    """Share of customers without a value, earlier and now."""
    unseen: tuple[str, ...] = ()
    """Names that are unknown, the commonest first."""
    unseen_share: float = 0.0
    """Share of customers with such a name now."""


def numeric_drift(before: Floats, after: Floats, weights: Floats | None = None) -> Drift:
    """The drift of a measure; NaN is missing. weights: how many customers each of `after` represents.

    The bins are tenths of the earlier day; a value that a tenth of the customers share has its own.

    >>> customers = np.arange(1000.0)
    >>> moved = numeric_drift(customers, customers + 100)
    >>> round(moved.distance, 3), moved.all.value > moved.all.chance
    (0.095, True)
    """
    after_weights = np.ones(len(after)) if weights is None else weights
    usual = _commonest(before)
    rest = before[~np.isnan(before) & (before != usual)]
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, MAX_BINS + 1)[1:-1])) if len(rest) else np.empty(0)
    first, then = (_bins(values, usual, edges) for values in (before, after))
    return Drift(
        all=_psi(first, np.ones(len(before)), then, after_weights),
        rest=_psi(first[first > 1], np.ones(int((first > 1).sum())), then[then > 1], after_weights[then > 1]),
        distance=_rank_distance(before, after, after_weights),
        missing=(_share(np.isnan(before), np.ones(len(before))), _share(np.isnan(after), after_weights)),
    )


def categorical_drift(
    before: pd.Series, after: pd.Series, weights: Floats | None = None, *, known: Sequence[str] | None = None
) -> Drift:
    """The drift of a column of names; None is missing. known: the names that are; None: those of the earlier day.

    >>> drift = categorical_drift(pd.Series(["web", "shop"]), pd.Series(["web", "app"]))
    >>> drift.unseen, drift.unseen_share
    (('app',), 0.5)
    """
    after_weights = np.ones(len(after)) if weights is None else weights
    labels = list(before.value_counts().index[:MAX_NAMES])
    first, then = (_labelled(values, labels) for values in (before, after))
    place = {label: number for number, label in enumerate([*labels, OTHERS, MISSING])}
    codes = [values.map(place).to_numpy(np.int64) for values in (first, then)]
    shares = [
        np.bincount(code, weight, minlength=len(place))
        for code, weight in zip(codes, (np.ones(len(before)), after_weights), strict=True)
    ]
    unseen = ~after.isin(before.dropna() if known is None else known) & after.notna()
    return Drift(
        all=_psi(codes[0], np.ones(len(before)), codes[1], after_weights),
        rest=None,
        distance=float(jensenshannon(*shares, base=2)) if all(share.sum() > 0 for share in shares) else None,
        missing=(
            _share(before.isna().to_numpy(), np.ones(len(before))),
            _share(after.isna().to_numpy(), after_weights),
        ),
        unseen=tuple(str(name) for name in after[unseen].value_counts().index),
        unseen_share=_share(unseen.to_numpy(), after_weights),
    )


def effective_sample_size(weights: Floats) -> float:
    """The number of equally weighted customers with the same information: (Σw)² / Σw² (Kish 1965, Survey Sampling).

    >>> effective_sample_size(np.array([1.0, 1.0, 0.0])), round(effective_sample_size(np.array([9.0, 1.0, 0.0])), 2)
    (2.0, 1.22)
    """
    squares = (weights**2).sum()
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0


def _psi(first: np.ndarray, of_first: Floats, then: np.ndarray, of_then: Floats) -> Psi | None:
    """PSI over the bins that are not empty; each day's counts are raised by half a customer, so that no share is 0."""
    n, m = effective_sample_size(of_first), effective_sample_size(of_then)
    if min(n, m) < MIN_CUSTOMERS:
        return None
    bins = 1 + max(first.max(), then.max())
    p, q = (
        size * np.bincount(codes, weight, minlength=bins) / weight.sum()
        for codes, weight, size in ((first, of_first, n), (then, of_then, m))
    )
    used = p + q > 0
    p, q = ((counts[used] + 0.5) / (size + 0.5 * used.sum()) for counts, size in ((p, n), (q, m)))
    chance = chi2.ppf(CHANCE_QUANTILE, used.sum() - 1) * (1 / n + 1 / m) if used.sum() > 1 else 0.0
    return Psi(float(((q - p) * np.log(q / p)).sum()), float(chance))


def _commonest(values: Floats) -> float:
    """The commonest value, NaN where none is common."""
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if not len(counts) or counts.max() < MIN_COMMON_SHARE * len(values):
        return float("nan")
    return float(distinct[counts.argmax()])


def _bins(values: Floats, usual: float, edges: Floats) -> np.ndarray:
    """The bin of each value: 0 missing, 1 the commonest value, then from the smallest to the largest."""
    place = 2 + np.searchsorted(edges, values)
    return np.where(np.isnan(values), 0, np.where(values == usual, 1, place)).astype(np.int64)


def _rank_distance(before: Floats, after: Floats, weights: Floats) -> float | None:
    """The Wasserstein distance of the middle ranks that the values have, or would have had, on the earlier day."""
    known, present = np.sort(before[~np.isnan(before)]), ~np.isnan(after)
    if len(known) == 0 or weights[present].sum() <= 0:
        return None

    def ranks(values: Floats) -> Floats:
        return (np.searchsorted(known, values) + np.searchsorted(known, values, side="right")) / (2 * len(known))

    return float(wasserstein_distance(ranks(known), ranks(after[present]), None, weights[present]))


def _share(selected: np.ndarray, weights: Floats) -> float:
    total = weights.sum()
    return float(weights[selected].sum() / total) if total > 0 else 0.0


def _labelled(values: pd.Series, labels: Sequence[str]) -> pd.Series:
    """Each name, or `OTHERS` or `MISSING`."""
    named = values.astype(object)
    return named.where(named.isin(labels), OTHERS).where(named.notna(), MISSING)
