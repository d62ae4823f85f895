"""What customers bring and are worth: every table of money equals a plain loop over customers and orders."""

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

from retention.analyses import (
    abc_classes,
    acura,
    clv_parts,
    cohort_clv,
    cost_to_serve_matrix,
    lifetime_steps,
    pareto,
    profit_waterfall,
    retention_points,
    rfm_cells,
    status_tiers,
    value_quadrants,
    whale_curve,
)
from retention.customer_base import loyalty_index
from retention.customer_base.margin_multiple import margin_multiple
from retention.customer_base.yearly_retention import yearly_retention
from tests.retention.analyses.small_base import DAY, base_of, orders_of, small_base

YEAR = pd.Timedelta(days=365)


@pytest.fixture(scope="module", params=[1, 2, 3])
def base(request):
    return small_base(seed=request.param, customers=120)


def test_the_pyramid_holds_everybody_and_all_the_money(base):
    value = base.customers["margin_year"]
    table = pareto.pareto(value).set_index("tier")
    assert table["customers"].sum() == len(value)
    assert table["value"].sum() == pytest.approx(value.sum())
    best = sorted((one for one in value if one > 0), reverse=True)
    top = round(0.01 * len(best))
    assert table.loc["top", "value"] == pytest.approx(sum(best[:top]))
    assert table.loc["large", "value"] == pytest.approx(sum(best[top : round(0.05 * len(best))]))
    assert table.loc["inactive", "customers"] == sum(one <= 0 for one in value)


def test_class_a_is_the_smallest_group_that_holds_80_percent(base):
    value = base.customers["margin_year"]
    table = abc_classes.abc_classes(value).set_index("group")
    best = sorted((one for one in value if one > 0), reverse=True)
    count = int(table.loc["A", "customers"])
    assert sum(best[:count]) >= 0.8 * sum(best) - 1e-9
    assert sum(best[: count - 1]) < 0.8 * sum(best)
    assert table["customers"].sum() == len(value)


