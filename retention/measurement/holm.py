"""Several questions to one campaign: how sure each answer must be, so that all of them are right together."""

from collections.abc import Sequence

import numpy as np

MAX_PROVEN_P_VALUE = 0.03
"""What a raised p-value may be for its answer to count as proven. Of campaigns without any effect, one in twenty at
most is to be told one; the rest is a reserve, since of heavy tails such as those of margins p-values are rough."""


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """Each p-value, raised for the number of questions asked: claim what is at most x, and in all but a share x of
    campaigns no claim is wrong, whatever the answers have to do with each other.

    Source: Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 6(2): the smallest of m times m, the next times m - 1, …, none below the one before, none above 1.

    >>> [round(p, 9) for p in holm([0.04, 0.01, 0.03])]
    [0.06, 0.03, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    raised = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * np.arange(len(order), 0, -1)), 1.0)
    return [float(p) for p in raised[np.argsort(order, kind="stable")]]
