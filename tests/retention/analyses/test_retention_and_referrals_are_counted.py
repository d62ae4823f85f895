"""Who stays and whom customers send is counted one by one; lifetime values are those of the literature."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from retention.analyses import clv_parts, cohort_clv, value_kinds
from retention.customer_base.margin_multiple import margin_multiple, period_discount
from retention.customer_base.referrals import mean_newcomer, referral_counts
from retention.customer_base.yearly_retention import yearly_retention
from tests.retention.analyses.small_base import DAY, base_of, orders_of, small_base

YEAR = pd.Timedelta(days=365)


def test_the_insurance_customer_of_berger_and_nasr_is_worth_568_78():
    """1998, case 1: 260 of contribution a year from today on, 50 of promotion in the middle of each of ten years, 75 %
    stay, money costs 20 %."""
    discount = period_discount(0.20, 365)
    contribution = 260 * margin_multiple(0.75, discount=discount, periods=11) / discount**0.5
    promotion = 50 * margin_multiple(0.75, discount=discount, periods=10)
    assert contribution - promotion == pytest.approx(568.78, abs=0.005)


@pytest.mark.parametrize(("leave", "years"), [(0.20, 5), (0.10, 10), (0.05, 20)])
def test_a_lifetime_doubles_as_reichheld_and_sasser_say(leave, years):
    """1990: customers stay 5, 10 and 20 years where 20, 10 and 5 % leave in a year."""
    assert margin_multiple(1 - leave, discount=1, periods=5000) == pytest.approx(years)


@pytest.mark.parametrize("seed", range(3))
def test_under_a_contract_who_stayed_has_not_left(seed):
    base = small_base(seed=seed, contractual=True)
    joined = dict(zip(base.people["customer_id"], base.people["joined_at"], strict=True))
    stayed = sum(DAY - first > YEAR for first in base.customers["first_order"])
    left = sum(
        DAY - row.left_at <= YEAR and row.orders > 0 and DAY - joined[row.customer_id] > YEAR
        for row in base.former.itertuples()
    )
    found = yearly_retention(base)
    assert (found.customers, found.stayed) == (stayed + left, stayed)
    table = cohort_clv.analyse(base).table
    assert table["retention"].iloc[1:].tolist() == pytest.approx([stayed / (stayed + left)] * (len(table) - 1))


def test_years_to_come_are_the_mean_of_those_after_the_first():
    """Four joined more than three years ago; two order in their second year and one in the third."""
    rows = [(number, 1150, 10) for number in range(4)]
    rows += [(0, 700, 30), (1, 700, 50), (1, 300, 40)]
    base = replace(base_of(orders_of(rows), customers=4), lifetime_days=5 * 365, annual_discount_rate=0.0)
    table = cohort_clv.analyse(base).table
    assert table["retention"].tolist() == pytest.approx([1, 2 / 4, 1 / 2, 3 / 6, 3 / 6])
    assert table["margin"].tolist() == pytest.approx([10, 40, 40, 40, 40])
    assert table["cumulative"].iloc[-1] == pytest.approx(10 + 20 + 10 + 5 + 2.5)
    assert table["basis"].tolist() == ["observed"] * 3 + ["projected"] * 2


def test_where_no_second_year_is_over_the_last_year_speaks():
    """Three joined 500 days ago, one of them ordered in the last year, for 80."""
    rows = [(number, 500, 10) for number in range(3)] + [(0, 100, 80)]
    base = replace(base_of(orders_of(rows), customers=3), lifetime_days=2 * 365, annual_discount_rate=0.0)
    table = cohort_clv.analyse(base).table
    assert table["retention"].tolist() == pytest.approx([1, 1 / 3])
    assert table["margin_each"].tolist() == pytest.approx([10, 80 / 3])
    alone = cohort_clv.analyse(base_of(orders_of([(0, 30, 5)]), customers=1))
    assert not alone.reading
    assert "more than a year" in alone.missing


@pytest.mark.parametrize("seed", range(3))
def test_referrals_are_worth_a_new_customer_each(seed):
    base = small_base(seed=seed)
    sent, who = [0] * len(base.customers), base.interactions
    for row in who.itertuples():
        sent[row.customer] += row.kind == "referral" and DAY - YEAR <= row.at < DAY
    assert referral_counts(base).tolist() == sent
    new = [row for row in base.customers.itertuples() if DAY - row.first_order <= YEAR]
    worth = sum(row.margin + row.clv for row in new) / len(new)
    assert mean_newcomer(base) == pytest.approx((len(new), sum(row.margin for row in new) / len(new), worth))
    influence = value_kinds.analyse(base).table.set_index("kind").loc["influence"]
    assert influence["value"] == pytest.approx(sum(sent) * worth)
    assert influence["customers"] == sum(one > 0 for one in sent)
    assert influence["best_share"] == pytest.approx(sum(sorted(sent)[-6:]) / sum(sent))


def test_without_referrals_their_value_is_asked_for_and_not_made_up():
    base = small_base(seed=1)
    silent = replace(base, interactions=base.interactions[base.interactions["kind"] != "referral"])
    for one in (silent, replace(base, interactions=None)):
        assert referral_counts(one) is None
        told = value_kinds.analyse(one)
        assert "influence" not in told.table["kind"].tolist()
        assert "`referral`" in told.missing
        assert "`referral`" in clv_parts.analyse(one).missing


@pytest.mark.parametrize("seed", range(3))
def test_the_best_by_the_past_are_looked_up_among_the_best_to_come(seed):
    rng = np.random.default_rng(seed)
    past, future = rng.permutation(40), rng.permutation(40)
    best = {one for one in range(40) if past[one] >= 36}
    assert value_kinds.overlap_of_best(past, future) == sum(future[one] >= 36 for one in best) / 4
    assert value_kinds.share_of_best_tenth(past) == pytest.approx((36 + 37 + 38 + 39) / sum(range(40)))


@pytest.mark.parametrize("seed", range(3))
def test_full_price_and_the_cost_to_come_are_plain_sums(seed):
    base = small_base(seed=seed)
    table = clv_parts.parts(base).set_index("part")
    full = discounted = 0.0
    for row in base.orders.itertuples():
        if row.at >= DAY - YEAR:
            full += row.margin if row.discount == 0 else 0
            discounted += row.margin if row.discount > 0 else 0
    assert table.loc["orders at full price", "year"] == pytest.approx(full)
    assert table.loc["orders with a discount", "year"] == pytest.approx(discounted)
    assert table.loc["cost to serve", "year"] == pytest.approx(-base.customers["cost_to_serve_year"].sum())
    assert table.loc["cost to serve", "clv"] == pytest.approx(-base.customers["clv"].sum() / 9)
    several = sum(row.clv / 0.9 for row in base.customers.itertuples() if row.categories > 1)
    assert table.loc["repeat orders, several categories", "clv"] == pytest.approx(several)
