"""Statistical power of a holdout: the smallest detectable effect, and the customers needed to detect a given one.

An effect of size d, measured with a standard deviation sd, is detected with probability POWER if d is at least
(z(1 - LEVEL/2) + z(POWER)) sd, z being quantiles of the standard normal. Source: any text on sample size, e.g. Cohen
(1988), "Statistical Power Analysis for the Behavioral Sciences", chapter 2.
"""

from math import ceil, inf, sqrt

import numpy as np
from scipy import stats

from retention.economics.profit import Numbers
from retention.measurement.holm import MAX_PROVEN_P_VALUE

POWER = 0.8
"""Share of campaigns with such an effect that are to show it: eight of ten."""
SIGNIFICANCE_LEVEL = MAX_PROVEN_P_VALUE / 2
"""The two-sided level of each of the two questions of a readout: did it keep customers, and did it pay?"""
_REACH = float(stats.norm.isf(SIGNIFICANCE_LEVEL / 2) + stats.norm.isf(1 - POWER))


def detectable_effect(sd: float) -> float:
    """The smallest effect that is detected with probability POWER, if it is measured with this sd.

    >>> round(detectable_effect(1.0), 3)
    3.274
    """
    return _REACH * sd


def more_customers(effect: float, *, sd: float, customers: int) -> int:
    """The number of further customers needed to detect `effect`, if `customers` measure it with `sd`; 0 if no more.

    The new customers are like the present ones, and as large a share of them is held out: the sd falls with the root of
    their number.

    >>> more_customers(detectable_effect(0.1) / 2, sd=0.1, customers=1000)
    3000
    """
    if effect == 0:
        raise ValueError("no number of customers detects an effect of 0")
    return max(0, ceil(round(customers * ((detectable_effect(sd) / effect) ** 2 - 1), 6)))


def arms_sd(spread: float, *, treated: int, holdout: int) -> float:
    """Standard deviation of a difference between two arms' means, `spread` being that of one customer; inf without
    a holdout or without treated.
    """
    return spread * sqrt(1 / treated + 1 / holdout) if treated and holdout else inf


def stay_spread(churn_probability: Numbers) -> float:
    """Standard deviation of whether one customer stays, given churn probabilities that are right: √mean p (1 - p).

    >>> stay_spread([0.5, 0.5])
    0.5
    """
    p = np.asarray(churn_probability, dtype=float)
    return float(np.sqrt(np.mean(p * (1 - p))))


def detectable_save_rate(churn_probability: Numbers, savable: Numbers, *, treated: int, holdout: int) -> float:
    """The smallest save rate that a plan's readout will detect with probability POWER: the smallest detectable
    effect on staying, divided by the mean probability of the chosen to be savable. Above 1, or infinite without a
    holdout, none is detected.

    >>> round(detectable_save_rate([0.5] * 2000, [0.25] * 2000, treated=1800, holdout=200), 2)
    0.49
    """
    smallest = detectable_effect(arms_sd(stay_spread(churn_probability), treated=treated, holdout=holdout))
    expected_savable = float(np.mean(np.asarray(savable, dtype=float)))
    return smallest / expected_savable if expected_savable > 0 else inf
