"""Who stays, comes back, moves and is gone: every table of time equals a plain loop over customers and periods."""

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest

from models.evaluation.estimate import Z90
from retention.analyses import churn_causes, cohort_retention, early_warning, event_forecast, lifecycle
from retention.analyses.new_customers import new_customers
from retention.analyses.play_by_segment import plays
from retention.analyses.relationship import NEW, transitions
from retention.analyses.segment_moves import segment_moves
from retention.customer_base.migration import migration_model, observed_cells, retention_model
from retention.customer_base.relationship_states import STATES, relationship_states
from tests.retention.analyses.small_base import DAY, base_of, orders_of, small_base

ONE = pd.Timedelta(days=1)


@pytest.fixture(scope="module", params=[1, 2])
def base(request):
    return small_base(seed=request.param, customers=120, contractual=True)


def state_by_hand(times, end, horizon):
    times = [at for at in times if at < end]
    if not times:
        return None
    silent = end - times[-1]
    if silent > horizon:
        return "lost" if silent > 2 * horizon else "lapsed"
    pauses = [(b - a > horizon) and b >= end - horizon for a, b in pairwise(times)]
    if any(pauses):
        return "won back"
    return "loyal" if len(times) >= 4 else "repeat" if len(times) > 1 else "first-time"


@pytest.mark.parametrize("before_days", [0, 90, 400])
def test_the_state_of_each_customer_is_that_of_a_loop(base, before_days):
    found = relationship_states(base, before_days=before_days)
    orders = base.orders[base.orders["stands"]]
    for customer in base.customers.index:
        times = sorted(orders.loc[orders["customer"] == customer, "at"])
        expected = state_by_hand(times, DAY - before_days * ONE, 90 * ONE)
        assert (found[customer] if expected else None) == expected, customer
    assert set(found.dropna()) <= set(STATES)


def test_each_row_of_moves_sums_to_one_and_counts_who_moved(base):
    before, now = relationship_states(base, before_days=90), relationship_states(base)
    table = transitions(before, now)
    sums = table.sum(axis=1, min_count=1).dropna()
    assert sums.to_numpy() == pytest.approx(np.ones(len(sums)))
    pairs = Counter((one if isinstance(one, str) else NEW, other) for one, other in zip(before, now, strict=True))
    started = Counter(one if isinstance(one, str) else NEW for one in before)
    for (one, other), count in pairs.items():
        assert table.loc[one, other] == pytest.approx(count / started[one])


def test_stages_are_those_of_a_loop(base):
    found, state = lifecycle.stages(base), relationship_states(base)
    for customer, first in base.customers["first_order"].items():
        own = base.orders[base.orders["customer"] == customer]
        age = (DAY - own["at"]) / ONE
        late, early = own.loc[age <= 182, "net"].sum(), own.loc[(age > 182) & (age <= 364), "net"].sum()
        if state[customer] in ("lost", "lapsed"):
            expected = "ended" if state[customer] == "lost" else "decline"
        elif (DAY - first) / ONE <= 182 or late > 1.25 * early:
            expected = "growth"
        else:
            expected = "decline" if late < 0.75 * early else "mature"
        assert found[customer] == expected, customer


@pytest.mark.parametrize("frequency", ["M", "Q", "Y"])
def test_cohorts_are_those_of_a_loop_and_open_periods_are_empty(base, frequency):
    size, shares = cohort_retention.cohorts(base, frequency=frequency)
    orders = base.orders[base.orders["stands"]]
    members, again = Counter(), defaultdict(set)
    for customer, first in base.customers["first_order"].items():
        cohort = first.to_period(frequency)
        members[cohort] += 1
        for at in orders.loc[orders["customer"] == customer, "at"]:
            again[cohort, (at.to_period(frequency) - cohort).n].add(customer)
    assert size.to_dict() == dict(members)
    for cohort, after in product(size.index, shares.columns):
        if (cohort + after).end_time < DAY:
            assert shares.loc[cohort, after] == pytest.approx(len(again[cohort, after]) / members[cohort])
        else:
            assert np.isnan(shares.loc[cohort, after])


