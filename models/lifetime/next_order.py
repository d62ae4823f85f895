"""When a customer orders next: the day before which they do with a probability of 10 %, 50 % and 90 %.

    P(next order within t) = P(order in h) · w(t) ÷ w(h)                                      up to the horizon h
                           = P(order in h) + (P(order in L) − P(order in h)) (w(t) − w(h)) ÷ (w(L) − w(h))    after it
    w(t) = 1 − Q(k, k (s + t) ÷ g) ÷ Q(k, k s ÷ g)

How likely an order is within the horizon and the lifetime L is what the scores say, so that the median lies within the
horizon exactly where an order does with 1/2 or more. When it comes is told by the customer's own rhythm: gaps between
orders are gamma distributed with mean g and shape k, and the last one has lasted s days (Q: the regularised upper gamma
function). g and 1 ÷ k, the squared coefficient of variation of gaps, are the customer's own, shrunk to those of all,
and the latter times 1 + 1 ÷ the number of gaps behind g, which is known no better than that.

Gamma gaps: Herniter (1971), A Probabilistic Market Model of Purchase Timing and Brand Selection, Management Science
18(4); Platzer & Reutterer (2016), Ticking Away the Moments, Marketing Science 35(5). Wrong where orders follow the
calendar rather than the last one, and where two sizes of gap alternate. Other horizons than the main one are not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import gammaincc, gammainccinv

from features.arrays import Floats
from models.btyd.purchase_model import PurchaseModel
from models.ensemble.baselines import purchase_history
from models.ensemble.intervals import HIGH, LOW

GAPS, DEVIATIONS = 2.0, 4.0
"""Gaps, and deviations of gaps from their mean, after which a customer's own count as much as those of all."""
LEAST_SHAPE, MOST_SHAPE = 0.3, 100.0
FARTHEST = 500.0
"""k (s + h) ÷ g is no more: beyond, Q is 0 to the last bit."""
STD = "gap_std_days"


@dataclass(frozen=True)
class Rhythm:
    """The gaps between orders of all customers."""

    gap_days: float
    """The mean of all gaps."""
    variation: float
    """The squared coefficient of variation of a customer's gaps, no more than 1, which is that of pure chance."""


class NextOrder(NamedTuple):
    """Days until the next order, (rows,) each; NaN where it is less likely than that within the lifetime."""

    low: Floats
    """With a probability of 10 % it comes earlier."""
    median: Floats
    high: Floats


def fit(known: pd.DataFrame) -> Rhythm | None:
    """Measure the rhythm of the customers known today; None where nobody has ordered twice."""
    repeats, last, _ = purchase_history(known)
    if not (last > 0).any():
        return None
    variation = 1.0
    if STD in known:
        std = known[STD].to_numpy(dtype=float)
        some = np.isfinite(std) & (last > 0)
        if some.any():
            variation = float(min(np.mean(std[some] ** 2) / np.mean((last[some] / repeats[some]) ** 2), 1.0))
    return Rhythm(float(last.sum() / repeats.sum()), variation)


def predict(
    rhythm: Rhythm | None,
    frame: pd.DataFrame,
    purchase_model: PurchaseModel,
    *,
    no_order: Floats,
    nothing: Floats,
    horizon_days: float,
    lifetime_days: float,
    shares: Sequence[float] = (LOW, 0.5, HIGH),
) -> list[Floats]:
    """Days until the next order comes with each of these probabilities, (rows,) each; NaN: never so likely.

    no_order, nothing: the probabilities of no order within the horizon and within the lifetime, (rows,) each. Without a
    rhythm, as in bundles before format 6, gaps are those of the purchase model while a customer is alive.
    """
    gap, shape, silent = _gaps(rhythm, frame, purchase_model)
    shape = np.minimum(shape, FARTHEST * gap / (silent + horizon_days))
    by_horizon = 1 - no_order
    by_lifetime = np.maximum(1 - nothing, by_horizon)
    now, near, far = (gammaincc(shape, shape * (silent + days) / gap) for days in (0.0, horizon_days, lifetime_days))

    def days(share: float) -> Floats:
        is_near = share <= by_horizon
        within = np.clip(share / np.maximum(by_horizon, share), 0, 1)
        after = np.clip((share - by_horizon) / np.maximum(by_lifetime - by_horizon, 1e-12), 0, 1)
        left = np.where(is_near, now - (now - near) * within, near - (near - far) * after)
        found = gammainccinv(shape, left) * gap / shape - silent
        found = np.where(is_near, np.clip(found, 0, horizon_days), np.clip(found, horizon_days, lifetime_days))
        return np.where(share <= by_lifetime, found, np.nan)

    return [days(share) for share in shares]


def _gaps(rhythm: Rhythm | None, frame: pd.DataFrame, purchase_model: PurchaseModel) -> tuple[Floats, Floats, Floats]:
    """Mean and shape of each customer's gaps, and the days since their last order."""
    repeats, last, age = purchase_history(frame)
    silent = age - last
    if rhythm is None:
        return (purchase_model.alpha + age) / (purchase_model.r + repeats), np.ones(len(age)), silent
    gap = (last + GAPS * rhythm.gap_days) / (repeats + GAPS)
    variation, weight = np.zeros(len(age)), np.maximum(repeats - 1, 0)
    if STD in frame:
        std = frame[STD].to_numpy(dtype=float)
        weight = np.where(np.isfinite(std) & (last > 0), weight, 0)
        own = np.divide(std * repeats, last, out=np.zeros(len(age)), where=weight > 0)
        variation = weight * own**2
    else:
        weight = np.zeros(len(age))
    shrunk = (variation + DEVIATIONS * rhythm.variation) / (weight + DEVIATIONS) * (1 + 1 / (repeats + GAPS))
    return gap, np.clip(1 / np.maximum(shrunk, 1e-9), LEAST_SHAPE, MOST_SHAPE), silent


def median_day(median: Floats, *, as_of: np.ndarray) -> np.ndarray:
    """The day on which the median falls, datetime64[D]; NaT where there is none; as_of: datetime64, (rows,)."""
    whole = np.maximum(np.ceil(np.nan_to_num(median)) - 1, 0).astype(np.int64)
    return np.where(np.isnan(median), np.datetime64("NaT", "D"), as_of.astype("datetime64[D]") + whole)
