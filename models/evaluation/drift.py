"""How far what customers look like has moved: one column on an earlier day against the same column now.

PSI     Σ (q − p) ln(q / p) over bins, p the earlier shares and q today's: Jeffreys' divergence (Jeffreys 1946), in
        credit scoring the population stability index (Siddiqi 2006, Credit Risk Scorecards). 0: nothing moved
distance  of numbers the 1-Wasserstein distance in ranks: how far a customer moves, on average, in the order of the
        earlier day (0 … 1, 0.1: ten places of a hundred). Of names the Jensen-Shannon distance, base 2 (0 … 1)

Many features are 0 for most customers, and whoever raises all prices moves only the others. So beside the PSI of
everybody stands that of the rest: of those who are neither missing nor at the commonest value.

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

BINS = 10
NAMES = 20
"""Names told apart, the commonest of the earlier day; the others count as one."""
COMMON = 0.1
"""The share from which on a value of the earlier day is a bin of its own."""
SURE = 0.999
"""How often sampling alone stays below `Psi.chance`: of fifty features with two figures each, one in ten runs does not,
and it must also pass the thresholds of its reader."""
ENOUGH = 100
"""Customers, or as many in effect, on both days, without whom no PSI is told."""
OTHERS, MISSING = "all others", "missing"


class Psi(NamedTuple):
    """A population stability index, and what chance alone may make of one."""

    value: float
    chance: float
    """Without any drift it stays below, 999 times of 1,000: the quantile of χ² with bins − 1 degrees of freedom times
    1/n + 1/m (Yurdakul 2018, Statistical Properties of Population Stability Index, Western Michigan University)."""


@dataclass(frozen=True)
class Drift:
    """One column on two days."""

    all: Psi | None
    """Of everybody; None with too few customers."""
    rest: Psi | None
    """Of those who are neither missing nor at the commonest value; None of names, and with too few of them."""
    distance: float | None
    missing: tuple[float, float]
    """Share of customers without a value, earlier and now."""
    unseen: tuple[str, ...] = ()
    """Names that are not known, the commonest first."""
    unseen_share: float = 0.0
    """Share of customers with such a name now."""


def numeric_drift(before: Floats, after: Floats, weights: Floats | None = None) -> Drift:
    """The drift of a measure; NaN is missing. weights: how many customers each of `after` stands for.

    The bins are tenths of the earlier day; a value that a tenth of the customers share has its own.

    >>> customers = np.arange(1000.0)
    >>> moved = numeric_drift(customers, customers + 100)
    >>> round(moved.distance, 3), moved.all.value > moved.all.chance
    (0.095, True)
    """
    of_after = np.ones(len(after)) if weights is None else weights
    usual = _commonest(before)
    rest = before[~np.isnan(before) & (before != usual)]
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, BINS + 1)[1:-1])) if len(rest) else np.empty(0)
    first, then = (_placed(values, usual, edges) for values in (before, after))
    return Drift(
        all=_psi(first, np.ones(len(before)), then, of_after),
        rest=_psi(first[first > 1], np.ones(int((first > 1).sum())), then[then > 1], of_after[then > 1]),
        distance=_moved(before, after, of_after),
        missing=(_share(np.isnan(before), np.ones(len(before))), _share(np.isnan(after), of_after)),
    )


def categorical_drift(
    before: pd.Series, after: pd.Series, weights: Floats | None = None, *, known: Sequence[str] | None = None
) -> Drift:
    """The drift of a column of names; None is missing. known: the names that are; None: those of the earlier day.

    >>> drift = categorical_drift(pd.Series(["web", "shop"]), pd.Series(["web", "app"]))
    >>> drift.unseen, drift.unseen_share
    (('app',), 0.5)
    """
    of_after = np.ones(len(after)) if weights is None else weights
    told = list(before.value_counts().index[:NAMES])
    first, then = (_labelled(values, told) for values in (before, after))
    place = {label: number for number, label in enumerate([*told, OTHERS, MISSING])}
    codes = [values.map(place).to_numpy(np.int64) for values in (first, then)]
    shares = [
        np.bincount(code, weight, minlength=len(place))
        for code, weight in zip(codes, (np.ones(len(before)), of_after), strict=True)
    ]
    strange = ~after.isin(before.dropna() if known is None else known) & after.notna()
    return Drift(
        all=_psi(codes[0], np.ones(len(before)), codes[1], of_after),
        rest=None,
        distance=float(jensenshannon(*shares, base=2)) if all(share.sum() > 0 for share in shares) else None,
        missing=(_share(before.isna().to_numpy(), np.ones(len(before))), _share(after.isna().to_numpy(), of_after)),
        unseen=tuple(str(name) for name in after[strange].value_counts().index),
        unseen_share=_share(strange.to_numpy(), of_after),
    )


def effective_sample_size(weights: Floats) -> float:
    """How many customers of equal weight tell as much: (Σw)² / Σw² (Kish 1965, Survey Sampling).

    >>> effective_sample_size(np.array([1.0, 1.0, 0.0])), round(effective_sample_size(np.array([9.0, 1.0, 0.0])), 2)
    (2.0, 1.22)
    """
    squares = (weights**2).sum()
    return float(weights.sum() ** 2 / squares) if squares > 0 else 0.0


def _psi(first: np.ndarray, of_first: Floats, then: np.ndarray, of_then: Floats) -> Psi | None:
    """Over the bins that anybody is in, each day's counts with half a customer more, so that no share is 0."""
    n, m = effective_sample_size(of_first), effective_sample_size(of_then)
    if min(n, m) < ENOUGH:
        return None
    bins = 1 + max(first.max(), then.max())
    p, q = (
        size * np.bincount(codes, weight, minlength=bins) / weight.sum()
        for codes, weight, size in ((first, of_first, n), (then, of_then, m))
    )
    used = p + q > 0
    p, q = ((one[used] + 0.5) / (size + 0.5 * used.sum()) for one, size in ((p, n), (q, m)))
    chance = chi2.ppf(SURE, used.sum() - 1) * (1 / n + 1 / m) if used.sum() > 1 else 0.0
    return Psi(float(((q - p) * np.log(q / p)).sum()), float(chance))


