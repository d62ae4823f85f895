"""Maximum likelihood within bounds of the parameters' logs, for millions of customers; shared by the BTYD models."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult, minimize
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from features.arrays import Floats
from features.errors import Refusal

Bounds = Sequence[tuple[float, float]]
MeanLoss = Callable[..., tuple[float, Floats]]

SAMPLE = 20_000
"""Customers in a first fit that locates the maximum for many."""
BLOCK = 8192
"""Customers at a time, so that intermediate results stay in the processor's cache."""


def maximise(
    mean_loss: MeanLoss,
    summarise: Callable[..., Any],
    *columns: Floats,
    bounds: Bounds,
    where: str,
) -> tuple[list[float], float]:
    """Find the positive parameters with the least `mean_loss` over customers, and that loss.

    `columns` are equally long, one unit-free value per customer; `summarise(*columns)` is called once, and
    `mean_loss(logs, summary)` returns minus the mean log-likelihood at the parameters' logs, and its gradient.
    The search (L-BFGS-B) starts at parameters of 1 and stays within the `bounds` of the logs. More than
    4 × 20,000 customers are first fitted on 20,000 drawn at random (always the same): its maximum and its curvature
    leave the search over all of them (BFGS) about four evaluations, and do not change its result.
    Raises Refusal where it ends on a slope steeper than 1e-4 for another reason than that no step down is left.
    """
    with threadpool_limits(1, user_api="blas"):  # threads for 4 × 4 matrices only wait for each other
        return _maximise(mean_loss, summarise, *columns, bounds=bounds, where=where)


def _maximise(
    mean_loss: MeanLoss, summarise: Callable[..., Any], *columns: Floats, bounds: Bounds, where: str
) -> tuple[list[float], float]:
    everyone, start = summarise(*columns), np.zeros(len(bounds))
    if columns[0].size > 4 * SAMPLE:
        drawn = np.random.default_rng(0).integers(0, columns[0].size, SAMPLE)
        sample = summarise(*(column[drawn] for column in columns))
        near = _within(bounds, mean_loss, start, sample)
        curvature = _curvature(mean_loss, near.x, sample)
        if _slope(near, ((-np.inf, np.inf),) * len(bounds)) < 1e-4 and (np.linalg.eigvalsh(curvature) > 0).all():
            best = _newton_like(mean_loss, near.x, np.linalg.inv(curvature).astype(np.float64), everyone)
            if np.abs(best.jac).max() < 1e-6 and _slope(best, bounds) < 1e-6:
                return np.exp(best.x).tolist(), float(best.fun)
    best = _within(bounds, mean_loss, start, everyone)
    if not (best.success or _slope(best, bounds) < 1e-4):
        raise Refusal(
            f"the likelihood has no maximum that can be found (slope {_slope(best, bounds):.1g}: {best.message})",
            where=where,
            next="look for customers with impossible histories",
        )
    return np.exp(best.x).tolist(), float(best.fun)


def blocks(*columns: Floats) -> Iterator[tuple[Floats, ...]]:
    """Iterate over equally long columns, a block of rows at a time."""
    for first in range(0, len(columns[0]), BLOCK):
        yield tuple(column[first : first + BLOCK] for column in columns)


def distinct_counts(orders: Floats) -> tuple[Floats, Floats]:
    """Return the distinct numbers of orders, and the number of customers with each."""
    distinct, customers = np.unique(orders, return_counts=True)
    return distinct, customers.astype(np.float64)


def _within(bounds: Bounds, mean_loss: MeanLoss, start: Floats, summary: Any) -> OptimizeResult:
    options = {"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-8}
    return minimize(mean_loss, start, args=(summary,), jac=True, method="L-BFGS-B", bounds=bounds, options=options)


def _newton_like(mean_loss: MeanLoss, start: Floats, inverse: Floats, summary: Any) -> OptimizeResult:
    options = {"gtol": 1e-7, "hess_inv0": (inverse + inverse.T) / 2}
    return minimize(mean_loss, start, args=(summary,), jac=True, method="BFGS", options=options)


def _slope(at: OptimizeResult, bounds: Bounds) -> float:
    """The steepest way down that stays within the bounds."""
    return float(np.abs(at.x - np.clip(at.x - at.jac, *np.transpose(bounds))).max())


def _curvature(mean_loss: MeanLoss, at: Floats, summary: Any) -> Floats:
    """The matrix of second derivatives, from differences of gradients."""
    step = 1e-4 * np.eye(len(at))
    differences = [mean_loss(at + way, summary)[1] - mean_loss(at - way, summary)[1] for way in step]
    matrix = np.array(differences) / 2e-4
    return (matrix + matrix.T) / 2
