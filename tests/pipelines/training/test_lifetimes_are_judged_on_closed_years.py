"""`evaluate --lifetime`: days whose years have closed, models that knew nothing later, and what came recounted."""

import json
from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.errors import Refusal
from models.btyd import gamma_gamma, pareto_nbd
from models.ensemble.baselines import purchase_history, repeat_spend
from pipelines.simulate import simulate
from pipelines.simulator.scenario import Scenario
from pipelines.training.lifetime_evaluation import judged_days, pareto_value

FIRST = date(2020, 1, 1)


def log_of(days):
    return SimpleNamespace(first_day=FIRST, end=FIRST + timedelta(days=days))


@pytest.mark.parametrize(
    ("log_days", "lifetime_days", "years", "count"),
    [(730, 1095, 1, 1), (845, 1095, 1, 4), (1094, 1095, 1, 4), (1095, 1095, 2, 1), (4 * 365, 1095, 3, 1),
     (6 * 365, 1095, 3, 4), (6 * 365, 365, 1, 4), (6 * 365, 100, 1, 4)],
)  # fmt: skip
def test_as_many_years_are_judged_as_have_closed_after_a_history(log_days, lifetime_days, years, count):
    found, days = judged_days(log_of(log_days), lifetime_days=lifetime_days, horizon_days=90, cut_offs=4)
    assert (found, len(days)) == (years, count)
    assert days[-1] == FIRST + timedelta(days=log_days - 365 * years)
    assert np.diff([day.toordinal() for day in days]).tolist() == [30] * (count - 1)
    assert days[0] >= FIRST + timedelta(days=360)


def test_a_log_without_a_closed_year_is_refused_with_what_it_needs():
    with pytest.raises(Refusal, match=r"724 days of orders hold no year") as caught:
        judged_days(log_of(724), lifetime_days=1095, horizon_days=90, cut_offs=4)
    assert "needs 725 days" in str(caught.value)


def test_the_counting_opponent_is_its_formula():
    rng = np.random.default_rng(2)
    orders = rng.poisson(3, 400)
    frame = pd.DataFrame({"repeat_orders": orders, "tenure_days": 400.0, "spend_first_order": 10.0})
    frame["recency_days"] = np.where(orders > 0, rng.uniform(0, 390, 400), 400.0)
    frame["spend_total"] = 10 + orders * rng.gamma(5, 4, 400)
    history, spend = purchase_history(frame), repeat_spend(frame)
    orders = pareto_nbd.fit(*history).expected_orders(365, *history)
    expected = 0.4 * orders * gamma_gamma.fit(*spend).expected_value(*spend)
    np.testing.assert_allclose(pareto_value(frame, days=365, margin_rate=0.4), expected, rtol=1e-9)


@pytest.mark.slow
def test_the_command_judges_what_came(stayworth, tmp_path, monkeypatch):
    shop = Scenario(customers=1_500, days=760, seed=3, as_of=date(2025, 1, 1))
    simulate(tmp_path / "shop", shop, chunk_size=1_500, say=lambda _: None)
    monkeypatch.chdir(tmp_path / "shop")
    code, out, err = stayworth("evaluate", "--lifetime", "--cut-offs", "1", "--json")
    assert code == 0, err
    (judged,) = json.loads(out)
    assert judged == json.loads((tmp_path / "shop" / "runs" / "backtest_lifetime.json").read_text())[0]
    assert (judged["as_of"], judged["lifetime_days"]) == ("2024-01-02", 365)
    assert set(judged["models"]) == {"stayworth", "pareto_nbd", "as_in_the_past"}
    assert judged["models"]["stayworth"]["normalized_gini"]["value"] > 0.4
    known = duckdb.sql("select count(distinct customer_id) from 'orders/*.parquet' where ordered_at < '2024-01-02'")
    assert judged["customers"] == known.fetchall()[0][0] == sum(row["customers"] for row in judged["risk"])
    code, out, _ = stayworth("evaluate", "--lifetime", "--cut-offs", "1")
    assert code == 0
    assert "Told ÷ came on 2024-01-02, by churn probability" in out
    code, _, err = stayworth("evaluate", "--lifetime", "--trials", "3")
    assert code == 2
    assert "--trials cannot be used with it" in err
