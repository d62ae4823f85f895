"""What no history tells of a gain: how far what a kept customer truly adds is from what comparable customers show.

Whoever is kept would have been silent, so what they do next is seen in nobody, however long the log: more data does not
narrow it, readouts do (retention/measurement/worth_posterior.py). The true gain is the one by comparables
(models/keeping/fit_keeping.py) times a factor, taken to be log-normal. Its centre and spread are measured over
simulated worlds, whose truth is known. A prior from cases alike: Gelman et al., Bayesian Data Analysis, 3rd ed.,
chapter 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from models.evaluation.estimate import Z90

CENTRE = 0.75
"""The median of the factor: a gain is scored as what comparables show times this."""
SPREAD = 0.25
"""Standard deviation of its log."""


@dataclass(frozen=True)
class WorthFactor:
    """A belief about the factor, log-normal on either side of its median; by default that before any readout."""

    median: float = CENTRE
    spread_below: float = SPREAD
    spread_above: float = SPREAD
    """Standard deviation of the log of the factor, below the median and above it."""
    readouts: int = 0
    """Campaigns read out that it rests on."""

    @property
    def times_scored(self) -> float:
        """The median ÷ that of the scores: what gains are multiplied by."""
        return self.median / CENTRE

    @property
    def doubt(self) -> tuple[float, float]:
        """The 80 % interval of the factor ÷ its median."""
        return exp(-Z90 * self.spread_below), exp(Z90 * self.spread_above)

    @property
    def interval(self) -> tuple[float, float]:
        """The 80 % interval of the factor."""
        low, high = self.doubt
        return self.median * low, self.median * high


PRIOR = WorthFactor()
