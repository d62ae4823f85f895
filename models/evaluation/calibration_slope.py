"""Calibration slope and intercept: whether probabilities are too high, too low or too extreme, by the straight line of
Cox (1958, Two Further Applications of a Model for Binary Regression, Biometrika 45).

    logit P(left) = intercept + slope · logit(probability)

0 and 1 are right. A slope below 1: the predictions are too extreme, above 1: too cautious; an intercept above 0, at a
slope near 1: more left than predicted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from features.arrays import Floats

EDGE = 1e-6
"""Probabilities are clipped to this distance from 0 and 1."""
STEPS = 25
"""Newton's steps for the line of all customers, more than convergence takes."""
RESAMPLED_STEPS = 3
"""Newton's steps from there to the line of a resample, which lies near (Davidson & MacKinnon 1999, Bootstrap Testing in
Nonlinear Models, International Economic Review 40: a few steps are as good as all)."""


def intercept_and_slope(churned: Floats, probability: Floats, weights: Floats | None = None) -> tuple[float, float]:
    """Intercept and slope by maximum likelihood; NaN where it does not exist: nobody or everybody left, all
    probabilities are equal, or a threshold of the probability tells leavers from stayers without error.
    """
    w = np.ones_like(probability) if weights is None else weights
    start = np.array([[0.0, 1.0]])
    ((intercept, slope),) = _newton(churned, _logits(probability), w[None, :], start, steps=STEPS)
    return float(intercept), float(slope)


def resampled_intercepts_and_slopes(
    churned: Floats, probability: Floats, weights: Floats, *, near: tuple[float, float]
) -> tuple[Floats, Floats]:
    """The intercepts and slopes of a stack of weights, a row each; `near`: intercept and slope to start from."""
    start = np.tile(near, (len(weights), 1))
    intercepts, slopes = _newton(churned, _logits(probability), weights, start, steps=RESAMPLED_STEPS).T
    return intercepts, slopes


def _logits(probability: Floats) -> Floats:
    return logit(np.clip(probability, EDGE, 1 - EDGE))


def _newton(y: Floats, x: Floats, weights: Floats, start: Floats, *, steps: int) -> Floats:
    """Newton's method for all rows of weights at once: intercepts and slopes, shape (stack, 2)."""
    at = np.where(_overlap(y, x, weights)[:, None], start, np.nan)
    for _ in range(steps):
        predicted = expit(at[:, :1] + at[:, 1:] * x)
        error, spread = weights * (y - predicted), weights * predicted * (1 - predicted)
        slope0, slope1 = error.sum(-1), error @ x
        h00, h01, h11 = spread.sum(-1), spread @ x, spread @ (x * x)
        area = h00 * h11 - h01**2
        step = np.stack([h11 * slope0 - h01 * slope1, h00 * slope1 - h01 * slope0], axis=-1)
        at += np.divide(step, area[:, None], out=np.full_like(at, np.nan), where=area[:, None] > 0)
    return at


def _overlap(y: Floats, x: Floats, weights: Floats) -> NDArray[np.bool_]:
    """True for rows of weights in which leavers and stayers overlap: else, and where either is missing, there is no
    maximum of the likelihood (Albert & Anderson 1984, Biometrika 71).
    """
    ends = []
    for in_class in (weights * y > 0, weights * (1 - y) > 0):
        ends.append((np.where(in_class, x, np.inf).min(-1), np.where(in_class, x, -np.inf).max(-1)))
    (left_low, left_high), (stay_low, stay_high) = ends
    return (left_low < stay_high) & (stay_low < left_high)
