"""The share to hold out: what a readout is expected to earn later, against the profit that holding out forgoes now.

    worth(h) = N (E max(0, X_h) − μ) − h μ,   X_h ~ Normal(μ, (σ_h (W − I))²),   μ = W − I − F > 0

Π = S (W − I) − F is what a list earns without a holdout (retention/economics/profit_interval.py), S the true save rate
÷ the assumed one, of mean 1 and standard deviation σ. Hold out the share h, and the readout measures S with an error of
standard deviation ε_h; the belief after it has a mean of standard deviation σ_h = σ² / √(σ² + ε_h²), taken to be
normal. Each of N later campaigns like this one is run only if it pays then: E max(0, X_h) instead of μ.

Source: the expected value of sample information, Raiffa and Schlaifer (1961), "Applied Statistical Decision Theory",
chapter 5; the same exchange for a test: Feit and Berman (2019), "Test & Roll: Profit-Maximizing A/B Tests", Marketing
Science 38(6). Wrong where the next campaign is another one, and too low where more than stop or go hangs on the save
rate. What gains are worth is taken as known.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from retention.measurement.power import arms_sd

SHARES = np.arange(1, 51) / 100
"""The shares that are compared with no holdout."""


class HoldoutValue(NamedTuple):
    """A share of the chosen to hold out, and the money it moves, currency units."""

    share: float
    forgone: float
    """Expected profit of those held out."""
    earned_later: float
    """What the readout is expected to add to later campaigns."""


def best_holdout(
    *, gain: float, fixed: float, effect: float, spread: float, doubt: float, customers: int, campaigns: int
) -> HoldoutValue:
    """The share of a list of so many customers whose worth is highest; 0 where no share earns more than it forgoes.

    gain: W − I; fixed: F, both in currency units over the whole list, the gain above the fixed; effect: mean effect on
    staying that is assumed; spread: standard deviation of whether one customer stays; doubt: σ; campaigns: N.

    >>> known = dict(gain=1500.0, fixed=1000.0, effect=0.05, spread=0.5, customers=5000, campaigns=4)
    >>> best_holdout(doubt=0.05, **known)
    HoldoutValue(share=0.0, forgone=0.0, earned_later=0.0)
    >>> best_holdout(doubt=0.65, **known).share
    0.2
    """
    profit = gain - fixed
    if not (gain > 0 and profit > 0 and effect > 0 and doubt > 0):
        return HoldoutValue(0.0, 0.0, 0.0)
    held_out = np.round(SHARES * customers)
    possible = (held_out >= 1) & (held_out < customers)
    errors = np.array(
        [
            arms_sd(spread, treated=int(customers - count), holdout=int(count)) / effect if fits else np.inf
            for count, fits in zip(held_out, possible, strict=True)
        ]
    )
    moves = doubt**2 / np.sqrt(doubt**2 + errors**2) * gain
    later = campaigns * _option(profit, moves)
    worth = np.where(possible, later - SHARES * profit, -np.inf)
    best = int(worth.argmax())
    if worth[best] <= 0:
        return HoldoutValue(0.0, 0.0, 0.0)
    return HoldoutValue(float(SHARES[best]), float(SHARES[best] * profit), float(later[best]))


def _option(mean: float, sd: np.ndarray) -> np.ndarray:
    """E max(0, X) − mean of X ~ Normal(mean, sd²), mean above 0."""
    far = np.divide(mean, sd, out=np.full(len(sd), np.inf), where=sd > 0)
    return np.where(np.isfinite(far), sd * stats.norm.pdf(far) - mean * stats.norm.sf(far), 0.0)
