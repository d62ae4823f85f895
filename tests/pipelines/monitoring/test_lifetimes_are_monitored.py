"""Lifetime values whose first year has passed against the log, the calm of known customers' total, and their limits."""

from dataclasses import replace
from datetime import date, timedelta
from math import exp, log, log1p

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from features.snapshots.snapshot import snapshot
from models.scoring.scorer import predict
from pipelines.batches.total_misses import TotalMisses
from pipelines.monitoring import matured_lifetimes
from pipelines.monitoring.lifetime_alarm import lifetime_move_reasons, matured_lifetime_reasons
from pipelines.monitoring.lifetime_calm import LifetimeMove, lifetime_move
from pipelines.monitoring.matured_lifetimes import LifetimeBatch, evaluate_lifetimes, judged_days

DAY = date(1997, 6, 1)
NO_MISSES = TotalMisses([])


@pytest.fixture(scope="module")
def log_of_cdnow(read, cdnow_path):
    frame = pd.read_parquet(cdnow_path)
    frame = frame[frame["customer_id"].astype(int) % 10 == 0]
    return frame, read(frame).histories


@pytest.fixture
def told(monkeypatch):
    """A model that says 30 for the lifetime of everybody, and 12 of it for the first year."""

    def says(scorer, rows):
        return pd.DataFrame({"clv": np.full(len(rows), 12.0 if scorer.terms.lifetime_days == 365 else 30.0)})

    monkeypatch.setattr(matured_lifetimes.scorer, "predict", says)


def came_by_hand(frame, ids, days=365):
    at = pd.to_datetime(frame["ordered_at"])
    inside = (at >= pd.Timestamp(DAY)) & (at < pd.Timestamp(DAY) + pd.Timedelta(days=days))
    return 0.4 * frame["amount"].astype(float)[inside & frame["customer_id"].isin(ids)].sum()


def test_a_year_is_judged_within_the_lifetime_and_no_less_than_the_horizon(model):
    def days(**changes):
        return judged_days(replace(model.terms, **changes))

    assert (days(), days(lifetime_days=200), days(horizon_days=500)) == (365, 200, 500)


@pytest.mark.usefixtures("told")
def test_what_a_batch_said_of_the_year_is_a_share_of_its_values_as_given_out(log_of_cdnow, model):
    frame, histories = log_of_cdnow
    ids = snapshot(histories, as_of=[DAY])["customer_id"].to_pylist()
    clv = pd.Series(50.0, ids[:-2])
    judged = evaluate_lifetimes(LifetimeBatch(DAY, model, clv, True), histories, {}, costs=None, seed=1)
    assert judged["customers"] == len(ids) - 2
    assert judged["said"] == pytest.approx(50 * 12 / 30 * len(clv))
    assert judged["came"] == pytest.approx(came_by_hand(frame, ids[:-2]), abs=0.5)
    bias = judged["total_bias"]
    assert bias["value"] == pytest.approx(judged["said"] / judged["came"] - 1, abs=1e-4)
    assert bias["low"] < bias["value"] < bias["high"]
    again = evaluate_lifetimes(LifetimeBatch(DAY, model, None, True), histories, {}, costs=None, seed=1)
    assert again["said"] == pytest.approx(12 * len(ids))
    assert (again["kept"], judged["kept"], again["until"]) == (False, True, "1998-06-01")


@pytest.mark.usefixtures("told")
def test_those_a_campaign_contacted_are_left_out_and_its_held_out_stand_for_them(log_of_cdnow, model):
    frame, histories = log_of_cdnow
    ids = snapshot(histories, as_of=[DAY])["customer_id"].to_pylist()
    chosen = pd.DataFrame({"customer_id": ids[:40], "treated": [True] * 30 + [False] * 10})
    batch = LifetimeBatch(DAY, model, None, is_champion=True)
    judged = evaluate_lifetimes(batch, histories, {"spring": chosen}, costs=None, seed=1)
    assert judged["customers"] == len(ids) - 30
    assert judged["said"] == pytest.approx(12 * len(ids))
    expected = came_by_hand(frame, ids[40:]) + 4 * came_by_hand(frame, ids[30:40])
    assert judged["came"] == pytest.approx(expected, abs=1)
    alone = evaluate_lifetimes(batch, histories, {"spring": chosen[chosen["treated"]]}, costs=None, seed=1)
    assert matured_lifetime_reasons(alone | {"total_bias": bias(9, 8, 10)}, NO_MISSES) == []


@pytest.mark.usefixtures("told")
def test_costs_are_taken_off_what_came_where_values_are_after_them(log_of_cdnow, model):
    _, histories = log_of_cdnow
    ids = snapshot(histories, as_of=[DAY])["customer_id"].to_pylist()
    at = pd.to_datetime(["1997-05-31", "1997-06-01", "1998-05-31", "1998-06-01"], utc=True)
    costs = pd.DataFrame({"customer_id": ids[0], "at": at, "amount": [1000.0, 7.0, 5.0, 1000.0]})
    after = replace(model, lifetime=replace(model.lifetime, cost_share=0.1))
    came = [
        evaluate_lifetimes(LifetimeBatch(DAY, made, None, True), histories, {}, costs=costs, seed=1)["came"]
        for made in (model, after)
    ]
    assert came[0] - came[1] == pytest.approx(12.0)


def bias(value, low, high):
    return {"value": value, "low": low, "high": high}


def judged_as(low, high, *, by_champion=True, typical_miss=0.1):
    return {
        **{"as_of": "2020-01-01", "days": 365, "said": 130.0, "came": 100.0, "typical_miss": typical_miss},
        **{"by_champion": by_champion, "nobody_stands_for": {}, "total_bias": bias((low + high) / 2, low, high)},
    }


