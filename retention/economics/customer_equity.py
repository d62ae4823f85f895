"""Customer equity: the worth of a customer base, with its interval."""

from collections.abc import Sequence
from math import exp, hypot, log1p, sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from models.evaluation.estimate import Z90
from retention.economics.profit import spread


class CustomerEquity(NamedTuple):
    """The sum of CLVs in currency units, with its 80 % interval from p10 to p90."""

    clv: float
    p10: float
    p90: float
    days: int
    """Days whose closed years are behind the interval, beside the usual miss of lifetime values."""


UNKNOWN_MISS = 0.25
"""The typical miss of lifetime values that do not say how they were made."""
USUAL_DAYS = 4
"""The days that the usual miss counts for, beside those judged on the log itself."""


def customer_equity(
    scores: pd.DataFrame, misses: Sequence[float], independent: float = 1.0, *, typical_miss: float
) -> CustomerEquity:
    """The sum of all CLVs with its 80 % interval.

    scores: clv, clv_p10, clv_p90 (currency units) of each customer. misses: the errors of the
    lifetime totals told on past days whose years have closed, as shares (told ÷ came − 1), one for each day judged.
    typical_miss: the standard deviation of such errors on the log scale where nothing was judged. independent: how much
    each judged day tells beside the others, 0 … 1; years that overlap are nearly one.

    Two errors move the sum: the chance of each customer, independent of the others, which hardly matters in a large
    base; and the error of the total, common to all. Its spread is the root mean square of the misses, in which the
    usual one counts as `USUAL_DAYS` days, times Student's t of as many degrees of freedom: the posterior of a normal
    deviation of unknown scale (Gelman et al., Bayesian Data Analysis, 3rd ed., section 2.6). The interval covers no
    change of the business.

    >>> scores = pd.DataFrame({"clv": [100.0], "clv_p10": [100.0], "clv_p90": [100.0]})
    >>> [round(end) for end in customer_equity(scores, [0.1, -0.1], typical_miss=0.1)[:3]]
    [100, 87, 116]
    """
    clv, low, high = (scores[name].to_numpy(float) for name in ("clv", "clv_p10", "clv_p90"))
    total = float(clv.sum())
    if total <= 0:
        return CustomerEquity(total, total, total, len(misses))
    chance = Z90 * float(np.sqrt((spread(mean=clv, p10=low, p90=high) ** 2).sum())) / total
    reach = hypot(chance, common_miss(misses, independent, typical_miss=typical_miss))
    return CustomerEquity(total, *total_interval(total, reach), len(misses))


def total_interval(total: float, reach: float) -> tuple[float, float]:
    """The ends of the interval of a total, ascending; reach: to either side of it, on the log scale."""
    low, high = sorted((total / exp(reach), total * exp(reach)))
    return low, high


def common_miss(
    misses: Sequence[float], independent: float = 1.0, *, typical_miss: float, confidence: float = 0.8
) -> float:
    """How far the interval of a lifetime total reaches to either side on the log scale; arguments as above.

    confidence: how often it holds what comes, 0 … 1.
    """
    logs = [log1p(miss) for miss in misses if miss > -1]
    freedom = USUAL_DAYS + independent * len(logs)
    squares = USUAL_DAYS * typical_miss**2 + independent * sum(log**2 for log in logs)
    return float(stats.t.ppf((1 + confidence) / 2, freedom)) * sqrt(squares / freedom)