def test_recency_cells_are_counted_as_a_loop_would(base):
    found = observed_cells(base, period_days=182)
    orders = base.orders[base.orders["stands"]]
    back = ((DAY - orders["at"]) // (182 * ONE)).to_numpy()
    whole = int((DAY - base.orders["at"].min()) // (182 * ONE))
    seen, ordered = [0] * 4, [0] * 4
    for customer in base.customers.index:
        mine = {int(one) for one in back[orders["customer"].to_numpy() == customer] if one < whole}
        for period in range(whole - 1):
            earlier = [one for one in mine if one > period]
            if earlier and min(earlier) - period <= 4:
                seen[min(earlier) - period - 1] += 1
                ordered[min(earlier) - period - 1] += period in mine
    assert found.seen.tolist() == seen
    assert found.ordered.tolist() == ordered


def test_migration_equals_every_path_a_customer_can_take():
    chances, periods = [0.5, 0.3, 0.1, 0.05], 7
    buyers = np.zeros(periods)
    for path in product([0, 1], repeat=periods - 1):
        chance, since = 1.0, 1
        for buys in path:
            p = chances[since - 1] if since <= len(chances) else 0.0
            chance *= p if buys else 1 - p
            since = 1 if buys else since + 1
        buyers += chance * np.array([1, *path])
    assert migration_model(chances, periods=periods) == pytest.approx(buyers)
    assert migration_model([0.6, 0, 0, 0], periods=4) == pytest.approx(retention_model(0.6, periods=4)), (
        "a pause is the end"
    )


def test_moves_between_segments_count_everybody_once():
    before = pd.Series({"a": "VIP", "b": "VIP", "c": "grow", "gone": "let go"})
    now = pd.Series({"a": "VIP", "b": "maintain", "c": "VIP", "new": "grow"})
    table = segment_moves(before, now)
    assert table.to_numpy().sum() == 5
    assert (table.loc["VIP", "VIP"], table.loc["VIP", "maintain"], table.loc["grow", "VIP"]) == (1, 1, 1)
    assert (table.loc["new", "grow"], table.loc["let go", "gone"]) == (1, 1)


def test_each_sign_is_that_of_a_loop(base):
    shown = early_warning.signs(base)
    then = base.earlier.scores.set_index("customer_id")["segment"]
    for customer, row in base.customers.iterrows():
        own = base.orders[base.orders["customer"] == customer]
        stand = own[own["stands"]]
        gaps = np.diff(sorted(stand["at"])) / np.timedelta64(1, "D")
        age = (DAY - own["at"]) / ONE
        late, early = own.loc[age <= 182, "net"].sum(), own.loc[(age > 182) & (age <= 364), "net"].sum()
        events = base.interactions[base.interactions["customer"] == customer]
        fresh = events[(events["kind"] == "complaint") & (events["at"] >= DAY - 30 * ONE)]
        silent = (DAY - row["last_order"]) / ONE
        expected = {
            "overdue": len(gaps) > 0 and gaps.mean() > 0 and silent > 2 * gaps.mean(),
            "spending halved": early > 0 and late < early / 2,
            "unanswered complaint": len(fresh) > 0 and fresh["at"].max() > row["last_order"],
            "fell from VIP": then.get(row["customer_id"]) == "VIP" and row["segment"] != "VIP",
        }
        assert {name: bool(value) for name, value in shown.loc[customer].items()} == expected, customer


def test_the_warned_are_valuable_show_a_sign_and_come_by_value_at_risk(base):
    found = early_warning.early_warnings(base)
    assert found["at_risk"].is_monotonic_decreasing
    assert (found["clv"] > base.customers["clv"].mean()).all()
    assert found["signs"].str.len().gt(0).all()
    carried = early_warning.signs(base).any(axis=1) & (base.customers["clv"] > base.customers["clv"].mean())
    assert len(found) == carried.sum() > 0


def test_causes_hold_all_who_left_and_all_they_took(base):
    table = churn_causes.churn_causes(base.former, frozenset({"moved away"}))
    assert table["customers"].sum() == len(base.former)
    assert table["lost"].sum() == pytest.approx(base.former["margin_last_year"].sum())
    assert table["lost_share"].sum() == pytest.approx(1)
    by_cause = table.set_index("cause")["choice"]
    assert by_cause["moved away"] == "involuntary"
    assert by_cause["price"] == "voluntary"
    assert by_cause["not recorded"] == "not recorded"


def test_what_happened_in_a_window_is_of_those_known_before_it(base):
    for ago in (0, 275):
        begin, end = DAY - (ago + 90) * ONE, DAY - ago * ONE
        known = {number for number, first in base.customers["first_order"].items() if first < begin}
        rows = [row for row in base.orders.itertuples() if begin <= row.at < end and row.customer in known]
        buyers = {row.customer for row in rows if row.stands}
        expected = [len(buyers), len(known) - len(buyers), sum(row.stands for row in rows)]
        found = event_forecast.actual_events(base, before_days=ago)
        assert found[:3] == expected
        assert found[3] == pytest.approx(sum(row.margin for row in rows))


def test_a_window_that_is_not_over_says_nothing():
    found = event_forecast.actual_events(replace(small_base(), horizon_days=400), before_days=-35)
    assert np.isnan(found).all()


def test_a_forecast_s_interval_holds_chance_and_the_error_that_all_share():
    base = small_base(seed=5, customers=300)
    draw, reach = np.random.default_rng(1), 0.25
    p, value = (base.customers[name].to_numpy() for name in ("churn_probability", "expected_value"))
    width = (base.customers["value_p90"] - base.customers["value_p10"]).to_numpy() / (2 * Z90)
    for shared in (0.0, reach):
        table = event_forecast.forecast(base.customers, reach=shared).set_index("event")
        level = np.exp(shared / Z90 * draw.standard_normal(4000))
        came = {
            "customers who order": (draw.random((4000, len(p))) < np.minimum(np.outer(level, 1 - p), 1)).sum(axis=1),
            "margin": level * draw.normal(value.sum(), np.sqrt((width**2).sum()), 4000),
        }
        came["customers who do not order"] = len(p) - came["customers who order"]
        for event, drawn in came.items():
            row = table.loc[event]
            assert np.mean((drawn >= row["low"]) & (drawn <= row["high"])) == pytest.approx(0.8, abs=0.06), event
        assert table.loc["customers who order", "expected"] == pytest.approx((1 - p).sum())
    assert (table["low"] <= table["expected"]).all()
    assert (table["expected"] <= table["high"]).all()


def test_new_is_who_came_within_the_last_horizon():
    base = base_of(orders_of([(0, 89, 5), (1, 91, 5), (1, 10, 5)]), customers=2)
    assert new_customers(base).tolist() == [True, False]


def test_the_play_for_growth_is_the_gap_to_the_mean_vip(base):
    table = plays(base).set_index("group")["at_most"]
    who = base.customers
    vip = who.loc[who["segment"] == "VIP", "margin_year"].mean()
    gap = sum(max(vip - one, 0) for one in who.loc[who["segment"] == "grow", "margin_year"])
    assert table["grow"] == pytest.approx(gap)
    held = who[who["segment"] == "maintain"]
    assert table["maintain"] == pytest.approx(held["gain"].sum())
