"""Where no cut-off has seen a season, the level of a day comes from what all customers brought a year before."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.special import expit

from models.ensemble import year_ago_level
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction
from models.ensemble.year_ago_level import UNSEEN_SEASON, WindowTotal, YearAgoTotals
from models.horizons.longer_horizon import LongerHorizon

AS_OF, HORIZON = date(2024, 12, 1), 90
GROWTH = WindowTotal(1100.0, 33_000.0, 0, 0), WindowTotal(1000.0, 30_000.0, 0, 0)
CUT_OFFS = SeasonalCalibration(["2024-06-01", "2024-07-01"], [-0.1, 0.3], [0.0, 0.0])


def season(day):
    """Half as many again in December, half as many fewer in June, without the mean."""
    return 1 + 0.5 * np.cos(2 * np.pi * (day - date(2024, 12, 25)).days / 365)


def totals(*, customers=1000, growth=GROWTH, share=lambda _: 0.6, year=season):
    def total(day, length):
        came = customers * length / 90 * np.mean([year(day + timedelta(days=k)) for k in range(length)])
        return WindowTotal(came, 30 * came, share(day) * came, 30 * share(day) * came)

    days = [AS_OF - timedelta(days=days) for days in range(365, 0, -1)]
    long = {day: total(day, HORIZON) for day in days if day + timedelta(days=HORIZON) <= AS_OF}
    short = {day: total(day, 30) for day in days if day + timedelta(days=30) <= AS_OF}
    return YearAgoTotals(AS_OF, HORIZON, long, short, growth, growth_days=90)


@pytest.fixture(scope="module")
def prediction():
    rng = np.random.default_rng(3)
    return LogPrediction(rng.normal(1.0, 1.0, 4000), rng.normal(3.0, 0.5, 4000))


def test_the_total_is_that_of_a_year_ago_grown_and_shared_beside_the_models_own(prediction):
    """By hand: growth of ln 1.1 from three months, of variance .15²/3, drawn towards none; shares without an error."""
    log = totals()
    shifts = year_ago_level.foretold(log, prediction, CUT_OFFS)[AS_OF.isoformat()]
    calibrated = prediction.shifted(*shifts)
    growth_variance = 1 / (1 / 0.25**2 + 3 / 0.15**2)
    growth = np.log(1.1) * growth_variance * 3 / 0.15**2
    year_ago = log.long[AS_OF - timedelta(days=365)]
    told, own = np.log(0.6 * year_ago.customers) + growth, np.log(expit(-prediction.log_odds - 0.2).sum())
    weights = [1 / growth_variance, 1 / UNSEEN_SEASON**2]
    assert np.log((1 - calibrated.no_order).sum()) == pytest.approx(np.average([told, own], weights=weights), abs=1e-6)
    told, own = told + np.log(30), np.log(prediction.shifted(0.2, 0).expected_value.sum())
    assert np.log(calibrated.expected_value.sum()) == pytest.approx(np.average([told, own], weights=weights), abs=1e-6)


def test_the_shifts_hold_on_the_days_to_come_and_no_other(prediction):
    calibration = replace(CUT_OFFS, foretold=year_ago_level.foretold(totals(), prediction, CUT_OFFS))
    days = list(calibration.foretold)
    assert days[0] == AS_OF.isoformat()
    assert days == sorted(days)
    assert calibration.shifts_at(as_of=AS_OF) == pytest.approx(calibration.foretold[days[0]])
    between = calibration.shifts_at(as_of=AS_OF + timedelta(days=15))
    assert between == pytest.approx(np.mean([calibration.foretold[day] for day in days[:2]], axis=0))
    assert calibration.shifts_at(as_of=date(2024, 7, 1)) == CUT_OFFS.shifts_at(as_of=date(2024, 7, 1))
    assert "a year before" in calibration.rule(as_of=AS_OF)


def test_a_share_that_moves_is_followed_as_far_as_it_was_right_to_follow_it():
    """A base whose share grows by a tenth a month: the last closed window's share is three months old."""
    growing = totals(share=lambda day: 0.3 * 1.1 ** ((day - AS_OF).days / 30))
    share = year_ago_level._share(growing, "customers")
    assert share.mean == pytest.approx(np.log(0.3) - np.log(1.1), abs=0.02), "known up to a month ago"
    assert share.sd < 0.15


