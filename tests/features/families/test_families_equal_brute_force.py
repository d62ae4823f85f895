"""Every feature equals what a plain reading of the customer's books says, and stays the same once compiled."""

import math
import statistics
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest
from numba import njit
from scipy.stats import entropy

from features.clock import microseconds
from features.families import basket, calendar, frequency, interactions, monetary, ratios, recency, regularity
from features.families.calendar import month_and_day
from features.kernel.feature import features_of

FAMILIES = (recency, frequency, monetary, regularity, basket, interactions, ratios, calendar)
FEATURES = [one for family in FAMILIES for one in features_of(family)]
NAN = float("nan")


def in_days(span):
    return span / timedelta(days=1)


def differences(times):
    return [in_days(b - a) for a, b in pairwise(times)]


def share(flags):
    return sum(flags) / len(flags) if flags else NAN


def mean(values):
    return statistics.mean(values) if values else NAN


def spread(values):
    return statistics.stdev(values) if len(values) > 1 else NAN


def slope(values):
    return statistics.linear_regression(range(len(values)), values).slope if len(values) > 1 else NAN


def over(top, bottom):
    return top / bottom if bottom > 0 else NAN


def last(values):
    return values[-1] if values else NAN


def named(c, column):
    """Products (1) or categories (2) of the lines that name one."""
    return [line[column] for line in c.lines if line[column] is not None]


def firsts(c):
    """When each product was first bought."""
    return list({line[1]: line[0] for line in reversed(c.lines) if line[1] is not None}.values())


def scored(c):
    return [value for _, value in c.kind("complaint") if not math.isnan(value)]


def times(events):
    return [event[0] for event in events]


def year_ago(c, days, times):
    """Which of the times lie in the days that began a year ago."""
    past = [in_days(c.as_of - at) for at in times]
    return [i for i, ago in enumerate(past) if 365 - days < ago <= 365]


def within(c, days, times):
    """Which of the instants lie in `[as_of - days, as_of)`."""
    return [c.as_of - timedelta(days=days) <= at < c.as_of for at in times]


def sum_within(c, days, times, amounts):
    return sum(amount for amount, inside in zip(amounts, within(c, days, times), strict=True) if inside)


def season(c):
    return 2 * math.pi * (c.as_of.timetuple().tm_yday - 1) / 365.25


def tenure(c):
    return max(in_days(c.as_of - c.times[0]), 1)


