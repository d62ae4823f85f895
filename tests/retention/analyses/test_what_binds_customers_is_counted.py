"""Cross-selling, kinds of loyalty, the strategy map, importance × performance: each equals a count by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retention.analyses import cross_sell, importance_performance, loyalty_kinds, privacy, service_strategies
from retention.analyses.strategy_map import INDICATORS, analyse, strategy_map
from tests.retention.analyses.small_base import DAY, base_of, orders_of, small_base


@pytest.fixture(scope="module")
def base():
    return small_base(seed=3, customers=150)


def ago(days):
    return DAY - pd.Timedelta(days=days)


def said(base, *rows):
    """The base with these interactions alone: (customer, days before the day, kind, value)."""
    frame = pd.DataFrame(rows, columns=["customer", "at", "kind", "value"])
    frame["at"] = [ago(days) for days in frame["at"]]
    return replace(base, interactions=frame.astype({"kind": "category", "at": "datetime64[us]"}))


def test_depths_hold_every_customer_once(base):
    table = cross_sell.analyse(base).table
    assert table["customers"].sum() == len(base.customers)
    three = base.customers[base.customers["categories"] == 3]
    row = table[table["group"] == "3"]
    assert row["customers"].item() == len(three)
    assert row["clv_mean"].item() == pytest.approx(three["clv"].mean())


def test_share_of_wallet_counts_nobody_for_more_than_his_wallet():
    known, share, room = cross_sell.share_of_wallet(
        pd.Series([50.0, 300.0, -5.0, 10.0]), pd.Series([200.0, 100.0, 100.0, np.nan])
    )
    assert (known, share, room) == (3, pytest.approx(150 / 400), pytest.approx(250))


def test_each_kind_of_loyalty_equals_a_count_by_hand(base):
    found = loyalty_kinds.kinds_of_loyalty(base)
    orders = base.orders[base.orders["stands"]]
    mailed = base.interactions[base.interactions["kind"] == "campaign_contact"]
    contacts = pd.concat([base.treatments[base.treatments["treated"]], mailed])[["customer", "at"]]
    for customer, own in orders.groupby("customer"):
        if len(own) < 3:
            assert customer not in found.index
            continue
        gaps = own["at"].diff().dropna() / pd.Timedelta(days=1)
        theirs = contacts.loc[contacts["customer"] == customer, "at"]
        soon = [any(0 <= (at - one) / pd.Timedelta(days=1) <= 14 for one in theirs) for at in own["at"]]
        expected = {
            "price": (own["discount"] > 0).sum() / len(own) >= 0.5,
            "incentive": sum(soon) / len(own) >= 0.5,
            "habit": gaps.mean() > 0 and gaps.std() < 0.5 * gaps.mean(),
            "convenience": own["channel"].nunique() == 1,
        }
        assert found.loc[customer].to_dict() == expected, customer


def test_loyalty_that_cannot_be_seen_is_named():
    bare = small_base(with_discounts=False, with_treatments=False, with_interactions=False)
    assert "price (needs discount in the orders)" in loyalty_kinds.analyse(bare).missing
    assert "incentive" in loyalty_kinds.analyse(bare).missing


def test_the_map_counts_events_of_the_year_per_customer_there_was():
    orders = orders_of([(0, 1000, 5), (1, 800, 5), (1, 200, 5), (2, 100, 5), (0, 90, 10)])
    shop = said(
        base_of(orders, customers=3), (0, 10, "visit", np.nan), (1, 30, "visit", np.nan), (0, 500, "visit", np.nan)
    )
    rows = strategy_map(shop).set_index("indicator")
    assert rows.loc["visits_per_customer", ["value", "before"]].tolist() == [2 / 3, 1 / 2]
    assert rows.loc["known_customers", ["value", "before"]].tolist() == [2 / 3, 1 / 2]
    assert rows.loc["margin_per_customer", "value"] == pytest.approx((5 + 5 + 10) / 3)
    assert np.isnan(rows.loc["ordered_again", "value"]), "nobody ordered in the year before"


def test_ordering_again_is_of_those_of_the_year_before_who_came_back():
    orders = orders_of([(0, 500, 5), (0, 10, 5), (1, 600, 5), (2, 20, 5), (3, 740, 1)])
    rows = strategy_map(base_of(orders, customers=4)).set_index("indicator")
    assert rows.loc["ordered_again", "value"] == 0.5
    assert np.isnan(rows.loc["ordered_again", "before"]), "three years back nothing is known"


def test_targets_are_met_in_the_right_direction_and_strange_ones_named(base):
    shop = replace(base, targets={"complaints_per_100_orders": 1e6, "known_customers": 1.1, "happiness": 1})
    rows = strategy_map(shop).set_index("indicator")
    assert rows.loc["complaints_per_100_orders", "met"] is True
    assert rows.loc["known_customers", "met"] is False
    assert "happiness" in analyse(shop).missing
    assert "1 of 2 targets is met" in analyse(shop).reading
    assert len({one.name for one in INDICATORS}) == len(INDICATORS)


def test_importance_that_was_asked_is_the_mean_answer_and_else_a_rank_correlation(base):
    asked = importance_performance.importance_performance(base).set_index("attribute")
    rows = base.interactions
    for name in ("delivery", "price"):
        values = rows.loc[rows["kind"] == f"importance_{name}", "value"].dropna()
        assert asked.loc[name, "importance"] == pytest.approx(values[values.between(1, 10)].mean())
    silent = replace(base, interactions=rows[~rows["kind"].astype(str).str.startswith("importance_price")])
    derived = importance_performance.importance_performance(silent).set_index("attribute")
    assert derived["derived"].all()
    last = {}
    for kind in ("survey_score", "survey_price"):
        own = rows[(rows["kind"] == kind) & rows["value"].between(1, 10)].sort_values("at", kind="stable")
        last[kind] = own.groupby("customer")["value"].last()
    both = pd.DataFrame(last).dropna()
    assert derived.loc["price", "importance"] == pytest.approx(both.corr("spearman").iloc[0, 1])


def test_an_attribute_lies_in_the_quadrant_of_martilla_and_james():
    table = pd.DataFrame({"performance": [9.0, 2.0, 8.0, 1.0], "importance": [9.0, 8.0, 1.0, 2.0]})
    expected = ["keep up the good work", "concentrate here", "possible overkill", "low priority"]
    assert importance_performance.quadrants(table).tolist() == expected


def test_strategies_are_of_each_segment_s_own_answers():
    base = base_of(orders_of([(customer, 100, 5) for customer in range(4)]), customers=4, clv=[100.0, 100, 1, 1])
    base = replace(base, customers=base.customers.assign(segment=["VIP", "VIP", "let go", "let go"]))
    rows = [
        (customer, 5, kind, value)
        for customer, answers in enumerate([(9, 2, 1, 9), (9, 2, 1, 9), (2, 9, 9, 1), (2, 9, 9, 1)])
        for kind, value in zip(
            ("survey_price", "survey_speed", "importance_price", "importance_speed"), answers, strict=True
        )
    ]
    found = service_strategies.strategies(replace(said(base, *rows), survey_range=(1.0, 10.0)))
    assert found.to_dict("list") == {
        "segment": ["VIP", "VIP", "let go", "let go"],
        "attribute": ["price", "speed"] * 2,
        "strategy": ["make efficient", "invest", "invest", "cut"],
    }


def test_the_register_names_every_table_its_age_and_no_customer(base):
    table = privacy.data_register(base).set_index("name")
    assert {"orders", "interactions", "costs", "treatments", "customers", "scores"} == set(table.index)
    assert table.loc["orders", "rows"] == len(base.orders)
    assert table.loc["orders", "oldest"] == base.orders["at"].min().date().isoformat()
    assert not table["fields"].str.contains("customer").any()