REACH = 0.1 * float(stats.t.ppf(0.975, 4))
"""The 95 % interval of a total whose usual miss is .1, known as from four days, on the log scale."""


@pytest.mark.parametrize(
    ("low", "high", "is_off"),
    [
        (exp(REACH) - 1.01, exp(REACH) - 0.8, False),
        (exp(REACH) - 0.99, exp(REACH) - 0.8, True),
        (exp(-REACH) - 1.2, exp(-REACH) - 0.99, False),
        (exp(-REACH) - 1.2, exp(-REACH) - 1.01, True),
    ],
)
def test_a_matured_total_is_off_beyond_the_interval_of_totals(low, high, is_off):
    reasons = matured_lifetime_reasons(judged_as(low, high), NO_MISSES)
    assert [(reason.about, reason.verdict) for reason in reasons] == [("lifetime", "retrain")] * is_off
    assert matured_lifetime_reasons(judged_as(low, high, typical_miss=0.5), NO_MISSES) == []
    watched = matured_lifetime_reasons(judged_as(low, high, by_champion=False), NO_MISSES)
    assert [reason.verdict for reason in watched] == ["watch"] * is_off


def test_its_sentence_has_the_figures_and_the_next_step():
    (reason,) = matured_lifetime_reasons(judged_as(0.35, 0.45), NO_MISSES)
    assert reason.found == (
        "lifetime values are off: those of 2020-01-01 predicted 130 for the 365 days that followed, and 100 came: "
        "+40.0% (+35.0% to +45.0%), where -24% to +32% is within their interval"
    )
    assert "stayworth evaluate --lifetime" in reason.next
    nothing = judged_as(0.35, 0.45) | {"total_bias": bias(None, None, None)}
    assert matured_lifetime_reasons(nothing, NO_MISSES) == []


def test_totals_that_miss_as_is_usual_alarm_less_than_once_in_twenty():
    """Their error is shared by all customers, of the usual standard deviation; few customers add noise of their own."""
    rng = np.random.default_rng(3)
    errors = np.expm1(rng.normal(0, np.hypot(0.1, 0.03), 400))
    alarms = [len(matured_lifetime_reasons(judged_as(e - 0.06, e + 0.06), NO_MISSES)) for e in errors]
    assert np.mean(alarms) < 0.05


@pytest.mark.parametrize(
    ("move", "usual", "verdict"),
    [
        (-0.20, (-0.1, -0.1), None),
        (-0.25, (-0.1, -0.1), None),
        (-0.26, (-0.1, -0.1), "watch"),
        (-0.37, (-0.1, -0.1), "watch"),
        (-0.39, (-0.1, -0.1), "retrain"),
        (0.20, (-0.1, -0.1), "retrain"),
        (0.20, (-0.4, 0.2), None),
    ],
)
def test_known_customers_have_moved_beyond_the_interval_and_what_is_usual(move, usual, verdict):
    found = LifetimeMove(1200, move, usual)
    reasons = lifetime_move_reasons(found, NO_MISSES, typical_miss=0.1, apart_days=90)
    assert [reason.verdict for reason in reasons] == [verdict] * (verdict is not None)
    says = f"1,200 customers known when the model was made moved by {np.expm1(move):+.0%} in 90 days"
    assert all(says in reason.found for reason in reasons)
    assert lifetime_move_reasons(None, NO_MISSES, typical_miss=0.1, apart_days=90) == []


def test_a_judged_log_that_missed_more_widens_the_interval():
    found = LifetimeMove(1200, -0.39, (-0.1, -0.1))
    missed = TotalMisses([0.5, -0.4, 0.6])
    assert lifetime_move_reasons(found, missed, typical_miss=0.1, apart_days=90) == []


def test_the_move_is_that_of_the_same_customers_by_one_model(log_of_cdnow, model):
    """Against sums of scores: no season is known of CDNOW, so those of the day are those of any other."""
    _, histories = log_of_cdnow
    flat = replace(model, calibration=replace(model.calibration, days=[], log_odds=[], log_value=[]))
    days = [date(1997, 9, 1), date(1997, 12, 1), date(1998, 3, 1)]
    rows = {day: snapshot(histories, as_of=[day]).to_pandas(date_as_object=False) for day in days}
    gone = rows[days[1]]["customer_id"].iloc[:25]
    rows[days[2]] = rows[days[2]][~rows[days[2]]["customer_id"].isin(gone)].reset_index(drop=True)
    weights = np.ones(len(rows[days[2]]))
    weights[:10], weights[10:20] = 0.0, 2.0
    found = lifetime_move(rows, flat, made=days[1], as_of=days[2], usual=[(days[0], days[1])], weights=weights)
    before, now = (predict(flat, rows[day]).set_index("customer_id")["clv"] for day in days[1:])
    count = pd.Series(weights, now.index).reindex(before.index).fillna(1.0)
    expected = log((count * now.reindex(before.index).fillna(0.0)).sum() / (count * before).sum())
    assert found.move == pytest.approx(expected, rel=1e-9)
    first = predict(flat, rows[days[0]]).set_index("customer_id")["clv"]
    usual = log1p((before.reindex(first.index).sum() - first.sum()) / first.sum())
    assert found.usual == pytest.approx((usual,), rel=1e-9)
    assert found.beyond_usual == pytest.approx(expected - usual)
    assert found.customers == len(before)
    nobody = {day: frame.head(0) for day, frame in rows.items()}
    assert lifetime_move(nobody, flat, made=days[1], as_of=days[2], usual=[], weights=weights[:0]) is None


def test_scores_of_a_year_ago_are_judged_when_their_year_has_passed(model):
    assert LifetimeBatch(DAY, model, None, True).until == DAY + timedelta(days=365)