# By family and function: what the books say. A windowed one also gets the days, a function of `events` the complaints.
ORACLES = {
    "recency": {
        "recency_days": lambda c: in_days(c.as_of - c.times[-1]),
        "tenure_days": lambda c: in_days(c.as_of - c.times[0]),
        "last_refund_days": lambda c: min((in_days(c.as_of - at) for at, _ in c.refunds), default=NAN),
    },
    "frequency": {
        "orders": lambda c: len(c.orders),
        "repeat_orders": lambda c: len(c.orders) - 1,
        "orders_last": lambda c, days: sum(within(c, days, c.times)),
        "orders_year_ago": lambda c, days: len(year_ago(c, days, c.times)),
        "repeat_share": lambda c: share([i > 0 for i in range(len(c.orders))]),
        "weekend_share": lambda c: share([at.strftime("%A") in ("Saturday", "Sunday") for at in c.times]),
        "orders_same_month": lambda c: sum(at.month == c.as_of.month for at in c.times),
    },
    "monetary": {
        "spend_total": lambda c: c.spent,
        "spend_mean": lambda c: mean(c.net),
        "spend_first_order": lambda c: c.net[0],
        "spend_last_order": lambda c: c.net[-1],
        "spend_last": lambda c, days: (
            sum_within(c, days, c.times, c.net)
            - sum_within(c, days, times(c.loose), [cents for _, cents, _ in c.loose])
        ),
        "spend_year_ago": lambda c, days: (
            sum(c.net[i] for i in year_ago(c, days, c.times))
            - sum(c.loose[i][1] for i in year_ago(c, days, times(c.loose)))
        ),
        "spend_median": lambda c: statistics.median(c.net),
        "spend_max": lambda c: sorted(c.net)[-1],
        "spend_min": lambda c: sorted(c.net)[0],
        "spend_std": lambda c: spread(c.net),
        "discount_share": lambda c: (
            sum(o.discount for o in c.orders) / (sum(o.discount + o.net for o in c.orders) or 1)
        ),
        "margin_total": lambda c: c.margin,
        "margin_last": lambda c, days: (
            sum_within(c, days, c.times, [one.margin for one in c.orders])
            - sum_within(c, days, times(c.loose), [margin for *_, margin in c.loose])
        ),
        "margin_share": lambda c: over(c.margin, c.spent),
        "refunds": lambda c: len(c.refunds),
        "refunds_last": lambda c, days: sum(within(c, days, times(c.refunds))),
        "refund_share": lambda c: over(sum(cents for _, cents in c.refunds), sum(one.paid for one in c.books)),
    },
    "regularity": {
        "gap_mean_days": lambda c: mean(differences(c.times)),
        "gap_std_days": lambda c: spread(differences(c.times)),
        "gap_cv": lambda c: over(spread(differences(c.times)), mean(differences(c.times))),
        "gap_last_days": lambda c: last(differences(c.times)),
        "gap_last_over_mean": lambda c: over(last(differences(c.times)), mean(differences(c.times))),
        "gap_trend": lambda c: slope(differences(c.times)),
        "spend_trend": lambda c: slope(c.net),
        "clumpiness": lambda c: (
            1 - entropy(differences([*c.times, c.as_of]), base=len(c.times)) if len(c.times) > 1 else NAN
        ),
        "next_order_due_days": lambda c: mean(differences(c.times)) - in_days(c.as_of - c.times[-1]),
    },
    "basket": {
        "pieces_per_order": lambda c: sum(pieces for *_, pieces in c.lines) / len(c.orders),
        "lines_per_order": lambda c: len(c.lines) / len(c.orders),
        "products": lambda c: len(set(named(c, 1))),
        "categories": lambda c: len(set(named(c, 2))),
        "category_entropy": lambda c: entropy(list(Counter(named(c, 2)).values())) if named(c, 2) else NAN,
        "top_category_share": lambda c: share([name == statistics.mode(named(c, 2)) for name in named(c, 2)]),
        "new_product_share": lambda c: share([name not in named(c, 1)[:i] for i, name in enumerate(named(c, 1))]),
        "new_products_last": lambda c, days: sum(within(c, days, firsts(c))),
    },
    "interactions": {
        "interactions": lambda c: len(c.log),
        "interactions_last": lambda c, days: sum(within(c, days, times(c.log))),
        "interaction_recency_days": lambda c: min((in_days(c.as_of - at) for at, *_ in c.log), default=NAN),
        "interactions_per_order": lambda c: len(c.log) / len(c.orders),
        "count": lambda c: len(c.kind("complaint")),
        "count_last": lambda c, days: sum(within(c, days, times(c.kind("complaint")))),
        "recency_days": lambda c: min((in_days(c.as_of - at) for at, _ in c.kind("complaint")), default=NAN),
        "value_mean": lambda c: mean(scored(c)),
        "value_last": lambda c: last(scored(c)),
        "value_trend": lambda c: slope(scored(c)),
        "complaints_per_order": lambda c: len(c.kind("complaint")) / len(c.orders),
        "campaign_response_share": lambda c: over(len(c.kind("campaign_response")), len(c.kind("campaign_contact"))),
    },
    "ratios": {
        "recency_over_gap": lambda c: over(in_days(c.as_of - c.times[-1]), mean(differences(c.times))),
        "orders_times_spend_mean": lambda c: sum(c.net),
        "spend_per_tenure_day": lambda c: c.spent / tenure(c),
        "orders_per_tenure_day": lambda c: len(c.orders) / tenure(c),
    },
    "calendar": {
        "first_order_month": lambda c: c.times[0].month,
        "first_order_channel": lambda c: c.orders[0].channel,
        "as_of_season_sin": lambda c: math.sin(season(c)),
        "as_of_season_cos": lambda c: math.cos(season(c)),
    },
}


