"""An estimate with its interval, alone or as one of many that must hold at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.arrays import Floats

Z90 = 1.2816
"""The 90th percentile of a standard normal: 80 % of it lie within so many standard deviations."""
Z95 = 1.96
"""95 % of it lie within so many standard deviations."""


@dataclass(frozen=True)
class Estimate:
    """An estimate and the interval around it."""

    value: float
    low: float
    high: float

    def times(self, number: float) -> Estimate:
        """The same in other units, of so many customers instead of one; number above 0."""
        return Estimate(self.value * number, self.low * number, self.high * number)

    def less(self, amount: float) -> Estimate:
        """The same with so much taken off."""
        return Estimate(self.value - amount, self.low - amount, self.high - amount)


def simultaneous_differences(
    point: Mapping[str, float], draws: Mapping[str, Floats], pairs: Sequence[tuple[str, str]], *, confidence: float
) -> list[Estimate]:
    """The first less the second of each pair, with intervals that all hold at once in `confidence` of cases.

    draws: bootstrap draws by name, the same customers in the same place. A difference is d ± q s, s the standard
    deviation of its draws d* and q the quantile of the largest |d* - d| / s of a draw: the studentised maximum of
    Romano and Wolf (2005), Econometrica 73(4). A difference that never moves has an interval of no width.
    """
    at = np.array([point[one] - point[other] for one, other in pairs])
    moved = np.stack([draws[one] - draws[other] for one, other in pairs]) - at[:, None]
    sd = moved.std(axis=1)
    size = np.divide(np.abs(moved), sd[:, None], out=np.zeros_like(moved), where=sd[:, None] > 0)
    width = np.quantile(size.max(axis=0), confidence) * sd
    return [Estimate(*of) for of in np.stack([at, at - width, at + width], axis=1).tolist()]