def test_cells_hold_everybody_and_equal_quintiles_by_rank(base):
    table = rfm_cells.grid(base)
    assert table["customers"].sum() == len(base.customers)
    assert table["clv"].sum() == pytest.approx(base.customers["clv"].sum())
    orders = base.customers["orders"].tolist()
    frequency = [1 + 5 * sum(other < one for other in orders) // len(orders) for one in orders]
    assert rfm_cells.rfm(base)["frequency_quintile"].tolist() == frequency


def test_quadrants_add_up_to_the_base(base):
    table = value_quadrants.analyse(base).table
    who = base.customers
    assert table["customers"].sum() == len(who)
    assert table["clv"].sum() == pytest.approx(who["clv"].sum())
    assert table["at_risk"].sum() == pytest.approx(who["gain"].sum())


def test_the_waterfall_adds_up_to_the_cent_and_equals_plain_sums(base):
    orders, costs = base.within(base.orders, 365), base.within(base.costs, 365)
    table = profit_waterfall.profit_steps(orders, costs)
    reached = 0.0
    for row in table.itertuples():
        reached = row.amount if row.total and not reached else reached + (0 if row.total else row.amount)
        if row.total:
            assert round(reached, 2) == row.amount
    amounts = table.set_index("step")["amount"]
    assert amounts["discounts"] == pytest.approx(-orders["discount"].sum(), abs=0.011)
    assert amounts["refunds"] == pytest.approx(-orders["refunded"].sum(), abs=0.011)
    assert amounts["customer profit"] == pytest.approx(orders["margin"].sum() - costs["amount"].sum(), abs=0.011)


def test_the_parts_of_value_add_up(base):
    table = clv_parts.parts(base)
    added = table[table["role"] == clv_parts.ADDS]
    total = table[table["role"] == clv_parts.TOTAL].iloc[0]
    assert added["year"].sum() == pytest.approx(total["year"])
    assert added["clv"].sum() == pytest.approx(total["clv"])
    orders = base.within(base.orders, 365)
    firsts = sum(
        row.margin for row in orders.itertuples() if row.at == base.customers["first_order"].iloc[row.customer]
    )
    assert table.set_index("part").loc["first orders", "year"] == pytest.approx(firsts)


def test_the_matrix_cuts_at_the_medians(base):
    table = cost_to_serve_matrix.cost_to_serve_matrix(base.customers).set_index("group")
    active = base.customers[base.customers["orders_year"] > 0]
    sales, cost = active["sales_year"].median(), active["cost_to_serve_year"].median()
    counts, profit = defaultdict(int), defaultdict(float)
    for row in active.itertuples():
        paid, dear = row.sales_year > sales, row.cost_to_serve_year > cost
        name = ("carriage trade" if dear else "passive") if paid else ("aggressive" if dear else "bargain basement")
        counts[name] += 1
        profit[name] += row.margin_year - row.cost_to_serve_year
    assert table["customers"].to_dict() == {name: counts[name] for name in table.index}
    assert table["profit"].to_dict() == pytest.approx({name: profit[name] for name in table.index})


def test_the_whale_s_back_is_highest_where_profits_end(base):
    profit = (base.customers["margin_year"] - base.customers["cost_to_serve_year"]).to_numpy()
    heights = np.cumsum(np.sort(profit)[::-1])
    found = whale_curve.peak(profit)
    assert found.profit == pytest.approx(max(heights.max(), 0))
    assert found.profit - found.loss == pytest.approx(profit.sum())
    assert whale_curve.tenths(profit)["cumulative"].iloc[-1] == pytest.approx(profit.sum())


def test_everybody_has_the_highest_tier_he_has_paid_for(base):
    found = status_tiers.tier_of(base.customers["sales_year"], base.tiers)
    for spent, tier in zip(base.customers["sales_year"], found, strict=True):
        reached = [name for name, least in base.tiers.items() if spent >= least]
        assert tier == (reached[-1] if reached else status_tiers.NO_STATUS)


@pytest.mark.parametrize(
    ("retention", "discount_rate", "multiple"),
    [(0.6, 0.10, 1.20), (0.7, 0.10, 1.75), (0.8, 0.12, 2.50), (0.9, 0.12, 4.09), (0.9, 0.16, 3.46), (0.7, 0.14, 1.59)],
)
def test_margin_multiples_are_those_gupta_and_lehmann_published(retention, discount_rate, multiple):
    factor = 1 / (1 + discount_rate)
    endless = margin_multiple(retention, discount=factor, periods=2000) * retention * factor**0.5
    assert endless == pytest.approx(multiple, abs=0.006)


def test_a_lifetime_is_the_sum_of_its_years():
    retention, discount, years = 0.7, 1 / 1.1, 3.4
    terms = [retention**k * discount ** (k + 0.5) for k in range(3)]
    terms.append(0.4 * retention**3 * discount ** (3 + 0.2))
    assert margin_multiple(retention, discount=discount, periods=years) == pytest.approx(sum(terms))


def test_a_cohort_s_table_is_worked_by_hand():
    table = cohort_clv.cohort_table([1, 0.8, 0.5], [100, 120, 150], annual_discount_rate=0.2)
    assert table["staying"].tolist() == pytest.approx([1, 0.8, 0.4])
    assert table["margin_each"].tolist() == pytest.approx([100, 96, 60])
    by_hand = 100 / 1.2**0.5 + 96 / 1.2**1.5 + 60 / 1.2**2.5
    assert table["cumulative"].iloc[-1] == pytest.approx(by_hand)


def test_years_of_a_cohort_equal_a_loop_over_customers(base):
    seen = cohort_clv.observed_years(base)
    orders = base.orders
    for year in range(len(seen)):
        customers = active = before = 0
        margin = 0.0
        for number, first in base.customers["first_order"].items():
            if DAY - first < (year + 1) * YEAR:
                continue
            own = orders[orders["customer"] == number]
            place = ((own["at"] - first) // YEAR).clip(lower=0)
            customers += 1
            active += bool((own["stands"] & (place == year)).any())
            before += bool(year and (own["stands"] & (place == year - 1)).any())
            margin += own.loc[place == year, "margin"].sum()
        row = seen.iloc[year]
        assert (row["customers"], row["active"], row["before"]) == (customers, active, before)
        assert row["margin"] == pytest.approx(margin)


def test_who_stayed_ordered_in_both_years(base):
    orders = base.orders[base.orders["stands"]]
    days = (DAY - orders["at"]) / pd.Timedelta(days=1)
    before, last = set(orders.loc[(days > 365) & (days <= 730), "customer"]), set(orders.loc[days <= 365, "customer"])
    found = yearly_retention(base)
    assert (found.customers, found.stayed) == (len(before), len(before & last))


def test_steps_of_a_lifetime_multiply_and_answer_in_the_right_direction():
    table = lifetime_steps.sensitivity(lifetime_steps.LifetimeInputs(3.0, 0.1, 0.6, 200.0, 30.0))
    whole = table.iloc[0]
    assert whole["years"] == pytest.approx(1 + 0.6 + 0.36)
    assert whole["value"] == pytest.approx(170 * sum(0.6**k / 1.1 ** (k + 0.5) for k in range(3)))
    up = table[table["way"] == 1].set_index("input")["change"]
    assert (up[["horizon", "retention", "contribution"]] > 0).all()
    assert (up[["discount_rate", "cost"]] < 0).all()


def test_a_point_of_retention_saves_one_of_a_hundred_who_can_be_saved():
    customers = pd.DataFrame({"savable_probability": [0.2, 0.005, 0.0], "gain": [40.0, 3.0, 0.0]})
    assert retention_points.worth_of_points(customers, 0.01) == pytest.approx([0.01 * 200, 3.0, 0.0])


def test_more_retention_is_never_worth_less(base):
    gains = retention_points.points(base)["gain"]
    assert gains.iloc[0] == 0
    assert gains.is_monotonic_increasing


def test_levers_are_a_hundredth_of_what_they_move(base):
    found = acura.levers(base).set_index("lever")["moves"]
    who = base.customers
    assert found["upgrade"] == pytest.approx(0.01 * who["clv"].sum())
    kept = sum(
        gain * min(q, 0.01) / q for q, gain in zip(who["savable_probability"], who["gain"], strict=True) if q > 0
    )
    assert found["retain"] == pytest.approx(kept)
    new = who[who["first_order"] >= DAY - YEAR]
    assert found["acquire"] == pytest.approx(0.01 * (new["margin"] + new["clv"]).sum())


def test_the_loyalty_index_is_the_mean_of_ranks_of_what_is_known():
    orders = orders_of([(0, 700, 5), (0, 400, 5), (0, 100, 5), (1, 700, 5), (2, 30, 5)])
    scored = loyalty_index.indicator_scores(base_of(orders, customers=3))
    assert scored["tenure"].tolist() == pytest.approx([200 / 3, 200 / 3, 100 / 6])
    assert scored["share of wallet"].isna().all()
    assert loyalty_index.loyalty_index(scored).tolist() == pytest.approx(scored.mean(axis=1).tolist())
    assert loyalty_index.loyalty_index(scored).idxmax() == 0
