"""States, moves between them and stages of life equal a plain loop over each customer's orders."""

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from retention.analyses import lifecycle, relationship
from retention.customer_base.relationship_states import STATES, relationship_states
from tests.retention.analyses.small_base import base_of, orders_of, small_base

HORIZON = 90


@pytest.fixture(scope="module", params=range(4))
def base(request):
    return small_base(seed=request.param, customers=150)


def state_by_hand(days_ago):
    """days_ago: of all orders that stand, seen from the day that is asked about."""
    days = sorted((one for one in days_ago if one > 0), reverse=True)
    if not days:
        return None
    if days[-1] > 2 * HORIZON:
        return "lost"
    if days[-1] > HORIZON:
        return "lapsed"
    if any(earlier - later > HORIZON and later <= HORIZON for earlier, later in itertools.pairwise(days)):
        return "won back"
    return "loyal" if len(days) >= 4 else "repeat" if len(days) >= 2 else "first-time"


def states_by_hand(base, before_days=0):
    end = base.as_of_time - pd.Timedelta(days=before_days)
    orders = base.orders[base.orders["stands"]]
    days_ago = {
        who: [(end - at) / pd.Timedelta(days=1) for at in orders.loc[orders["customer"] == who, "at"]]
        for who in base.customers.index
    }
    return [state_by_hand(days_ago[who]) for who in base.customers.index]


def plain(series):
    return [None if pd.isna(one) else one for one in series]


@pytest.mark.parametrize("before_days", [0, HORIZON, 400])
def test_a_state_is_what_a_loop_over_the_orders_says(base, before_days):
    expected = states_by_hand(base, before_days)
    assert set(expected) - {None} == set(STATES)  # every state occurs, so every one is tested
    assert plain(relationship_states(base, before_days=before_days)) == expected


@pytest.mark.parametrize(
    ("days_ago", "state"),
    [
        ([10], "first-time"),
        ([90], "first-time"),
        ([91], "lapsed"),
        ([180], "lapsed"),
        ([181], "lost"),
        ([60, 50], "repeat"),
        ([60, 50, 40], "repeat"),
        ([60, 50, 40, 30], "loyal"),
        ([200, 110], "lapsed"),
        ([120, 30], "repeat"),
        ([121, 30], "won back"),
        ([300, 200, 100, 5], "won back"),
        ([400, 300, 80, 60, 40, 20], "won back"),
        ([400, 95, 60, 40], "loyal"),
    ],
)
def test_the_borders_between_states(days_ago, state):
    base = base_of(orders_of([(0, day, 5.0) for day in days_ago]), customers=1)
    assert relationship_states(base).tolist() == [state]


def test_orders_after_a_day_and_orders_refunded_in_full_change_no_state(base):
    earlier = relationship_states(base, before_days=HORIZON)
    begin = base.as_of_time - pd.Timedelta(days=HORIZON)
    counts = base.orders["stands"] & (base.orders["at"] < begin)
    shortened = base_of(base.orders[counts], customers=len(base.customers))
    pd.testing.assert_series_equal(relationship_states(shortened, before_days=HORIZON), earlier)


def test_each_row_of_the_moves_sums_to_one_and_equals_counting(base):
    before, now = states_by_hand(base, HORIZON), states_by_hand(base)
    moves = relationship.transitions(relationship_states(base, before_days=HORIZON), relationship_states(base))
    pairs = Counter((one or relationship.NEW, other) for one, other in zip(before, now, strict=True))
    for origin, row in moves.iterrows():
        of_it = sum(count for (start, _), count in pairs.items() if start == origin)
        assert of_it > 0
        assert row.sum() == pytest.approx(1)
        for state in STATES:
            assert row[state] == pytest.approx(pairs[origin, state] / of_it)


def test_moves_from_a_state_that_nobody_was_in_are_not_known():
    base = base_of(orders_of([(0, 10, 5.0)]), customers=1)
    moves = relationship.transitions(relationship_states(base, before_days=HORIZON), relationship_states(base))
    assert moves.loc[relationship.NEW, "first-time"] == 1
    assert moves.drop(index=relationship.NEW).isna().all(axis=None)


def test_the_reading_says_who_fell_silent_and_who_came_back(base):
    before, now = states_by_hand(base, HORIZON), states_by_hand(base)
    there = [end for start, end in zip(before, now, strict=True) if start not in (None, "lapsed", "lost")]
    silent, back = sum(end in ("lapsed", "lost") for end in there), now.count("won back")
    one = relationship.analyse(base)
    assert f" {silent:,} of {len(there):,} customer" in one.reading
    assert f" {back:,} customer" in one.reading
    assert one.table.set_index("group")["before"].to_dict() == {name: before.count(name) for name in STATES}


def stages_by_hand(base):
    found = []
    for who, state in enumerate(states_by_hand(base)):
        rows = base.orders[base.orders["customer"] == who]
        ago = (base.as_of_time - rows["at"]) / pd.Timedelta(days=1)
        late = sum(net for net, days in zip(rows["net"], ago, strict=True) if days <= 182)
        early = sum(net for net, days in zip(rows["net"], ago, strict=True) if 182 < days <= 364)
        first = max(days for days, stands in zip(ago, rows["stands"], strict=True) if stands)
        if state == "lost":
            found.append("ended")
        elif state == "lapsed":
            found.append("decline")
        elif first <= 182 or late > 1.25 * early:
            found.append("growth")
        else:
            found.append("decline" if late < 0.75 * early else "mature")
    return found


def test_a_stage_is_what_a_loop_over_the_orders_says(base):
    expected = stages_by_hand(base)
    assert set(expected) == set(lifecycle.STAGES)
    assert lifecycle.stages(base).tolist() == expected


def test_stages_hold_every_customer_and_all_the_money_once(base):
    table = lifecycle.analyse(base).table.set_index("group")
    customers = base.customers.groupby(np.array(stages_by_hand(base)))
    assert table["customers"].drop("prospect").sum() == len(base.customers)
    for name, rows in customers:
        assert table.loc[name, "customers"] == len(rows)
        assert table.loc[name, "margin_year"] == pytest.approx(rows["margin_year"].sum())
        assert table.loc[name, "clv"] == pytest.approx(rows["clv"].sum())


def test_prospects_are_those_who_joined_and_neither_ordered_nor_left():
    base = small_base(seed=5, contractual=True)  # three wait, twenty have left
    assert (base.people["customer"] < 0).sum() == 23
    assert lifecycle.analyse(base).table.set_index("group").loc["prospect", "customers"] == 3


def test_without_the_table_of_people_it_says_how_to_supply_it():
    one = lifecycle.analyse(small_base(seed=5, with_people=False))
    assert "table customers" in one.missing
    assert "prospect" not in one.reading
    assert "prospect" not in one.table["group"].tolist()
