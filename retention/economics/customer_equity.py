"""Customer equity: the worth of a customer base, with its interval."""

from collections.abc import Sequence
from math import exp, log1p, sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from models.evaluation.estimate import Z90
from retention.economics.profit import clv_sd


class CustomerEquity(NamedTuple):
    """The sum of CLVs in currency units, with its 80 % interval from p10 to p90."""

    clv: float
    p10: float
    p90: float
    days: int
    """Evaluated days behind the interval; 0: none, and the interval covers only the chance of each customer."""


def customer_equity(scores: pd.DataFrame, misses: Sequence[float]) -> CustomerEquity:
    """The sum of all CLVs with its 80 % interval.

    scores: clv, expected_value, value_p10, value_p90 (currency units) of each customer. misses: the errors of the
    totals predicted for past days, as shares (predicted ÷ realised − 1), one for each day evaluated.

    Two errors move the sum: the chance of each customer, independent of the others, which hardly matters in a large
    base; and the error of the total, common to all. Its spread is the root mean square of the past misses on the log
    scale, times Student's t of as many degrees of freedom, since a few days say little about it. The lifetime is taken
    to miss by as much as the horizon did. The interval covers no change of the business.

    >>> scores = pd.DataFrame({"clv": [100.0], "expected_value": [10.0], "value_p10": [10.0], "value_p90": [10.0]})
    >>> [round(end) for end in customer_equity(scores, [0.1, -0.1])[:3]]
    [100, 83, 121]
    """
    values = (scores[name].to_numpy(float) for name in ("clv", "expected_value", "value_p10", "value_p90"))
    clv, expected_value, value_p10, value_p90 = values
    total = float(clv.sum())
    spread = clv_sd(clv=clv, expected_value=expected_value, value_p10=value_p10, value_p90=value_p90)
    if total <= 0:
        return CustomerEquity(total, total, total, len(misses))
    chance = Z90 * float(np.sqrt((spread**2).sum())) / total
    logs = [log1p(miss) for miss in misses if miss > -1]
    common = float(stats.t.ppf(0.9, len(logs))) * sqrt(np.mean(np.square(logs))) if logs else 0.0
    reach = exp(sqrt(chance**2 + common**2))
    return CustomerEquity(total, total / reach, total * reach, len(logs))
