"""Season of the simulated shop: orders on a day as a multiple of the average, and its integrals over a span of days.

season(t) = 1 + swing · cos(ω (t − peak)),   ω = 2π / year,   t in days since 1970,   0 ≤ swing < 1
"""

from math import tau

import numpy as np

from features.arrays import Floats
from pipelines.simulator.parameters import SEASON_PEAK, SEASON_YEAR

OMEGA = tau / SEASON_YEAR


def season(t: Floats | float, *, swing: float) -> Floats:
    """Orders on day t as a multiple of the yearly mean.

    >>> float(season(SEASON_PEAK, swing=0.25))
    1.25
    """
    return np.asarray(1 + swing * np.cos(OMEGA * (np.asarray(t) - SEASON_PEAK)))


def season_integral(a: Floats | float, b: Floats | float, *, swing: float) -> Floats:
    """∫ season over [a, b): days, stretched by the season."""
    late, early = (np.sin(OMEGA * (np.asarray(day) - SEASON_PEAK)) for day in (b, a))
    return np.asarray(np.asarray(b) - a + swing / OMEGA * (late - early))


def fading_season_integral(a: float, days: Floats | float, rate: Floats, *, swing: float) -> Floats:
    """∫ season(a + u) e^(−rate·u) du over u in [0, days): the season as it is left to a customer who fades; rate > 0.

    The cosine is the real part of e^(iω(a + u − peak)), so both terms are integrals of an exponential.
    """
    flat = -np.expm1(-rate * days) / rate
    turning = rate - 1j * OMEGA
    wave = np.exp(1j * OMEGA * (a - SEASON_PEAK)) * -np.expm1(-turning * days) / turning
    return np.asarray(flat + swing * wave.real)
