"""The level of a day: by how much a season and a trend move all customers at once.

Nobody passes anybody by it in probability, nor in value given an order.

A model of customers' histories says who comes before whom; how many come at all, and how much they spend, moves with
the season, which one and a half years of orders cannot teach a customer's features. So it is measured of the base as a
whole: at each past cut-off, the shift of the log-odds and of the log value at which the model's totals are what came
(`measure`). A day's shift is then foretold from last year's shift of the same day, the latest one, and what the last
months were above the same months a year before (`drift`, in short windows: they have closed when long ones have not):

    season and drift known          r(t − 365) + drift of the log-odds, ½ drift of the log value
    season known                    ½ r(t − 365) + ½ r(latest)
    less than a year of cut-offs    ½ mean of all r + ½ r(latest)

The seasonal naive with a drift, and half-way between seasons and standing still (Hyndman & Athanasopoulos, Forecasting,
3rd ed., section 5.2, for the parts); how much of each comes from backtests on rolling days: docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from scipy.optimize import brentq

from features.clock import YEAR_DAYS
from models.ensemble.stacking import LogPrediction, Outcome

USUAL = 0.3
"""How far a level usually moves, as a standard deviation: a shift measured less surely than that is shrunk to none."""
FARTHEST = 8.0
"""No shift is larger: past it, everyone or no one orders."""
VALUE_DRIFT = 0.5
"""How much of the drift of values goes on; that of the log-odds, which is the ageing of the base, goes on whole."""
UNKNOWN = 1e6
"""The variance of a shift that cannot be measured: nobody ordered, or all did."""


@dataclass(frozen=True)
class Level:
    """The shifts measured at past cut-offs, ascending in time."""

    days: list[str]
    """ISO days of the cut-offs."""
    log_odds: list[float]
    log_value: list[float]
    drift: Sequence[float] | None = None
    """By how much the latest shifts were above those a year before, of the log-odds and of ln value; None: unknown."""

    def at(self, *, as_of: date) -> tuple[float, float]:
        """The shifts to add for a day: to the log-odds of no order and to the ln of value given an order."""
        odds, value = self.drift or (None, None)
        return (
            self._foretold(self.log_odds, odds, as_of=as_of),
            self._foretold(self.log_value, value and VALUE_DRIFT * value, as_of=as_of),
        )

    def moved(self, said: LogPrediction, *, as_of: np.ndarray) -> LogPrediction:
        """An opinion at the level of each row's day; as_of: datetime64, shape (rows,)."""
        days, place = np.unique(as_of.astype("datetime64[D]"), return_inverse=True)
        shifts = np.array([self.at(as_of=day.astype(object)) for day in days]).reshape(-1, 2)
        return said.moved(shifts[place, 0], shifts[place, 1])

    def rule(self, *, as_of: date) -> str:
        """How the shift of a day is foretold, in words for people who decide."""
        if not self.days:
            return "no level is corrected: no cut-off has matured"
        if not self._reaches(as_of - _YEAR):
            return "no season is corrected: there is less than a year of matured cut-offs before this day"
        if self.drift is None:
            return "half-way between the level of the same day last year and the latest one"
        return "the level of the same day last year, and what the last months were above those a year before"

    def _foretold(self, shifts: list[float], drift: float | None, *, as_of: date) -> float:
        if not self.days:
            return 0.0
        latest = shifts[-1]
        if not self._reaches(as_of - _YEAR):
            return (float(np.mean(shifts)) + latest) / 2
        last_year = self._then(shifts, as_of - _YEAR)
        return (last_year + latest) / 2 if drift is None else last_year + drift

    def _reaches(self, day: date) -> bool:
        return self.days[0] <= day.isoformat() <= self.days[-1]

    def _then(self, shifts: list[float], day: date) -> float:
        """The shift of a day between two cut-offs, on a straight line."""
        measured = [date.fromisoformat(one).toordinal() for one in self.days]
        return float(np.interp(day.toordinal(), measured, shifts))


_YEAR = timedelta(days=YEAR_DAYS)


def drawn_to_mean(shifts: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shifts of cut-offs (axis 0) drawn to their mean by USUAL² / (USUAL² + variance), and that mean.

    The better known a shift, the more it counts in the mean, and the less it is drawn.
    """
    means = np.average(shifts, axis=0, weights=1 / (USUAL**2 + variances))
    return means + (shifts - means) * USUAL**2 / (USUAL**2 + variances), means


def learn(
    said: Mapping[str, LogPrediction], outcomes: Mapping[str, Outcome], *, drift: tuple[float, float] | None = None
) -> Level:
    """The shifts of cut-offs, by ISO day: what was said of each customer, and what became of them.

    A shift is drawn to the mean of all by how surely it is measured.
    """
    days = sorted(said)
    shifts, variances = (
        np.array(of) for of in zip(*(_measured(said[day], outcomes[day]) for day in days), strict=True)
    )
    drawn = drawn_to_mean(shifts, variances)[0]
    return Level(days, drawn[:, 0].tolist(), drawn[:, 1].tolist(), drift)


def drift(said: Mapping[str, LogPrediction], outcomes: Mapping[str, Outcome]) -> tuple[float, float] | None:
    """By how much shifts are above those of the same day a year before: the mean over the ISO days that have both.

    None where no day has. Drawn to nothing by how surely it is measured.
    """
    moves, variances = [], []
    for day in said:
        before = (date.fromisoformat(day) - _YEAR).isoformat()
        if before in said:
            (now, doubt), (then, doubted) = (_measured(said[one], outcomes[one]) for one in (day, before))
            moves.append(np.subtract(now, then))
            variances.append(np.add(doubt, doubted))
    if not moves:
        return None
    variance = np.sum(variances, axis=0) / len(moves) ** 2
    odds, value = np.mean(moves, axis=0) * USUAL**2 / (USUAL**2 + variance)
    return float(odds), float(value)


def measure(said: LogPrediction, outcome: Outcome) -> tuple[float, float]:
    """The shifts at which an opinion's totals are what came: as many order, and as much is brought."""
    return _measured(said, outcome)[0]


def _measured(said: LogPrediction, outcome: Outcome) -> tuple[tuple[float, float], tuple[float, float]]:
    """The shifts of the log-odds and of ln value, and the variances with which they are known."""
    customers, came = len(outcome.ordered), float(outcome.ordered.sum())
    if not 0 < came < customers:
        return (0.0, 0.0), (UNKNOWN, UNKNOWN)

    def excess(shift: float) -> float:
        return float(said.moved(shift, 0).no_order.sum() - (customers - came))

    shift = float(brentq(excess, -FARTHEST, FARTHEST)) if excess(-FARTHEST) < 0 < excess(FARTHEST) else 0.0
    known = customers / (came * (customers - came))
    expected, total = float(said.moved(shift, 0).expected_value.sum()), float(outcome.value.sum())
    brought = outcome.value[outcome.ordered]
    if not (total > 0 and brought.mean() > 0):
        return (shift, 0.0), (known, UNKNOWN)
    log_value = float(np.clip(np.log(total / expected), -FARTHEST, FARTHEST))
    spread = brought.var(ddof=1) / brought.mean() ** 2 if came > 1 else UNKNOWN
    return (shift, log_value), (known, float(spread / came))
