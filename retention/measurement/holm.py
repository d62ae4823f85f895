"""Holm's correction: p-values of several questions to one campaign, adjusted so that all answers hold together."""

from collections.abc import Sequence

import numpy as np

MAX_PROVEN_P_VALUE = 0.03
"""The highest adjusted p-value that counts as proof. At most one in twenty campaigns without any effect is to be
reported to have one; the rest is a reserve, since p-values are rough for tails as heavy as those of margins."""


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Each p-value, raised for the number of questions: claim what is at most x, and in all but a share x of campaigns
    no claim is wrong, however the answers depend on each other.

    Source: Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 6(2): the smallest of m times m, the next times m - 1, …, none below the one before, none above 1.

    >>> [round(p, 9) for p in holm_adjusted([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    raised = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * np.arange(len(order), 0, -1)), 1.0)
    return [float(p) for p in raised[np.argsort(order, kind="stable")]]
