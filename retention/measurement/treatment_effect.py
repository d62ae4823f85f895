"""The effect of treating customers: the difference between treated and holdout, adjusted for what was known before.

    outcome = a + effect · treated + b · scores before the campaign + rest

By least squares with one slope b for both arms. The scores make the interval narrow where they foresee the outcome;
since the treated were drawn at random, the effect is right on average whatever the scores are worth (Freedman 2008, "On
regression adjustments to experimental data", Advances in Applied Mathematics 40: the bias is of order 1/n).

The interval is for shops: margins are mostly zero and rarely huge, and the holdout is small. A holdout in which no big
spender happens to be has a low mean *and* looks sure of it: intervals from each arm's own spread (Welch; Lin 2013,
"Agnostic notes on regression adjustments", with HC3) held the effect on the margin in 78 to 94 % of campaigns with 77
to 200 customers held out, and erred towards effects that are not there. Here each arm's spread is estimated from
both (retention/measurement/arm_variance.py), and skewness shifts the interval: the effect's distribution is a gamma
shifted to its mean, spread and skewness (Pearson III). Without an effect that is the distribution over all possible
draws, but for its fourth moment on (tests/retention/measurement/test_effect_is_what_the_lots_say.py).

Wrong, as all such comparisons are, where one customer's contact changes what another does.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from features.arrays import Floats
from retention.measurement.arm_variance import arm_moments

ROWS_PER_SCORE = 25
"""With fewer customers for each score, the adjustment would add more noise than it takes away: none is made."""
OUTSIDE = 0.025
"""Probability beyond either end of a 95 % interval."""
FLAT = 1e-9
"""A score, or what is left of an outcome, that varies by a smaller part of itself does not vary."""


class Effect(NamedTuple):
    """The effect on one outcome, per treated customer, in the outcome's unit."""

    value: float
    sd: float
    """Its standard deviation; 0 where the outcome is the same for all of one arm and all of the other."""
    skewness: float
    """Of its distribution; below 0 where a few large outcomes could have fallen into the smaller arm, the holdout."""
    degrees: int
    """Degrees of freedom of `sd`."""

    def interval(self) -> tuple[float, float]:
        """The central 95 % interval of the effect."""
        high, low = stats.pearson3.ppf([1 - OUTSIDE, OUTSIDE], self.skewness) * self._spread
        return float(self.value - high), float(self.value - low)

    def p_value(self, null: float = 0.0) -> float:
        """The probability of an effect at least as far from `null`, on either side, if `null` is true."""
        if self.sd == 0:
            return 1.0 if self.value == null else 0.0
        distance = (self.value - null) / self._spread
        sides = stats.pearson3.cdf(distance, self.skewness), stats.pearson3.sf(distance, self.skewness)
        return min(1.0, 2 * float(min(sides)))

    @property
    def _spread(self) -> float:
        """The standard deviation, stretched for its own uncertainty as Student's t stretches the normal's."""
        return self.sd * float(special.stdtrit(self.degrees, 1 - OUTSIDE) / special.ndtri(1 - OUTSIDE))


def treatment_effects(outcomes: Floats, treated: NDArray[np.bool_], scores: Floats) -> list[Effect]:
    """The effect on each column of `outcomes` (customers × outcomes), given `scores` (customers × scores) known before.

    Both arms need at least one customer, and all together at least three.

    >>> outcomes = np.array([[1.0], [3.0], [0.0], [2.0]])
    >>> treatment_effects(outcomes, np.array([True, True, False, False]), np.empty((4, 0)))[0].value
    1.0
    """
    directions = _directions(scores) if len(scores) >= ROWS_PER_SCORE * scores.shape[1] else np.empty((len(scores), 0))

    def residuals(columns: Floats) -> Floats:
        columns = columns - columns.mean(axis=0)
        return columns - directions @ (directions.T @ columns)

    contrast = residuals(treated.astype(float)[:, None])[:, 0]
    weights = contrast / (contrast @ contrast)
    values = weights @ residuals(outcomes)
    rest = residuals(outcomes) - np.outer(contrast, values)
    degrees = len(treated) - 2 - directions.shape[1]
    flat = (rest**2).sum(axis=0) <= FLAT**2 * (outcomes**2).sum(axis=0)
    rest[:, flat] = 0.0
    variance, third = np.zeros(len(values)), np.zeros(len(values))
    for arm in (treated, ~treated):
        squares, cubes = arm_moments(rest, outcomes != 0, treated, arm=arm)
        variance += (weights[arm] ** 2).sum() * squares
        third += (weights[arm] ** 3).sum() * cubes
    skewness = np.divide(third, variance**1.5, out=np.zeros_like(third), where=~flat)
    sd = np.sqrt(variance * len(treated) / degrees)
    return [Effect(*moments, degrees) for moments in zip(values.tolist(), sd.tolist(), skewness.tolist(), strict=True)]


def _directions(scores: Floats) -> Floats:
    """Orthonormal columns that span the centred scores; a column that is constant or a sum of others adds none."""
    centred = scores - scores.mean(axis=0)
    length = np.sqrt((centred**2).sum(axis=0))
    varies = length > FLAT * np.sqrt((scores**2).sum(axis=0))
    directions, strength, _ = np.linalg.svd(centred[:, varies] / length[varies], full_matrices=False)
    return directions[:, strength > 1e-6]
