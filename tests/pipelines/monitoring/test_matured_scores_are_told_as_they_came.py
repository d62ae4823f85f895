"""The figures of a matured batch against SQL over the log, and what a campaign does to them."""

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from models.evaluation import metrics
from pipelines.monitoring.matured_scores import MaturedBatch, evaluate_batch
from tests.retention.simulated import shop

DAY, CUSTOMERS, SAVE_RATE = date(2020, 1, 1), 4000, 0.3


@pytest.fixture(scope="module")
def made(read):
    """A shop whose scores were right, a campaign that kept three would-be leavers in ten, and what came."""
    rng = np.random.default_rng(5)
    base = shop(rng, CUSTOMERS)
    ids = np.array([f"{number:05d}" for number in range(CUSTOMERS)])
    scores = pd.DataFrame({"customer_id": ids}).join(base.scores)
    chosen = scores.nlargest(1500, "churn_probability").index.to_numpy()
    treated = np.zeros(CUSTOMERS, bool)
    treated[rng.permutation(chosen)[:1200]] = True
    campaign = pd.DataFrame({"customer_id": ids[chosen], "treated": treated[chosen]})
    stayed = rng.random(CUSTOMERS) >= base.leaving * (1 - SAVE_RATE * treated)
    counts = np.where(stayed, rng.poisson(base.orders - 1) + 1, 0)
    who = np.repeat(np.arange(CUSTOMERS), counts)
    after = pd.DataFrame({"customer_id": ids[who], "day": rng.integers(0, 90, len(who))})
    after["amount"] = (base.margin[who] * rng.gamma(1.5, 1 / 1.5, len(who)) / 0.4).round(2)
    before = pd.DataFrame({"customer_id": ids, "day": -5, "amount": 20.0})
    later = pd.DataFrame({"customer_id": ids[:50], "day": 95, "amount": 1e4})
    orders = pd.concat([before, after, later], ignore_index=True)
    orders["ordered_at"] = pd.Timestamp(DAY) + pd.to_timedelta(orders.pop("day"), unit="D")
    return read(orders).histories, orders, scores, campaign


def told(made, campaigns, **changes):
    histories, _, scores, _ = made
    batch = MaturedBatch(DAY, 90, "abc", changes.get("scores", scores), is_kept=True)
    return evaluate_batch(batch, histories, campaigns, seed=1)


def test_the_figures_are_what_the_orders_of_the_window_say(made):
    """The oracle is SQL: who ordered within 90 days, and 40 % of what."""
    _, orders, scores, _ = made  # noqa: RUF059 (read by DuckDB)
    truth = duckdb.sql("""
        select customer_id, churn_probability, expected_value, coalesce(0.4 * sum(amount), 0) as value,
               count(amount) = 0 as churned
        from scores left join (from orders where ordered_at >= '2020-01-01' and ordered_at < '2020-03-31') o
        using (customer_id) group by all order by customer_id""").df()
    found = told(made, {})["figures"]
    churned, said = truth["churned"].to_numpy(float), truth["churn_probability"].to_numpy()
    assert found["churn_rate"]["value"] == pytest.approx(churned.mean())
    assert found["churn_rate_said"]["value"] == pytest.approx(said.mean())
    assert found["roc_auc"]["value"] == pytest.approx(metrics.roc_auc(churned, said))
    bias = truth["expected_value"].sum() / truth["value"].sum() - 1
    assert found["total_bias"]["value"] == pytest.approx(bias, abs=1e-4)


def test_tenths_are_those_of_the_expectation_with_what_came(made):
    _, orders, scores, _ = made  # noqa: RUF059 (read by DuckDB)
    tenths = duckdb.sql("""
        with came as (
            select customer_id, expected_value, coalesce(0.4 * sum(amount), 0) as value
            from scores left join (from orders where ordered_at >= '2020-01-01' and ordered_at < '2020-03-31') o
            using (customer_id) group by all)
        select avg(expected_value), avg(value)
        from (select *, ntile(10) over (order by expected_value desc) n from came) group by n order by n""").fetchall()
    found = told(made, {})["deciles"]
    assert [one["said"] for one in found] == pytest.approx([said for said, _ in tenths])
    assert [one["value"] for one in found] == pytest.approx([float(came) for _, came in tenths], abs=1e-3)
    assert all(one["low"] <= one["value"] <= one["high"] for one in found)


def test_a_campaign_makes_right_scores_look_wrong_and_its_holdout_sets_them_right(made):
    blind, fair = told(made, {}), told(made, {"spring": made[3]})
    assert blind["figures"]["calibration_intercept"]["high"] < 0
    assert blind["figures"]["churn_rate"]["high"] < blind["figures"]["churn_rate_said"]["value"]
    for name, right in (("calibration_intercept", 0), ("calibration_slope", 1)):
        assert fair["figures"][name]["low"] <= right <= fair["figures"][name]["high"]
    said, came = (fair["figures"][name] for name in ("churn_rate_said", "churn_rate"))
    assert came["low"] <= said["value"] <= came["high"]
    assert fair["figures"]["ece"]["value"] < fair["ece_by_chance"]


def test_those_it_contacted_are_told_apart(made):
    apart = told(made, {"spring": made[3]})["own_campaigns"]
    assert (apart["treated"]["customers"], apart["held_out"]["customers"]) == (1200, 300)
    kept = 1 - apart["treated"]["left"] / apart["treated"]["said_to_leave"]
    assert kept == pytest.approx(SAVE_RATE, abs=0.08)
    assert apart["held_out"]["left"] == pytest.approx(apart["held_out"]["said_to_leave"], rel=0.1)
    assert apart["nobody_stands_for"] == {}


def test_without_a_holdout_the_rest_is_judged_fairly_and_it_is_said(made):
    all_contacted = made[3][made[3]["treated"]]
    found = told(made, {"spring": all_contacted})
    assert found["own_campaigns"]["nobody_stands_for"] == {"spring": 1200}
    intercept = found["figures"]["calibration_intercept"]
    assert intercept["low"] <= 0 <= intercept["high"]


def test_customers_that_the_log_forgot_are_counted(made):
    more = pd.concat([made[2], made[2].head(3).assign(customer_id=["x", "y", "z"])])
    found = told(made, {}, scores=more)
    assert (found["customers"], found["not_in_the_log"]) == (CUSTOMERS, 3)
    assert found["figures"] == told(made, {})["figures"]


def test_a_batch_of_nobody_has_no_figures(made):
    found = told(made, {}, scores=made[2].head(0))
    assert (found["customers"], found["figures"], found["deciles"]) == (0, {}, [])
