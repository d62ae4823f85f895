"""The decline with age that bundles of format 4 hold is the sum over periods, written out."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import betainc

from models.btyd.bgnbd import BGNBD
from models.btyd.pareto_nbd import ParetoNBD
from models.lifetime.age_decline import AgeDecline

MEAN_ORDERS = 1.7
BG = AgeDecline(BGNBD(r=0.25, alpha=33.0, a=0.75, b=2.2, log_likelihood=0), MEAN_ORDERS)
PARETO = AgeDecline(ParetoNBD(r=0.55, alpha=74.0, s=0.6, beta=81.0, log_likelihood=0), MEAN_ORDERS)
FRAME = pd.DataFrame(
    {"repeat_orders": [0, 1, 6, 300], "recency_days": [40.0, 78.0, 10.0, 2996.0], "tenure_days": [40.0, 90, 210, 3000]}
)
VALUE = np.array([4.0, 10.0, 55.5, -2.0])


def orders(decline: AgeDecline, t: float, T: float) -> float:
    """Expected orders in (T, T + t] up to a factor, without closed forms: a sum over orders, an integral over time."""
    shape = decline.purchase_model
    if isinstance(shape, ParetoNBD):
        return quad(lambda y: (1 + y / (shape.beta + T)) ** -shape.s, 0, t, epsabs=0, epsrel=1e-12)[0]
    z, k, stays, total, term = t / (shape.alpha + T + t), 0, 1.0, 0.0, np.inf
    while term > 1e-14 * total:
        k += 1
        term = stays * betainc(k, shape.r + MEAN_ORDERS, z)
        stays *= (shape.b + MEAN_ORDERS + k - 1) / (shape.a + shape.b + MEAN_ORDERS + k - 1)
        total += term
    return total


@pytest.mark.parametrize("decline", [BG, PARETO], ids=["bgnbd", "pareto_nbd"])
def test_the_value_is_the_sum_over_periods(decline):
    horizon, lifetime, rate = 90, 1000, 0.12  # eleven whole periods and ten days
    found = decline.value(VALUE, FRAME, horizon_days=horizon, lifetime_days=lifetime, annual_discount_rate=rate)
    for value, T, got in zip(VALUE, FRAME["tenure_days"], found, strict=True):
        expected, day, before = 0.0, 0, 0.0
        while day < lifetime:
            end = min(day + horizon, lifetime)
            until = orders(decline, end, T)
            expected += value * (until - before) / orders(decline, horizon, T) / (1 + rate) ** ((day + end) / 2 / 365)
            day, before = end, until
        assert got == pytest.approx(expected, rel=1e-9)
