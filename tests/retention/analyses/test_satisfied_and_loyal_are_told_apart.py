"""Satisfaction × loyalty, groups side by side, events before orders, single attributes: each equals a plain loop."""

from dataclasses import replace
from statistics import mean, median

import numpy as np
import pandas as pd
import pytest

from retention.analyses import importance_performance, satisfaction_loyalty, service_strategies
from retention.analyses.loyalty import thirds
from retention.customer_base import loyalty_index
from retention.customer_base.event_pairing import days_since
from retention.customer_base.group_totals import group_totals
from retention.customer_base.loyalty_index import rank_score
from tests.retention.analyses.small_base import DAY, small_base


@pytest.fixture(scope="module")
def base():
    return small_base(seed=11, customers=120)


def type_of(answer, loyalty, middle, scale):
    """The table of Jones & Sasser in words."""
    low, high = scale
    if answer is None:
        return "no answer"
    loyal, satisfied = loyalty > middle, answer - low >= 3 / 4 * (high - low)
    if satisfied:
        return ("apostle" if answer == high else "loyalist") if loyal else "mercenary"
    if loyal:
        return "hostage"
    return "terrorist" if answer - low <= 1 / 4 * (high - low) else "defector"


def test_each_customer_has_the_type_of_the_last_answer_and_the_index(base):
    loyalty = loyalty_index.loyalty_index(loyalty_index.indicator_scores(base)).tolist()
    last = {}
    for row in base.interactions.sort_values("at", kind="stable").itertuples():
        if row.kind == "survey_score" and 1 <= row.value <= 10:
            last[row.customer] = row.value
    own = [type_of(last.get(one), value, median(loyalty), (1, 10)) for one, value in enumerate(loyalty)]
    table = satisfaction_loyalty.analyse(base).table.set_index("group")
    assert {name: own.count(name) for name in table.index} == table["customers"].to_dict()
    risk = base.customers["gain"]
    for name in set(own):
        assert table.loc[name, "at_risk"] == pytest.approx(
            sum(risk[one] for one in base.customers.index if own[one] == name)
        )


def test_answers_off_the_scale_are_counted_and_said(base):
    rows = base.interactions.copy()
    places = rows.index[rows["kind"] == "survey_score"][:3]
    rows.loc[places, "value"] = [0.0, 99.0, -1.0]
    assert satisfaction_loyalty.analyse(replace(base, interactions=rows)).missing.startswith("Not counted: 3 answers")


def test_without_a_scale_or_a_survey_it_says_what_to_supply(base):
    assert "survey_range" in satisfaction_loyalty.analyse(replace(base, survey_range=None)).missing
    assert "survey_score" in satisfaction_loyalty.analyse(replace(base, interactions=None)).missing


def test_a_rank_score_is_the_share_below_and_half_of_the_equals():
    values = [3.0, 1.0, np.nan, 3.0, 8.0, 3.0]
    known = [one for one in values if one == one]
    expected = [
        100 * (sum(other < one for other in known) + sum(other == one for other in known) / 2) / len(known)
        for one in known
    ]
    assert rank_score(pd.Series(values)).dropna().tolist() == pytest.approx(expected)
    assert mean(expected) == pytest.approx(50)


def test_equals_stand_in_the_same_third():
    assert set(thirds(pd.Series([7.0] * 5))) == {"middle third"}
    found = thirds(pd.Series([1.0, 1, 1, 1, 5, 6]))
    assert found.tolist() == ["middle third"] * 4 + ["most loyal third"] * 2


def test_group_totals_equal_a_loop(base):
    who = base.customers
    table = group_totals(who, who["segment"], names=["VIP", "grow", "nobody"]).set_index("group")
    for name in ("VIP", "grow"):
        own = [row for row in who.itertuples() if row.segment == name]
        assert table.loc[name, "customers"] == len(own)
        assert table.loc[name, "customer_share"] == pytest.approx(len(own) / len(who))
        assert table.loc[name, "at_risk"] == pytest.approx(sum(row.gain for row in own))
        assert table.loc[name, "margin_mean"] == pytest.approx(mean(row.margin_year for row in own))
    assert table.loc["nobody", ["customers", "clv"]].tolist() == [0, 0]
    assert np.isnan(table.loc["nobody", "clv_mean"])


@pytest.mark.parametrize("seed", range(5))
def test_days_since_equal_a_loop(seed):
    rng = np.random.default_rng(seed)

    def drawn(size):
        at = DAY - pd.to_timedelta(rng.integers(0, 20, size), unit="D")
        return pd.DataFrame({"customer": rng.integers(0, 4, size), "at": at})

    rows, events = drawn(30), drawn(12)
    expected = [
        min(
            (
                (row.at - one.at).days
                for one in events.itertuples()
                if one.customer == row.customer and one.at <= row.at
            ),
            default=np.inf,
        )
        for row in rows.itertuples()
    ]
    assert days_since(rows, events).tolist() == expected
    assert np.isinf(days_since(rows, events.iloc[:0])).all()


def test_an_attribute_alone_is_held_against_nothing(base):
    kinds = base.interactions["kind"].astype(str)
    alone = replace(base, interactions=base.interactions[~kinds.isin(["survey_price", "importance_price"])])
    found = importance_performance.analyse(alone)
    assert found.table.empty
    assert "Only delivery was asked about" in found.missing
    assert service_strategies.analyse(alone).table.empty


def test_an_attribute_may_have_the_name_of_a_column(base):
    names = {"survey_price": "survey_customers", "importance_price": "importance_customers"}
    renamed = replace(
        base, interactions=base.interactions.assign(kind=base.interactions["kind"].astype(str).replace(names))
    )
    table = service_strategies.analyse(renamed).table
    assert table["customers"].sum() == len(base.customers)
    assert "service_customers" in table
