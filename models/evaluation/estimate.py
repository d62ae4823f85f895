"""An estimate with its interval, alone or as one of many that must hold at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Floats

Z90 = 1.2816
"""The 90th percentile of a standard normal: 80 % of it lies within so many standard deviations."""
Z95 = 1.96
"""95 % of a standard normal lies within so many standard deviations."""


@dataclass(frozen=True)
class Estimate:
    """An estimate and the interval around it."""

    value: float
    low: float
    high: float

    def times(self, number: float) -> Estimate:
        """The estimate multiplied by a number above 0: for so many customers instead of one."""
        return Estimate(self.value * number, self.low * number, self.high * number)

    def less(self, amount: float) -> Estimate:
        """The estimate reduced by an amount."""
        return Estimate(self.value - amount, self.low - amount, self.high - amount)


def simultaneous_differences(
    point: Mapping[str, float], draws: Mapping[str, Floats], pairs: Sequence[tuple[str, str]], *, confidence: float
) -> list[Estimate]:
    """The first less the second of each pair, with intervals that all hold at once in `confidence` of cases.

    draws: bootstrap draws by name, the same customers in the same place. A difference is d ± q s, s the standard
    deviation of its draws d* and q the quantile of the largest |d* - d| / s of a draw: the studentised maximum of
    Romano and Wolf (2005), Econometrica 73(4). A difference that is constant has an interval of no width.
    """
    at = np.array([point[first] - point[second] for first, second in pairs])
    deviations = np.stack([draws[first] - draws[second] for first, second in pairs]) - at[:, None]
    sd = deviations.std(axis=1)
    size = np.divide(np.abs(deviations), sd[:, None], out=np.zeros_like(deviations), where=sd[:, None] > 0)
    width = np.quantile(size.max(axis=0), confidence) * sd
    return [Estimate(*ends) for ends in np.stack([at, at - width, at + width], axis=1).tolist()]
