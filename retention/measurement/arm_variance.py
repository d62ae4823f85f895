"""Variance and skewness of outcomes in one arm of a campaign, estimated from the customers of both arms.

The holdout is small and margins are rarely huge: its own spread is that of the few big spenders who happen to be in it.
The treated are many and much the same, but an offer that works makes more of them buy. So each arm borrows from the
other, with as many buyers among the borrowed as it has itself: the rows of an arm are weighted until the share of them
whose outcome is not 0 is that of the arm in question.
"""

import numpy as np
from numpy.typing import NDArray

from features.arrays import Floats

Flags = NDArray[np.bool_]

SHRINKAGE_CUSTOMERS = 30
"""Weight, in customers, of the share of buyers in both arms against the arm's own share: without it
the spread of a holdout of 30 is as uncertain as its few buyers."""


def arm_moments(rest: Floats, active: Flags, treated: Flags, *, arm: Flags) -> tuple[Floats, Floats]:
    """Variance and third central moment of each column of `rest` in one arm.

    rest, active: customers × outcomes, the residuals of a fit, and whether the outcome is other than 0.
    treated: the arm of each customer; arm: the customers of the one in question.

    Wrong where the offer changes what buyers spend from one to the next: too wide if it widens it, too narrow if it
    narrows it.
    """
    actives = active[arm].sum(axis=0) + SHRINKAGE_CUSTOMERS * active.mean(axis=0)
    target_share = actives / (arm.sum() + SHRINKAGE_CUSTOMERS)
    weights, centred = np.ones(rest.shape), np.empty(rest.shape)
    for rows in (treated, ~treated):
        share = active[rows].mean(axis=0)
        both = (share > 0) & (share < 1)
        of_active = np.divide(target_share, share, out=np.ones_like(share), where=both)
        of_others = np.divide(1 - target_share, 1 - share, out=np.ones_like(share), where=both)
        weights[rows] = np.where(active[rows], of_active, of_others)
        centred[rows] = rest[rows] - np.average(rest[rows], weights=weights[rows], axis=0)
    return np.average(centred**2, weights=weights, axis=0), np.average(centred**3, weights=weights, axis=0)