def values(one, function, customers):
    days = () if one.days is None else (one.days,)
    return [
        float(function(*(slices[name] for name in one.arguments if name != "days"), *days)) for _, slices in customers
    ]


def family_of(one):
    return one.function.__module__.removeprefix("features.families.")


def test_no_feature_is_without_an_oracle_and_no_oracle_without_its_feature():
    have = {(family, function) for family, oracles in ORACLES.items() for function in oracles}
    assert have == {(family_of(one), one.function.__name__) for one in FEATURES}


@pytest.mark.parametrize("one", FEATURES, ids=lambda one: f"{family_of(one)}.{one.name}")
def test_a_feature_says_what_the_books_say(one, customers):
    oracle = ORACLES[family_of(one)][one.function.__name__]
    days = () if one.days is None else (one.days,)
    expected = [float(oracle(c, *days)) for c, _ in customers]
    found = values(one, one.function, customers)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)
    assert any(np.isnan(found)) == bool(one.absent), "`absent` is there for exactly what can be undefined"
    assert len(set(found)) > 1, "the drawn customers tell nothing about it"


@pytest.mark.slow
def test_compiled_a_feature_says_the_same(customers):
    """One by one; all in one pass they are compared in test_features_equal_sql.py and test_kernel.py."""
    for one in {one.function: one for one in FEATURES}.values():
        found = values(one, njit(one.function), customers)
        np.testing.assert_allclose(found, values(one, one.function, customers), rtol=1e-12, err_msg=one.name)


def test_shares_lie_between_nothing_and_all(customers):
    """A refund may take back more than was spent in the log, a contact bring two responses, a margin be negative."""
    exempt = {"refund_share", "campaign_response_share", "margin_share"}
    for one in FEATURES:
        if one.unit == "share" and one.name not in exempt:
            found = np.array(values(one, one.function, customers))
            assert np.all(np.isnan(found) | ((found >= 0) & (found <= 1))), one.name


def test_meanings_and_names_are_whole_and_distinct_within_a_family():
    for family in FAMILIES:
        own = features_of(family)
        assert len({one.name for one in own}) == len({one.meaning for one in own}) == len(own)
        assert all("{}" in one.says and ("{days}" in one.says) == bool(one.days) for one in own)
        assert all(("{kind}" in one.says) == ("events" in one.arguments) for one in own)


def test_what_is_counted_is_told_in_whole_numbers():
    told = {one.name: one for one in FEATURES}
    assert told["products"].sentence(1) == "1 product bought so far"
    assert told["refunds_last_90d"].sentence(2) == "2 refunds in the last 90 days"
    assert told["first_order_month"].sentence(3) == "month of the first order: 3"
    assert told["weekend_share"].sentence(0.25) == "share of orders placed at weekends: 0.25"
    scores = replace(told["value_mean"], kind="survey_score")
    assert scores.sentence(4.2) == "mean value of 'survey score' interactions: 4.20"
    assert scores.sentence(NAN) == "no 'survey score' interaction with a value"


def test_months_and_days_of_the_year_equal_the_standard_library():
    for day in range(date(1895, 1, 1).toordinal(), date(2105, 1, 1).toordinal()):
        true = date.fromordinal(day)
        assert month_and_day(microseconds(true)) == (true.month, true.timetuple().tm_yday - 1)


@pytest.mark.parametrize("year", [1, 400, 1600, 1700, 1968, 1970, 2000, 2100, 2400, 9999])
def test_a_day_ends_with_its_last_microsecond(year):
    for month in range(1, 13):
        begins = microseconds(date(year, month, 1))
        assert month_and_day(begins)[0] == month
        assert month_and_day(begins - 1)[0] == (month - 2) % 12 + 1
