"""The level of a day: totals as they came where they are known, as last year's season has them where they are not."""

from datetime import date, timedelta

import numpy as np
import pytest
from scipy.special import expit

from models.ensemble import seasonal_calibration
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction, Outcome

YEAR = 365


def base(customers: int, *, seed: int) -> LogPrediction:
    """What a model that knows no season says of customers: the truth at the average of the year."""
    rng = np.random.default_rng(seed)
    return LogPrediction(rng.normal(0.5, 1.2, customers), rng.normal(3, 0.7, customers))


def came(truth: LogPrediction, *, seed: int) -> Outcome:
    """Outcomes drawn from the truth."""
    rng = np.random.default_rng(seed)
    ordered = rng.random(len(truth.log_odds)) < expit(-truth.log_odds)
    return Outcome(ordered, np.where(ordered, rng.gamma(2, np.exp(truth.log_value) / 2), 0.0))


def test_measured_at_a_cut_off_the_totals_are_what_came():
    said = base(3000, seed=1)
    outcome = came(said.shifted(-0.8, 0.5), seed=2)
    moved = said.shifted(*seasonal_calibration.base_rate_shifts(said, outcome))
    assert moved.no_order.sum() == pytest.approx((~outcome.ordered).sum(), rel=1e-9)
    assert moved.expected_value.sum() == pytest.approx(outcome.value.sum(), rel=1e-9)
    assert seasonal_calibration.base_rate_shifts(said, outcome) == pytest.approx((-0.8, 0.5), abs=0.15)


@pytest.mark.parametrize(
    ("ordered", "value", "moves"),
    [
        ([False] * 4, [0.0] * 4, (False, False)),
        ([True] * 4, [5.0] * 4, (False, False)),
        ([True, True, False, False], [-3.0, -1.0, 0.0, 0.0], (True, False)),
        ([True, True, False, False], [0.0, 0.0, 0.0, 0.0], (True, False)),
        ([True, True, False, False], [8.0, -1.0, 0.0, 0.0], (True, True)),
    ],
)
def test_what_cannot_be_measured_moves_nothing(ordered, value, moves):
    """Nobody ordered, all did, or orders brought nothing: no shift, and no NaN."""
    shifts = seasonal_calibration.base_rate_shifts(base(4, seed=3), Outcome(np.array(ordered), np.array(value)))
    assert np.isfinite(shifts).all()
    assert tuple(shift != 0 for shift in shifts) == moves


def test_small_cut_offs_are_drawn_to_the_mean_and_large_ones_hardly():
    said, outcomes = {}, {}
    for number, customers in enumerate([20_000, 20_000, 20_000, 12]):
        day = f"2020-0{number + 1}-01"
        said[day] = base(customers, seed=number)
        outcomes[day] = came(said[day].shifted(-0.3, 0.2), seed=number + 9)
    outcomes["2020-04-01"] = Outcome(np.arange(12) < 2, np.where(np.arange(12) < 2, [2.0, 9.0] * 6, 0.0))
    found = seasonal_calibration.fit(said, outcomes)
    for place, shifts in enumerate((found.log_odds, found.log_value)):
        measured = np.array(
            [seasonal_calibration.base_rate_shifts(said[day], outcomes[day])[place] for day in found.days]
        )
        assert shifts[:3] == pytest.approx(measured[:3], abs=0.02)
        typical = measured[:3].mean()
        assert abs(measured[3] - typical) > 0.5
        assert abs(shifts[3] - typical) < 0.5 * abs(measured[3] - typical)


def test_one_order_says_nothing_of_the_value_of_a_day():
    """One order has no spread: that is no sign of its value being surely known."""
    said = {"2020-01-01": base(5000, seed=1), "2020-02-01": base(40, seed=2)}
    one = np.arange(40) == 0
    outcomes = {"2020-01-01": came(said["2020-01-01"], seed=3), "2020-02-01": Outcome(one, np.where(one, 900.0, 0.0))}
    found = seasonal_calibration.fit(said, outcomes)
    assert seasonal_calibration.base_rate_shifts(said["2020-02-01"], outcomes["2020-02-01"])[1] > 2
    assert found.log_value[1] == pytest.approx(found.log_value[0], abs=1e-2)


def test_a_cut_off_that_says_nothing_gets_the_mean_of_the_others():
    said = {f"2020-0{month}-01": base(5000, seed=month) for month in (1, 2, 3)}
    outcomes = {day: came(one.shifted(0.4, 0.4), seed=7) for day, one in said.items()}
    outcomes["2020-02-01"] = Outcome(np.zeros(5000, bool), np.zeros(5000))
    found = seasonal_calibration.fit(said, outcomes)
    for shifts in (found.log_odds, found.log_value):
        assert shifts[1] == pytest.approx((shifts[0] + shifts[2]) / 2, abs=1e-2)