def test_where_too_few_windows_have_closed_to_backtest_a_share_it_is_believed_as_much_as_the_models_own_total():
    log = totals(share=lambda day: 0.3 if (day - AS_OF).days < -45 else 0.6)
    closed = AS_OF - timedelta(days=HORIZON)
    log = replace(log, long={day: log.long[day] for day in (AS_OF - timedelta(days=365), closed)})
    share = year_ago_level._share(log, "customers")
    assert share.mean == pytest.approx(np.log(0.3) + np.log(2) / 2), "moved by half of the short windows' move"
    assert share.sd == UNSEEN_SEASON


@pytest.mark.parametrize(
    "log",
    [
        totals(share=lambda day: 0.6 if (day - AS_OF).days // 30 % 2 else 0.15),
        totals(year=lambda day: 8.0 if (day - AS_OF).days < -330 else 0.5),
        totals(customers=9000, share=lambda _: 1.0),
        replace(totals(), long={}),
        replace(totals(), short={}),
    ],
    ids=["shares no backtest bears out", "an opening", "more than the base has", "no closed window", "no short window"],
)
def test_totals_that_tell_nothing_change_nothing(log, prediction):
    assert year_ago_level.foretold(log, prediction, CUT_OFFS) == {}


def test_a_lull_however_deep_is_told(prediction):
    deep = totals(year=lambda day: 0.3 if (day - AS_OF).days < -270 else 1.2)
    calibration = replace(CUT_OFFS, foretold=year_ago_level.foretold(deep, prediction, CUT_OFFS))
    assert np.log(deep.long[AS_OF - timedelta(days=365)].customers / 1000) < -0.7
    told, own = (1 - prediction.shifted(*calibration.shifts_at(as_of=AS_OF)).no_order).sum(), 900
    assert told < 0.5 * own


def test_a_shop_that_has_shown_no_season_is_left_to_its_own_level(prediction):
    steady = SeasonalCalibration(["2024-06-01", "2024-07-01", "2024-08-01"], [0.1, 0.2, 0.05], [0.0] * 3)
    assert year_ago_level.foretold(totals(), prediction, steady) == {}


def test_without_days_to_compare_nothing_is_assumed_to_grow():
    assert year_ago_level._growth(totals(growth=None), "customers") == (0.0, 0.25**2)


def test_a_short_logs_totals_are_combined_with_those_of_a_year_ago(prediction):
    """What `foretold` makes of the model's own totals, where the prediction was extended to the horizon."""
    extended = prediction.shifted(*CUT_OFFS.shifts_at(as_of=AS_OF))
    direct = prediction.shifted(*year_ago_level.foretold(totals(), prediction, CUT_OFFS)[AS_OF.isoformat()])
    way = LongerHorizon(60, HORIZON, by_customer=False, log_odds=0.3, log_value=-0.2)
    before = extended.shifted(-0.3, 0)
    before = LogPrediction(before.log_odds, np.log(extended.expected_value) + 0.2 - np.log(expit(-before.log_odds)))
    nobody = (np.empty(0), np.empty(0), np.empty(0))
    assert way.extend(before, nobody, None).expected_value == pytest.approx(extended.expected_value)
    way = way.shifted(*year_ago_level.foretold_extended(totals(), extended, CUT_OFFS))
    combined = way.extend(before, nobody, None)
    assert (1 - combined.no_order).sum() == pytest.approx((1 - direct.no_order).sum())
    assert combined.expected_value.sum() == pytest.approx(direct.expected_value.sum())


@pytest.mark.parametrize("log", [replace(totals(), long={}), totals(customers=9000, share=lambda _: 1.0)])
def test_a_short_log_whose_year_tells_nothing_keeps_its_totals(log, prediction):
    assert year_ago_level.foretold_extended(log, prediction, CUT_OFFS) == (0.0, 0.0)
