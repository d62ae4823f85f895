"""The level of a day whose season no cut-off has seen yet, from what all customers brought a year before.

In a log of a year or little more, no window of a past cut-off covers the coming season; yet the season stands in the
totals of all customers, those new to the shop included. So the customers who order and the margin of the base known
today are told as

    total a year ago · growth · share of the base    of windows as long as the horizon, each on the log scale

growth: of the last days over the same days a year before, shrunk towards none. share of the base: of a
window's total what those bring who were known when it began: that of the last closed window, moved by a part of how far
it has moved in short windows since. How large a part, and how far such a share errs, is backtested on the log itself.
The model's own totals, which know no season, are combined with these by inverse variance of their logs (Gelman et al.,
Bayesian Data Analysis, 3rd ed., section 2.5; Hyndman & Athanasopoulos, Forecasting, 3rd ed., section 5.2, for the
seasonal naive method with a drift, and 11.1 for forecasts by proportions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np

from features.clock import YEAR_DAYS
from models.ensemble.seasonal_calibration import USUAL_SHIFT, SeasonalCalibration, total_matching_shift
from models.ensemble.stacking import LogPrediction

SHORT_DAYS, STEP_DAYS = 30, 30
USUAL_GROWTH, MONTH_NOISE = 0.25, 0.15
"""Standard deviations of the log of a year's growth, and of a month around it."""
LONGEST, SHORTEST = 90, 14
"""Days over which growth is measured, the most and the least."""
UNSEEN_SEASON = 0.5
"""Standard deviation of the log of the model's own totals in a season it has not seen."""
LARGEST_SEASON, MOST_OF_BASE = 0.7, 0.98
"""Beyond these the totals tell nothing: a season so far above the year that it is rather an opening (the log of their
ratio), more customers than the base has. Nor do they where shares err by more than UNSEEN_SEASON in the backtest."""
LEAST_SEASON = USUAL_SHIFT / 2
"""Standard deviation of the shifts of closed cut-offs below which a shop has shown no season: its own level holds."""
FEWEST_BACKTESTS = 3
PARTS, UNTRIED_PART = (0.0, 0.5, 1.0), 0.5
"""The parts of the short windows' move that are tried, and the one that is taken where too few backtests tell."""


class WindowTotal(NamedTuple):
    """What came in a window: of all customers, and of those known when it began."""

    customers: float
    """Who ordered."""
    margin: float
    """Currency units."""
    known_customers: float
    known_margin: float