def test_days_may_come_in_any_order():
    said = {day: base(500, seed=place) for place, day in enumerate(["2020-03-01", "2020-01-01", "2020-02-01"])}
    outcomes = {day: came(one, seed=5) for day, one in said.items()}
    found = seasonal_calibration.fit(said, outcomes)
    assert found.days == sorted(said)
    assert found == seasonal_calibration.fit({day: said[day] for day in sorted(said)}, outcomes)


TWO_YEARS = SeasonalCalibration(
    ["2020-01-01", "2020-06-29", "2020-12-31"], [0.10, 0.50, 0.30], [1.0, 0.0, 3.0], (0.1, 2.0)
)


@pytest.mark.parametrize(
    ("as_of", "shifts", "rule"),
    [
        # a year before is 2020-06-29: 0.5 + 0.1, 0 + ½ 2
        (date(2021, 6, 29), (0.6, 1.0), "same day last year, plus the drift of the last months"),
        # a year before is 2020-03-31, half-way from 2020-01-01 to 2020-06-29: 0.3 + 0.1, 0.5 + 1
        (date(2021, 3, 31), (0.4, 1.5), "same day last year, plus the drift of the last months"),
        # a year before is 2020-12-30, the day before the latest
        (date(2021, 12, 30), (0.3 + 0.2 / 185 + 0.1, 3 - 3 / 185 + 1), "same day last year, plus the drift"),
        # a year before is 2021-01-30, after the latest: ½ mean 0.3 + ½ 0.3, ½ mean 4/3 + ½ 3
        (date(2022, 1, 30), (0.3, 13 / 6), "less than a year of matured cut-offs"),
        # a year before is 2019-12-01, before the first
        (date(2020, 11, 30), (0.3, 13 / 6), "less than a year of matured cut-offs"),
    ],
)
def test_a_day_is_foretold_by_rule(as_of, shifts, rule):
    assert TWO_YEARS.shifts_at(as_of=as_of) == pytest.approx(shifts)
    assert rule in TWO_YEARS.rule(as_of=as_of)


def test_last_years_level_is_met_half_way_where_no_drift_is_known():
    short = SeasonalCalibration(["2020-05-31", "2020-08-31", "2020-12-01"], [0.2, 0.4, -0.2], [1.0, 1.0, 2.0])
    assert short.shifts_at(as_of=date(2021, 8, 31)) == pytest.approx(((0.4 - 0.2) / 2, 1.5))
    assert short.rule(as_of=date(2021, 8, 31)) == (
        "half-way between the shift of the same day last year and the latest shift"
    )


def test_without_cut_offs_nothing_moves():
    nothing = SeasonalCalibration([], [], [])
    assert nothing.shifts_at(as_of=date(2020, 1, 1)) == (0.0, 0.0)
    assert nothing.rule(as_of=date(2020, 1, 1)) == "none, since no cut-off has matured"


def test_each_row_is_moved_by_its_own_day_and_no_ranking_changes_within_one():
    said = base(300, seed=6)
    as_of = np.array(["2021-06-29", "2020-11-30", "2021-03-31"], "datetime64[us]")[np.arange(300) % 3]
    moved = TWO_YEARS.calibrate(said, as_of=as_of)
    for day in np.unique(as_of):
        of = as_of == day
        odds, value = TWO_YEARS.shifts_at(as_of=day.astype("datetime64[D]").astype(object))
        assert moved.log_odds[of] == pytest.approx(said.log_odds[of] + odds)
        assert moved.log_value[of] == pytest.approx(said.log_value[of] + value)
        assert (np.argsort(moved.no_order[of]) == np.argsort(said.no_order[of])).all()
        assert (np.argsort(moved.log_value[of]) == np.argsort(said.log_value[of])).all()


