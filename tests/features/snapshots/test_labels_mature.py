"""CHECKS 7: no label is read before its window has closed, and labels are what SQL counts."""

import re
from datetime import date, timedelta

import duckdb
import numpy as np
import pytest

from features.errors import InputError
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models.training.temporal_splits import judged_window, learned_horizon, timeline


def test_labels_equal_sql_for_every_customer(cdnow, cdnow_path):
    day, horizon = date(1997, 10, 1), 90
    rows = with_labels(cdnow.histories, snapshot(cdnow.histories, as_of=[day]), horizon_days=horizon).to_pandas()
    window = (
        "count(distinct ordered_at) filter ({w}) as orders, "
        "coalesce(sum(amount) filter ({w}), 0)::double * 0.4 as value"
    )
    inside = f"ordered_at >= date '{day}' and ordered_at < date '{day + timedelta(days=horizon)}'"
    expected = duckdb.sql(f"""
        select customer_id, {window.format(w=inside)} from '{cdnow_path}' group by customer_id
        having min(ordered_at) < date '{day}' order by customer_id""").df()
    assert rows["customer_id"].tolist() == expected["customer_id"].tolist()
    np.testing.assert_array_equal(rows["future_orders"], expected["orders"])
    np.testing.assert_allclose(rows["future_value"], expected["value"], atol=1e-9)
    np.testing.assert_array_equal(rows["churned"], rows["future_orders"] == 0)


def test_a_refund_lowers_the_value_of_its_order_s_window_and_full_refunds_are_no_orders(read, log):
    histories = read(
        log(
            """
            ann 2020-01-01 10.00 a
            ann 2020-02-01 20.00 b
            ann 2020-02-10 -5.00 b
            bob 2020-01-01 10.00 c
            bob 2020-02-01 20.00 d
            bob 2020-02-20 -20.00 d
            bob 2020-05-01 1.00 e
            """
        )
    ).histories
    rows = with_labels(histories, snapshot(histories, as_of=[date(2020, 1, 15)]), horizon_days=60).to_pandas()
    assert rows["future_value"].tolist() == [6.0, 0.0]
    assert rows["churned"].tolist() == [False, True]


def test_costs_make_the_margin_where_they_are_known(read, log):
    orders = log("ann 2020-01-01 10.00\nann 2020-02-01 20.00\nann 2020-02-02 30.00\nann 2020-05-01 1.00")
    histories = read(orders.assign(cost=[1.0, 12.0, None, 0.0])).histories
    rows = with_labels(histories, snapshot(histories, as_of=[date(2020, 1, 15)]), horizon_days=60).to_pandas()
    assert rows["future_value"].tolist() == [20 - 12 + 30 * 0.4]


def test_a_window_past_the_data_is_refused(cdnow):
    rows = snapshot(cdnow.histories, as_of=[date(1998, 6, 1)])
    with pytest.raises(ValueError, match="ends after the data"):
        with_labels(cdnow.histories, rows, horizon_days=90)


@pytest.mark.parametrize("horizon", [7, 30, 90, 136])
def test_no_training_window_is_open_or_inside_a_gap(horizon):
    first, end = date(1997, 1, 1), date(1998, 7, 1)
    as_of, judged_days, learned_days = judged_window(first, end, horizon_days=horizon)
    assert judged_days == learned_days == horizon
    line = timeline(first, as_of=as_of, horizon_days=horizon)
    gap = timedelta(days=horizon)
    assert as_of + gap == end
    assert line.calibrate + gap == as_of
    assert all(day + gap <= line.calibrate for day in line.train)
    assert all(line.calibrate < day + gap <= as_of for day in line.between)
    assert all(as_of < day + gap and day < as_of for day in line.censored)
    assert sorted(set(line.matured)) == line.matured
    assert min(line.train) >= first + min(gap, timedelta(days=60))
    for early, late in line.folds:
        assert late in line.train
        assert all(day + gap <= late for day in early)


def test_the_worked_example_of_the_timeline_is_true():
    line = timeline(date(1997, 1, 1), as_of=date(1998, 4, 2), horizon_days=90)
    assert line.calibrate == date(1998, 1, 2)
    assert line.train[-3:] == [date(1997, 8, 5), date(1997, 9, 4), date(1997, 10, 4)]
    assert line.between == [date(1997, 11, 3), date(1997, 12, 3)]


@pytest.mark.parametrize("horizon", [7, 30, 90, 180])
def test_cut_offs_reach_the_same_season_a_year_before_where_there_is_history(horizon):
    as_of = date(2020, 6, 1)
    line = timeline(date(2010, 1, 1), as_of=as_of, horizon_days=horizon)
    assert line.matured[0] <= line.calibrate - timedelta(days=365)
    assert len(line.matured) <= 18


def test_too_little_history_says_how_much_is_needed_and_what_would_fit():
    with pytest.raises(InputError, match=r"120 days of orders .* are too few: 180 are needed") as caught:
        judged_window(date(1997, 1, 1), date(1997, 5, 1), horizon_days=180)
    assert "horizon_days to 120 or less" in str(caught.value)


@pytest.mark.parametrize("horizon", [1, 2, 7, 23, 30, 45, 60, 61, 90, 180, 364, 365])
def test_every_log_of_one_horizon_or_more_is_answered_and_a_setting_named_works(horizon):
    first = date(2020, 1, 1)
    for have in range(1, 1500):
        end = first + timedelta(days=have)
        try:
            window = judged_window(first, end, horizon_days=horizon)
        except InputError as error:
            assert have < max(horizon, 4)
            named = [int(number) for number in re.findall(r"horizon_days to (\d+)", str(error))]
            assert bool(named) == (have >= 4), "a setting is named where there is one"
            for days in named:
                judged_window(first, end, horizon_days=days)
            continue
        assert (window.horizon_days == horizon) == (have >= 2 * horizon + min(horizon, 60))
        assert window.as_of + timedelta(days=window.horizon_days) == end
        final = learned_horizon(first, as_of=end, horizon_days=horizon)
        assert final == min(horizon, have // 4)
        assert (window.learned_days == window.horizon_days) == (have >= 4 * window.horizon_days)
        for as_of, learned in ((window.as_of, window.learned_days), (end, final)):
            line = timeline(first, as_of=as_of, horizon_days=learned)
            gap = timedelta(days=learned)
            assert first <= line.train[0]
            assert all(day + gap <= line.calibrate for day in line.train)
            assert line.calibrate + gap == as_of