def _commonest(values: Floats) -> float:
    """The commonest value, NaN where none is common."""
    found, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if not len(counts) or counts.max() < COMMON * len(values):
        return float("nan")
    return float(found[counts.argmax()])


def _placed(values: Floats, usual: float, edges: Floats) -> np.ndarray:
    """The bin of each value: 0 missing, 1 the commonest value, then from the smallest to the largest."""
    place = 2 + np.searchsorted(edges, values)
    return np.where(np.isnan(values), 0, np.where(values == usual, 1, place)).astype(np.int64)


def _moved(before: Floats, after: Floats, weights: Floats) -> float | None:
    """The Wasserstein distance of the middle ranks that the values have, or would have had, on the earlier day."""
    known, told = np.sort(before[~np.isnan(before)]), ~np.isnan(after)
    if len(known) == 0 or weights[told].sum() <= 0:
        return None

    def ranks(values: Floats) -> Floats:
        return (np.searchsorted(known, values) + np.searchsorted(known, values, side="right")) / (2 * len(known))

    return float(wasserstein_distance(ranks(known), ranks(after[told]), None, weights[told]))


def _share(these: np.ndarray, weights: Floats) -> float:
    total = weights.sum()
    return float(weights[these].sum() / total) if total > 0 else 0.0


def _labelled(values: pd.Series, told: Sequence[str]) -> pd.Series:
    """Each name, or `OTHERS` or `MISSING`."""
    named = values.astype(object)
    return named.where(named.isin(told), OTHERS).where(named.notna(), MISSING)