def taught(
    calibrate: date, *, amplitude: float, drift: float = 0.0
) -> tuple[SeasonalCalibration, LogPrediction, LogPrediction]:
    """A level learnt over 375 days up to `calibrate`; what a model says 90 days later, and the truth then.

    Once a year the log-odds of no order fall by `amplitude` and the log value rises by half of it, around December.
    """

    def truth(said: LogPrediction, day: date) -> LogPrediction:
        high = np.cos(2 * np.pi * ((day - date(2020, 12, 15)).days % YEAR) / YEAR)
        years = (day - calibrate).days / YEAR
        return said.shifted(-amplitude * high - drift * years, amplitude / 2 * high)

    days = [calibrate - timedelta(days=23 * back) for back in range(17)]
    said = {str(day): base(4000, seed=place) for place, day in enumerate(days)}
    outcomes = {str(day): came(truth(said[str(day)], day), seed=100 + place) for place, day in enumerate(days)}
    later, now = calibrate + timedelta(days=90), base(4000, seed=77)
    months = [later - timedelta(days=30 * back) for back in (1, 2, 3)]
    months += [month - timedelta(days=YEAR) for month in months]
    lately = {str(day): base(4000, seed=50 + place) for place, day in enumerate(months)}
    lately_came = {str(day): came(truth(lately[str(day)], day), seed=200 + place) for place, day in enumerate(months)}
    learnt = seasonal_calibration.fit(said, outcomes, drift=seasonal_calibration.yearly_drift(lately, lately_came))
    return learnt, now, truth(now, later)


def error(learnt: SeasonalCalibration, now: LogPrediction, then: LogPrediction, *, as_of: date) -> float:
    """By how much the foretold total misses the true one, as a share."""
    foretold = learnt.calibrate(now, as_of=np.full(len(now.log_odds), as_of, "datetime64[D]"))
    return float(foretold.expected_value.sum() / then.expected_value.sum() - 1)


@pytest.mark.parametrize("calibrate", [date(2022, 3, 20), date(2022, 9, 10), date(2022, 12, 1)])
def test_the_total_of_a_day_in_season_is_foretold(calibrate):
    """Made in spring, in autumn, and near the peak: 90 days later the latest level is far off, and so is none."""
    as_of = calibrate + timedelta(days=90)
    learnt, now, then = taught(calibrate, amplitude=0.8)
    assert abs(error(learnt, now, then, as_of=as_of)) < 0.05
    latest = seasonal_calibration.SeasonalCalibration(learnt.days[-1:], learnt.log_odds[-1:], learnt.log_value[-1:])
    assert abs(error(latest, now, then, as_of=as_of)) > 0.15
    if calibrate.month != 12:  # 90 days after the peak the season is where the year is on average
        assert abs(error(SeasonalCalibration([], [], []), now, then, as_of=as_of)) > 0.3


@pytest.mark.parametrize("calibrate", [date(2022, 3, 20), date(2022, 9, 10)])
def test_a_base_without_season_is_not_harmed(calibrate):
    learnt, now, then = taught(calibrate, amplitude=0.0)
    assert abs(error(learnt, now, then, as_of=calibrate + timedelta(days=90))) < 0.05


def test_a_drift_is_the_mean_move_from_the_same_days_a_year_before():
    said = {day: base(6000, seed=place) for place, day in enumerate(["2020-02-01", "2021-01-31", "2021-03-02"])}
    moves = {"2020-02-01": (0.0, 0.0), "2021-01-31": (-0.4, 0.6), "2021-03-02": (3.0, 3.0)}
    outcomes = {day: came(said[day].shifted(*move), seed=3) for day, move in moves.items()}
    assert seasonal_calibration.yearly_drift(said, outcomes) == pytest.approx(
        (-0.4, 0.6), abs=0.1
    )  # 2021-03-02 has no year before
    few = {day: base(8, seed=place) for place, day in enumerate(said)}
    assert abs(seasonal_calibration.yearly_drift(few, {day: came(few[day], seed=4) for day in few})[0]) < 0.3
    assert seasonal_calibration.yearly_drift({"2021-03-02": said["2021-03-02"]}, outcomes) is None


def test_a_trend_is_carried_on():
    """A base that buys more by 0.5 log-odds a year: with the season known, nearer to the truth than last year alone."""
    calibrate = date(2022, 9, 10)
    learnt, now, then = taught(calibrate, amplitude=0.8, drift=0.5)
    as_of = calibrate + timedelta(days=90)
    year_ago = SeasonalCalibration([str(as_of)], *([shift[0]] for shift in _year_ago(learnt, as_of)))
    missed = error(year_ago, now, then, as_of=as_of)
    assert missed < -0.05
    assert abs(error(learnt, now, then, as_of=as_of)) < 0.7 * abs(missed)


def _year_ago(learnt: SeasonalCalibration, as_of: date) -> list[list[float]]:
    measured = [date.fromisoformat(day).toordinal() for day in learnt.days]
    day = as_of.toordinal() - YEAR
    return [[float(np.interp(day, measured, shifts))] for shifts in (learnt.log_odds, learnt.log_value)]
