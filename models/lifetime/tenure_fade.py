"""How orders fade with the time somebody has been a customer, beyond the tenures that a log has seen.

    orders in window k ÷ orders in the first    = exp(−k · h(t + k w / 2)),    h(t) = exp(a + b ln(t + 30)),    b ≤ 0

t: tenure in days, w: a window's length. Who is still a customer after long is ever more one who stays long, so h falls.
Windows further ahead have closed for younger customers only, and trees tell of older ones as of the oldest they have
seen: their fade is too fast by exp(h at that tenure − h at their own), for each window of it. Hazards that fall with
tenure, and projecting them: Fader & Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing
21(1), 76-90.

What a log of two years says of b is little, and three years ahead hang on it. A mixture of constant hazards, gamma
distributed as in Pareto/NBD, falls as t ^ b with b between -1 and 0: b is taken to be normal about the middle of these.
The orders weigh as quasi-likelihood has it, McCullagh & Nelder (1989), Generalized Linear Models, chapter 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS

TENURE = "tenure_days"
"""The feature."""
TENURE_SHIFT = 30.0
"""Days added to a tenure before its logarithm: the first month is one month."""
OLDEST = 0.9
"""Of the rows that taught something, so many are younger than the oldest seen: trees need more than a few."""
BIN_DAYS = 15
SLOPE, SLOPE_SPREAD = -0.5, 0.25
"""What is believed of b before any log is seen: mean and standard deviation."""


@dataclass(frozen=True)
class TenureHazard:
    """The hazard of a window by tenure: exp(level + slope · ln(days + 30))."""

    level: float
    slope: float

    def of(self, tenure_days: Floats) -> Floats:
        """The cumulative hazard of a window that begins at this tenure, above 0."""
        return np.exp(self.level + self.slope * np.log(np.maximum(tenure_days, 0) + TENURE_SHIFT))


@dataclass(frozen=True)
class TenureFade:
    """The fade of a window by tenure, and the oldest tenures at which trees have learned windows."""

    hazard: TenureHazard
    window_days: float
    seen: Sequence[float]
    """Days, of each near window, and of how customers stand a year later."""

    def longer(self, tenure_days: Floats, window: int) -> Floats:
        """ln of the factor by which window number `window` brings more than its trees say, 0 or more, (rows,)."""
        return self._slower(tenure_days, window, windows=window, begin_days=0.0)

    def year_longer(self, tenure_days: Floats, *, year: int) -> Floats:
        """ln of the factor by which year number `year` brings more of what the year before it does, from its trees."""
        windows = round(YEAR_DAYS / self.window_days)
        return self._slower(tenure_days, -1, windows=windows, begin_days=(year - 0.5) * YEAR_DAYS)

    def _slower(self, tenure_days: Floats, which: int, *, windows: int, begin_days: float) -> Floats:
        """How much less fades over so many windows than at the oldest tenure seen."""
        if self.hazard.slope == 0:
            return np.zeros(len(tenure_days))
        ahead = begin_days + windows * self.window_days / 2
        seen, own = (self.hazard.of(days + ahead) for days in (np.minimum(tenure_days, self.seen[which]), tenure_days))
        return windows * (seen - own)


LEVEL = TenureFade(TenureHazard(0.0, 0.0), 1.0, ())
"""The older fade as fast as the others: where nothing else was learned, and in bundles made earlier."""


def tenure_of(frame: pd.DataFrame) -> Floats:
    """The tenures of feature rows, days; zeros where a log's features leave them out."""
    return frame[TENURE].to_numpy(float) if TENURE in frame else np.zeros(len(frame))


def oldest(tenure_days: Floats) -> float:
    """The oldest tenure that rows of these tenures teach, days."""
    return float(np.quantile(tenure_days, OLDEST))


def fit_hazard(
    tenure_days: Floats,
    window: Integers,
    came: Floats,
    first: Floats,
    *,
    window_days: float,
    times_counted: float = 1.0,
) -> TenureHazard:
    """The likeliest hazard, by the orders that came in a window, given those expected in the first, and by what is
    believed of its slope.

    Shape (rows,) each, a row for a customer and a window; window: its number, 1 or more. times_counted: in how many
    rows each order stands, where windows overlap.
    """
    bins, place = np.unique(np.stack([window, tenure_days // BIN_DAYS]), axis=1, return_inverse=True)
    orders, expected = (np.bincount(place.ravel(), column) for column in (came, first))
    number, tenure = bins[0], (bins[1] + 0.5) * BIN_DAYS
    logs = np.log(tenure + number * window_days / 2 + TENURE_SHIFT)
    middle = float(logs.mean())

    def fade(parameters: Floats) -> Floats:
        return number * np.exp(parameters[0] + parameters[1] * (logs - middle))

    def likeliest(weight: float) -> Floats:
        def loss(parameters: Floats) -> float:
            fades = fade(parameters)
            doubt = ((parameters[1] - SLOPE) / SLOPE_SPREAD) ** 2 / 2
            return float((expected * np.exp(-fades) + orders * fades).sum() * weight + doubt)

        return minimize(loss, np.array([-2.0, SLOPE]), method="L-BFGS-B", bounds=[(-30, 5), (-2, 0)]).x

    weight = 1 / times_counted
    likely = first * np.exp(-fade(likeliest(weight)))[place.ravel()]
    dispersion = float(((came - likely) ** 2).sum() / max(likely.sum(), 1.0))
    level, slope = likeliest(weight / max(dispersion, 1.0))
    return TenureHazard(float(level - slope * middle), float(slope))
