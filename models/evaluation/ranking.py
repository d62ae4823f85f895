"""Rankings of customers and the totals of the top, from which churn and value metrics are computed.

`weights` is how often each customer counts (1 if None), or a stack of such rows; results then have a row for each.
Customers with equal scores share a place: what they hold is spread evenly over it.
"""

from __future__ import annotations

import numpy as np

from features.arrays import Floats

DECILES = np.linspace(0, 1, 11)


def ranked_totals(score: Floats, weights: Floats | None, *amounts: Floats) -> list[Floats]:
    """Totals of weight × amount for each distinct score, highest score first, one array per amount."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(score[order]) != 0))
    w = np.ones_like(score) if weights is None else np.take(weights, order, axis=-1)
    held = [w * amount[order] for amount in amounts]
    return held if starts.size == score.size else [np.add.reduceat(total, starts, axis=-1) for total in held]


def captured_totals(score: Floats, weights: Floats | None, shares: Floats, *amounts: Floats) -> Floats:
    """Totals of the best-scored `shares` (0 … 1) of customers: first their number, then each amount.

    Shape (1 + amounts, …, shares). A customer, or a group of equal scores, at the boundary counts with the part inside.
    """
    totals = ranked_totals(score, weights, np.ones_like(score), *amounts)
    held = np.zeros((len(totals), totals[0].size // totals[0].shape[-1], totals[0].shape[-1] + 1))
    for cumulated, total in zip(held, totals, strict=True):
        np.cumsum(np.atleast_2d(total), -1, out=cumulated[:, 1:])
    size = held[0]
    places = np.round(np.multiply.outer(size[:, -1], shares), 9)  # 0.3 of 10 is 3, not 3 + 4e-16
    inside = [[np.interp(*at) for at in zip(places, size, cumulated, strict=True)] for cumulated in held]
    return np.reshape(inside, (len(totals), *totals[0].shape[:-1], len(shares)))


def gain_area(score: Floats, value: Floats, weights: Floats | None) -> Floats:
    """Area between the gain curve of `value` by falling `score` and the diagonal; NaN unless the total is above 0."""
    customers, held = ranked_totals(score, weights, np.ones_like(value), value)
    height = np.cumsum(held, -1) - held / 2
    return ratio((customers * height).sum(-1), customers.sum(-1) * held.sum(-1)) - 0.5


def midranks(values: Floats, weights: Floats | None) -> Floats:
    """Rank of each customer from the top, ties at their mean rank, each customer taking up its weight."""
    (customers,) = ranked_totals(values, weights, np.ones_like(values))
    middles = np.cumsum(customers, -1) - customers / 2
    place = np.unique(-values, return_inverse=True)[1]
    return np.take(middles, place, axis=-1)


def ratio(part: Floats, whole: Floats) -> Floats:
    """part / whole, NaN where the whole is not above 0."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