@dataclass(frozen=True)
class YearAgoTotals:
    """Totals of windows that had closed by the day a model is made, by their first day."""

    as_of: date
    horizon_days: int
    long: Mapping[date, WindowTotal]
    """Windows as long as the horizon."""
    short: Mapping[date, WindowTotal]
    """Windows of SHORT_DAYS."""
    growth: tuple[WindowTotal, WindowTotal] | None
    """Totals of the last days, and of the same days a year before; None: too few of those are in the log."""
    growth_days: int = 0

    def forecast_days(self) -> list[date]:
        """The days that can be told: a window has begun on the same day last year, and has closed."""
        days = (self.as_of + timedelta(days=STEP_DAYS * k) for k in range(YEAR_DAYS // STEP_DAYS + 1))
        return [day for day in days if day - _YEAR in self.long]


class Forecast(NamedTuple):
    """A total on the log scale: its mean and standard deviation."""

    mean: float
    sd: float


def foretold(
    totals: YearAgoTotals, prediction: LogPrediction, calibration: SeasonalCalibration
) -> dict[str, tuple[float, float]]:
    """The shifts of the log-odds of no order and of ln value by ISO day, ascending; empty where totals tell nothing.

    prediction: of the base known on the day the model is made, before calibration. calibration: as the cut-offs whose
    windows have closed give it.
    """
    told: dict[str, tuple[float, float]] = {}
    for day in totals.forecast_days():
        forecasts = _forecasts(totals, day, calibration, customers=len(prediction.log_odds))
        if not forecasts:
            break
        own = prediction.shifted(*calibration.shifts_at(as_of=day))
        told[day.isoformat()] = _combined(prediction, *forecasts, own)
    return told


def foretold_extended(
    totals: YearAgoTotals, extended: LogPrediction, calibration: SeasonalCalibration
) -> tuple[float, float]:
    """The shifts of the log-odds of no order and of ln expected value of a prediction that was extended to the horizon.

    extended: of the base known on the day the model is made, calibrated. calibration: of the windows learned on. No
    shifts where totals tell nothing.
    """
    forecasts = None
    if totals.as_of - _YEAR in totals.long:
        forecasts = _forecasts(totals, totals.as_of, calibration, customers=len(extended.log_odds))
    if not forecasts:
        return 0.0, 0.0
    odds, _ = _combined(extended, *forecasts, extended)
    total = float(extended.expected_value.sum())
    return odds, float(np.log(_combine(forecasts[1], total) / total))


def _forecasts(
    totals: YearAgoTotals, day: date, calibration: SeasonalCalibration, *, customers: int
) -> tuple[Forecast, Forecast] | None:
    """The base's customers who order in the window from a day on, and their margin; None where totals tell nothing.

    customers: of the base.
    """
    if np.std(calibration.log_odds) < LEAST_SEASON:
        return None
    buyers, margin = (_forecast(totals, day, what, _base_to_total(totals, what)) for what in ("customers", "margin"))
    if not buyers or not margin or np.exp(buyers.mean) > MOST_OF_BASE * customers:
        return None
    return buyers, margin


def _combined(
    prediction: LogPrediction, customers: Forecast, margin: Forecast, own: LogPrediction
) -> tuple[float, float]:
    """The shifts at which the model's totals are its own and those told from a year ago, combined."""
    buyers = _combine(customers, float((1 - own.no_order).sum()))
    worth = _combine(margin, float(own.expected_value.sum()))

    def excess(shift: float) -> float:
        return buyers - float((1 - prediction.shifted(shift, 0).no_order).sum())

    odds = total_matching_shift(excess) or 0.0
    return odds, float(np.log(worth / prediction.shifted(odds, 0).expected_value.sum()))


def _combine(told: Forecast, own: float) -> float:
    """A total told from a year ago and the model's own, by inverse variance of their logs."""
    return float(np.exp(np.average([told.mean, np.log(own)], weights=[told.sd**-2, UNSEEN_SEASON**-2])))


def _base_to_total(totals: YearAgoTotals, what: str) -> Forecast | None:
    """The log of what the base brings ÷ what all brought a year ago, of any window; None where no backtest tells."""
    share, (growth, variance) = _share(totals, what), _growth(totals, what)
    return share and Forecast(growth + share.mean, float(np.hypot(np.sqrt(variance), share.sd)))


def _forecast(totals: YearAgoTotals, day: date, what: str, ratio: Forecast | None) -> Forecast | None:
    """The log of what the base brings in the window from a day on; None where the gate is shut."""
    seen = [getattr(total, what) for total in totals.long.values()]
    year_ago = getattr(totals.long[day - _YEAR], what)
    if ratio is None or year_ago <= 0 or np.log(year_ago / np.mean(seen)) > LARGEST_SEASON:
        return None
    return Forecast(float(np.log(year_ago)) + ratio.mean, ratio.sd)


def _growth(totals: YearAgoTotals, what: str) -> tuple[float, float]:
    """The log of a year's growth, and its variance: a normal prior around none."""
    prior = USUAL_GROWTH**2
    now, before = (getattr(total, what) for total in totals.growth) if totals.growth else (0.0, 0.0)
    if min(now, before) <= 0:
        return 0.0, prior
    noise = MONTH_NOISE**2 * 30 / totals.growth_days
    return float(np.log(now / before)) * prior / (prior + noise), prior * noise / (prior + noise)


def _share(totals: YearAgoTotals, what: str) -> Forecast | None:
    """The log of the base's share in the coming window; its error is that of backtests on the days that have closed.

    With too few of those it is believed as much as the model's own total.
    """
    horizon = timedelta(days=totals.horizon_days)
    backtests = {
        part: [
            told - np.log(came)
            for day in totals.long
            if (told := _told_share(totals, what, day, part)) is not None
            and (came := _share_of(totals.long[day], what)) is not None
        ]
        for part in PARTS
    }
    errors = {part: float(np.sqrt(np.mean(np.square(miss)))) for part, miss in backtests.items() if miss}
    if len(backtests[UNTRIED_PART]) < FEWEST_BACKTESTS:
        errors = {UNTRIED_PART: UNSEEN_SEASON}
    part = min(errors, key=errors.__getitem__)
    told = _told_share(totals, what, totals.as_of, part)
    if told is None or errors[part] > UNSEEN_SEASON or totals.as_of - horizon not in totals.long:
        return None
    return Forecast(told, errors[part])


def _told_share(totals: YearAgoTotals, what: str, day: date, part: float) -> float | None:
    """The log of the share of the window from a day on, told from what had closed by that day."""
    closed, latest = day - timedelta(days=totals.horizon_days), day - timedelta(days=SHORT_DAYS)
    if closed not in totals.long or not {closed, latest} <= totals.short.keys():
        return None
    share = _share_of(totals.long[closed], what)
    then, now = (_share_of(totals.short[begin], what) for begin in (closed, latest))
    if share is None or then is None or now is None:
        return None
    return float(min(np.log(share) + part * np.log(now / then), 0.0))


def _share_of(total: WindowTotal, what: str) -> float | None:
    known, everyone = getattr(total, f"known_{what}"), getattr(total, what)
    return known / everyone if known > 0 and everyone > 0 else None


_YEAR = timedelta(days=YEAR_DAYS)
