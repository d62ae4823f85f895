"""Seasonal calibration: the base-rate shift by which season and trend move the predictions of all customers of a day.

The shift never changes the ranking of customers, neither by probability nor by value given an order.

A model of customers' histories ranks customers; how many order at all, and how much they spend, moves with the season,
which one and a half years of orders cannot teach a customer's features. So the shift is measured on the base as a
whole: at each past cut-off, the shifts of the log-odds and of the log value at which the model's totals equal the
observed ones (`base_rate_shifts`). The shift r of a day is then predicted from last year's shift of the same day, the
latest shift, and how far the last months lay above the same months a year before (`yearly_drift`, in short windows:
they have closed when long ones have not):

    season and drift known          r(t − 365) + drift of the log-odds, ½ drift of the log value
    season known                    ½ r(t − 365) + ½ r(latest)
    less than a year of cut-offs    ½ mean of all r + ½ r(latest); where the log has a year, with what all customers
                                    brought in the season to come a year before (models/ensemble/year_ago_level.py)

The seasonal naive method with a drift, and half-way between the seasonal naive and the naive method (Hyndman &
Athanasopoulos, Forecasting, 3rd ed., section 5.2, for the parts); how much of each comes from backtests on rolling
days: docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from scipy.optimize import brentq

from features.arrays import Floats
from features.clock import YEAR_DAYS
from models.ensemble.stacking import LogPrediction, Outcome

USUAL_SHIFT = 0.3
"""The standard deviation of shifts: one that is measured less precisely than this is mostly shrunk away."""
LARGEST_SHIFT = 8.0
"""No shift is larger: beyond it, everyone or no one orders."""
VALUE_DRIFT = 0.5
"""The share of the drift of values that continues; that of the log-odds, the ageing of the base, continues in full."""
UNKNOWN_VARIANCE = 1e6
"""The variance of a shift that cannot be measured: nobody ordered, or everyone did."""


@dataclass(frozen=True)
class SeasonalCalibration:
    """The shifts measured at past cut-offs, ascending in time."""

    days: list[str]
    """ISO days of the cut-offs."""
    log_odds: list[float]
    log_value: list[float]
    drift: Sequence[float] | None = None
    """The latest shifts minus those a year before, of the log-odds and of ln value; None: unknown."""
    foretold: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Both shifts by ISO day, ascending, of days whose season only totals of a year before have seen."""

    def shifts_at(self, *, as_of: date) -> tuple[float, float]:
        """The shifts of a day: of the log-odds of no order and of the ln of value given an order."""
        if self._is_foretold(as_of):
            told = np.array(list(self.foretold.values()))
            return _interpolate(self.foretold, told[:, 0], as_of), _interpolate(self.foretold, told[:, 1], as_of)
        odds, value = self.drift or (None, None)
        return (
            self._predict_shift(self.log_odds, odds, as_of=as_of),
            self._predict_shift(self.log_value, value and VALUE_DRIFT * value, as_of=as_of),
        )

    def calibrate(self, prediction: LogPrediction, *, as_of: np.ndarray) -> LogPrediction:
        """Shift the prediction of each row by the shifts of its day; as_of: datetime64, shape (rows,)."""
        return prediction.shifted(*self._shifts(as_of=as_of).T)

    def in_season_of(self, prediction: LogPrediction, *, as_of: np.ndarray, day: date) -> LogPrediction:
        """The calibrated prediction of rows of the days `as_of`, with the shifts of another day in place of theirs."""
        return prediction.shifted(*(np.array([self.shifts_at(as_of=day)]) - self._shifts(as_of=as_of)).T)

    def season_of(self, log_odds: float, *, as_of: np.ndarray) -> Floats:
        """The expected value on the day of each row ÷ that at the mean of all shifts measured, of a customer.

        log_odds: theirs of no order, before calibration.
        """
        usual = (np.mean(self.log_odds), np.mean(self.log_value)) if self.days else (0.0, 0.0)
        customer = LogPrediction(np.array([log_odds]), np.zeros(1))
        on_day = customer.shifted(*self._shifts(as_of=as_of).T).expected_value
        return on_day / customer.shifted(*usual).expected_value

    def rule(self, *, as_of: date) -> str:
        """The rule by which the shift of a day is predicted, in words for people who decide."""
        if not self.days:
            return "none, since no cut-off has matured"
        if self._is_foretold(as_of):
            return "from what all customers brought a year before, since no cut-off with half a year of log has seen it"
        if not self._covers(as_of - _YEAR):
            return "without a season, since there is less than a year of matured cut-offs before this day"
        if self.drift is None:
            return "half-way between the shift of the same day last year and the latest shift"
        return "the shift of the same day last year, plus the drift of the last months over those a year before"

    def _shifts(self, *, as_of: np.ndarray) -> Floats:
        """Of each row, (rows, 2)."""
        days, place = np.unique(as_of.astype("datetime64[D]"), return_inverse=True)
        return np.array([self.shifts_at(as_of=day.astype(object)) for day in days]).reshape(-1, 2)[place]

    def _predict_shift(self, shifts: list[float], drift: float | None, *, as_of: date) -> float:
        if not self.days:
            return 0.0
        latest = shifts[-1]
        if not self._covers(as_of - _YEAR):
            return (float(np.mean(shifts)) + latest) / 2
        last_year = _interpolate(self.days, shifts, as_of - _YEAR)
        return (last_year + latest) / 2 if drift is None else last_year + drift

    def _covers(self, day: date) -> bool:
        return self.days[0] <= day.isoformat() <= self.days[-1]

    def _is_foretold(self, day: date) -> bool:
        return bool(self.foretold) and min(self.foretold) <= day.isoformat() <= max(self.foretold)


def _interpolate(days: Iterable[str], shifts: Sequence[float] | Floats, day: date) -> float:
    """The shift of a day between two days, on a straight line."""
    measured = [date.fromisoformat(cut_off).toordinal() for cut_off in days]
    return float(np.interp(day.toordinal(), measured, shifts))


_YEAR = timedelta(days=YEAR_DAYS)


def fit(
    predictions: Mapping[str, LogPrediction],
    outcomes: Mapping[str, Outcome],
    *,
    drift: tuple[float, float] | None = None,
) -> SeasonalCalibration:
    """Measure the shifts of cut-offs from the predictions and outcomes of their customers, by ISO day.

    Each shift is shrunk to the mean of all, the more so the less precisely it is measured.
    """
    days = sorted(predictions)
    measured = [_measured_shifts(predictions[day], outcomes[day]) for day in days]
    shifts, variances = (np.array(numbers) for numbers in zip(*measured, strict=True))
    shrunk = shrink_to_mean(shifts, variances)[0]
    return SeasonalCalibration(days, shrunk[:, 0].tolist(), shrunk[:, 1].tolist(), drift)


def yearly_drift(
    predictions: Mapping[str, LogPrediction], outcomes: Mapping[str, Outcome]
) -> tuple[float, float] | None:
    """Measure the mean difference of shifts from those of the same day a year before, over the ISO days that have both.

    None where no day has both. Shrunk to 0, the more so the less precisely it is measured.
    """
    moves, variances = [], []
    for day in predictions:
        year_before = (date.fromisoformat(day) - _YEAR).isoformat()
        if year_before in predictions:
            shifts, shift_variances = _measured_shifts(predictions[day], outcomes[day])
            past_shifts, past_variances = _measured_shifts(predictions[year_before], outcomes[year_before])
            moves.append(np.subtract(shifts, past_shifts))
            variances.append(np.add(shift_variances, past_variances))
    if not moves:
        return None
    variance = np.sum(variances, axis=0) / len(moves) ** 2
    odds, value = np.mean(moves, axis=0) * USUAL_SHIFT**2 / (USUAL_SHIFT**2 + variance)
    return float(odds), float(value)


def shrink_to_mean(shifts: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shrink shifts of cut-offs (axis 0) to their mean by USUAL_SHIFT² / (USUAL_SHIFT² + variance); also that mean.

    The more precisely a shift is measured, the more it counts in the mean, and the less it is shrunk.
    """
    means = np.average(shifts, axis=0, weights=1 / (USUAL_SHIFT**2 + variances))
    return means + (shifts - means) * USUAL_SHIFT**2 / (USUAL_SHIFT**2 + variances), means


def total_matching_shift(excess: Callable[[float], float]) -> float | None:
    """The shift at which a predicted total equals the observed one; None where no shift reaches it.

    excess: predicted minus observed total at a shift, rising in the shift.
    """
    if not excess(-LARGEST_SHIFT) < 0 < excess(LARGEST_SHIFT):
        return None
    return float(brentq(excess, -LARGEST_SHIFT, LARGEST_SHIFT))


def base_rate_shifts(prediction: LogPrediction, outcome: Outcome) -> tuple[float, float]:
    """The shifts at which the prediction's totals equal the observed ones: customers who order, and their value."""
    return _measured_shifts(prediction, outcome)[0]


def _measured_shifts(prediction: LogPrediction, outcome: Outcome) -> tuple[tuple[float, float], tuple[float, float]]:
    """The shifts of the log-odds and of ln value, and their variances."""
    customers, buyers = len(outcome.ordered), float(outcome.ordered.sum())
    if not 0 < buyers < customers:
        return (0.0, 0.0), (UNKNOWN_VARIANCE, UNKNOWN_VARIANCE)

    def excess(shift: float) -> float:
        return float(prediction.shifted(shift, 0).no_order.sum() - (customers - buyers))

    shift = total_matching_shift(excess) or 0.0
    shift_variance = customers / (buyers * (customers - buyers))
    expected, total = float(prediction.shifted(shift, 0).expected_value.sum()), float(outcome.value.sum())
    values = outcome.value[outcome.ordered]
    if not (total > 0 and values.mean() > 0):
        return (shift, 0.0), (shift_variance, UNKNOWN_VARIANCE)
    log_value = float(np.clip(np.log(total / expected), -LARGEST_SHIFT, LARGEST_SHIFT))
    relative_variance = values.var(ddof=1) / values.mean() ** 2 if buyers > 1 else UNKNOWN_VARIANCE
    return (shift, log_value), (shift_variance, float(relative_variance / buyers))
