"""The policy backtest: real plans in hindsight, and the value of a policy where customers were contacted by lot."""

import json
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models.ensemble.recipe import Recipe
from models.scoring import scorer
from models.trees import boosting
from pipelines.campaigns import policy_backtest as backtest
from pipelines.campaigns.experiments import OfferTrial
from pipelines.campaigns.policy_trial import in_words, policy_values
from pipelines.config import load
from pipelines.evaluate import evaluate
from pipelines.order_log import read_orders
from pipelines.screens.evaluate import show_policy_backtest
from pipelines.training.holdout_evaluation import backtest_days
from retention.economics.offers import Offer
from retention.measurement.plan_hindsight import RANDOM, RISK
from retention.planning.retention_plan import plan
from tests.scored import all_savable
from tests.shops import config_of

RECIPE = Recipe(churn=boosting.DEFAULTS, value=boosting.DEFAULTS, kind="gamma", seed=7)
OFFER = Offer(name="voucher", contact_cost=0.2, incentive_cost=2, save_rate=0.3, redeem_rate=0.3)
MORE = """
[[offers]]
name = "voucher"
contact_cost = 0.2
incentive_cost = 2
redeem_rate = 0.3
save_rate = 0.3
[train]
trials = 1
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, cdnow_path):
    """A fifth of CDNOW's customers and a voucher."""
    folder = tmp_path_factory.mktemp("shop")
    orders = pd.read_parquet(cdnow_path)
    orders[orders["customer_id"].astype(int) % 5 == 0].to_parquet(folder / "orders.parquet")
    (folder / "stayworth.toml").write_text(config_of("orders.parquet", more=MORE))
    return load(folder / "stayworth.toml")


@pytest.fixture(scope="module")
def histories(shop):
    return read_orders(shop, now=datetime(1998, 7, 2, tzinfo=UTC)).histories


def test_a_day_is_judged_on_the_orders_that_followed(shop, histories, model, taught):
    """Who left and what the others brought, from the orders themselves."""
    training, _, test = taught
    past = backtest.plan_in_hindsight(shop, [OFFER], training, RECIPE, model, test, histories, budget=200)
    told = past.hindsight
    assert past.gains == "the 180 days after it have not closed"
    scores = scorer.predict(model, test)
    how = {"holdout_share": 0.1, "campaign": "backtest 1998-04-02", "salt": "stayworth"}
    frame = plan(scores, [OFFER], budget=200, **how).frame
    contacted = frame.loc[frame["treated"], "customer_id"]
    orders = pd.read_parquet(shop.home / "orders.parquet")
    ids, at = orders["customer_id"].astype(str), pd.to_datetime(orders["ordered_at"])
    orders = orders.assign(customer_id=ids, at=at, amount=orders["amount"].astype(float))
    day = pd.Timestamp("1998-04-02")
    after = orders[(orders["at"] >= day) & (orders["at"] < day + pd.Timedelta(days=90))]
    mine = after[after["customer_id"].isin(contacted)]
    assert told["as_of"] == "1998-04-02"
    assert told["plan"]["contacted"] == len(contacted)
    assert told["plan"]["leavers"] == len(contacted) - mine["customer_id"].nunique()
    later = orders[(orders["at"] >= day + pd.Timedelta(days=90)) & orders["customer_id"].isin(contacted)]
    assert told["plan"]["back"] == len(set(later["customer_id"]) - set(mine["customer_id"]))
    assert told["plan"]["margin"] == pytest.approx(0.4 * mine["amount"].sum(), rel=1e-3)
    known = orders[orders["at"] < day]
    left = set(known["customer_id"]) - set(after["customer_id"])
    assert (told["customers"], told["leavers"]) == (known["customer_id"].nunique(), len(left))
    before = known[(known["at"] >= day - pd.Timedelta(days=90)) & known["customer_id"].isin(left)]
    assert told["lost_margin"] == pytest.approx(0.4 * before["amount"].sum(), rel=1e-2)


def test_the_days_are_those_of_the_backtest_and_what_is_written_is_whole(shop, histories, model, taught, capsys):
    log = SimpleNamespace(first_day=date(1997, 1, 1), end=date(1998, 7, 1))
    days = backtest_days(log, horizon_days=90, cut_offs=4)
    assert [one.isoformat() for one in days] == ["1998-01-02", "1998-02-01", "1998-03-03", "1998-04-02"]
    training, _, test = taught
    found = [
        backtest.plan_in_hindsight(shop, [OFFER], training, RECIPE, model, test, histories, budget=budget)
        for budget in (50, 100)
    ]
    how = {"now": datetime(1998, 7, 2, tzinfo=UTC), "budget": 100}
    content = backtest.write_policy_backtest(shop, None, [OFFER], {}, found, **how)
    assert content == json.loads((shop.folder / backtest.POLICY_BACKTEST).read_text())
    assert content["total"]["plan"]["contacted"] == sum(past.hindsight["plan"]["contacted"] for past in found)
    assert set(content["total"]["lift"]) >= {RANDOM, RISK}
    assert content["randomised"] == {}
    show_policy_backtest(content)
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("promised on 1998-04-02 is not judged: the 180 days after it have not closed.") == 2
    assert "largest spender first" in said
    assert "without randomised treatments no history" in said


@pytest.mark.slow
def test_the_whole_backtest_has_five_days_that_are_those_of_evaluate(shop, capsys):
    now = datetime(1998, 7, 2, tzinfo=UTC)
    judged = evaluate(shop, now=now, trials=None, cut_offs=5, plan_budget=200, say=lambda _: None)
    told = json.loads((shop.folder / backtest.POLICY_BACKTEST).read_text())
    assert [one["as_of"] for one in told["cut_offs"]] == [one["as_of"] for one in judged]
    assert told["randomised"] == {}
    assert told["total"]["plan"]["profit"] > told["total"]["others"][RANDOM]["profit"]
    closed = [one["as_of"] for one in told["cut_offs"] if "note" not in one["gains"]]
    assert closed == ["1997-12-03", "1998-01-02"], "180 days after them end before July"
    gains = [one["gains"] for one in told["cut_offs"][:2]]
    assert told["total"]["gains"]["silent"] == sum(one["silent"] for one in gains)
    assert told["total"]["gains"]["high"]["value"] == pytest.approx(sum(one["high"]["value"] for one in gains))
    assert all(one["low"]["value"] < one["high"]["value"] and one["gain"] > 0 for one in gains)
    show_policy_backtest(told)
    said = " ".join(capsys.readouterr().out.split())
    assert "silent who ordered again" in said
    assert "promised on 1998-02-01 is not judged" in said


N = 500


def experiment(seed):
    """A trial of a voucher whose effect on the margin is known of every customer, the scores, and those effects.

    Without it, a customer brings 10 on average if he stays; it keeps 30 % of those who would leave.
    """
    draw = np.random.default_rng(seed)
    p = draw.beta(3, 3, N)
    treated = draw.random(N) < 0.6
    stayed = draw.random(N) < 1 - p * (1 - 0.3 * treated)
    worth = draw.lognormal(2, 0.7, N)
    rows = pd.DataFrame({"customer_id": [f"c{i:04d}" for i in range(N)], "as_of": pd.Timestamp("2020-01-01")})
    rows = rows.assign(risk=p + draw.normal(0, 0.1, N), worth=worth, churned=~stayed, treated=treated, propensity=0.6)
    rows["future_value"] = stayed * worth * draw.gamma(2, 0.5, N)
    clv = 3 * worth
    scores = pd.DataFrame({"customer_id": rows["customer_id"], "churn_probability": p, "clv": clv})
    scores = all_savable(scores.assign(expected_value=(1 - p) * worth, clv_p10=0.0, clv_p90=6 * worth))
    made = OfferTrial(rows.assign(campaign="spring"), ["risk", "worth"], [{"campaign": "spring"}], {})
    return made, scores, (1 - p) * worth, 0.3 * p * worth


def truth(scores, without, effect, chosen):
    """What the policy is worth per customer of this kind, its expected cost deducted."""
    p = scores["churn_probability"]
    cost = 0.2 + 2 * (0.3 * p + (1 - p) * 0.3)
    return float((without + chosen * (effect - cost)).mean())


def measured(seed):
    made, scores, without, effect = experiment(seed)
    told = policy_values(made, scores, OFFER, budget_per_customer=0.4, seed=seed)
    frame = plan(scores, [OFFER], budget=0.4 * N, holdout_share=0, campaign="backtest", salt="").frame
    return told, scores, without, effect, scores["customer_id"].isin(frame["customer_id"]).to_numpy(float)


@pytest.mark.slow
def test_the_doubly_robust_value_of_the_plan_covers_the_truth():
    """In 16 simulated experiments, of the plan and of what it is above contacting nobody; 95 % intervals."""
    values, above = [], []
    for seed in range(16):
        told, scores, without, effect, chosen = measured(seed)
        true, nobody = truth(scores, without, effect, chosen), truth(scores, without, effect, 0 * chosen)
        figure, ahead = told["margin"]["value"]["plan"], told["margin"]["plan_above"]["nobody"]
        values.append(figure["low"] <= true <= figure["high"])
        above.append(ahead["low"] <= true - nobody <= ahead["high"])
        assert told["contacted"]["plan"] == chosen.mean()
    assert min(sum(values), sum(above)) >= 13, "chance alone: fewer than 13 of 16 in one of a hundred"


def test_policies_are_of_one_cost_and_told_in_words():
    told = measured(1)[0]
    assert told["contacted"]["nobody"] == 0
    assert told["contacted"]["everybody"] == 1
    assert 0 < told["contacted"]["plan"] < 1
    assert told["stayed"]["plan_above"]["nobody"]["value"] == pytest.approx(
        told["stayed"]["value"]["plan"]["value"] - told["stayed"]["value"]["nobody"]["value"]
    )
    said = in_words(told, offer="voucher", currency="USD")
    assert said.startswith("voucher: per customer, in USD, the plan earns ")
    assert " than contacting the highest risk first (" in said


def test_only_customers_contacted_by_lot_after_the_models_day_are_asked(cdnow_path, tmp_path, model):
    """Those of April, not those of March, whose outcomes the model learnt from; lots without any effect prove none."""
    draw, orders = np.random.default_rng(6), pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 5 == 0]
    orders.to_parquet(tmp_path / "orders.parquet")
    ids = orders["customer_id"].astype(str).unique()
    lots = pd.DataFrame({"customer_id": ids, "offer": "voucher", "treated": draw.random(len(ids)) < 0.5})
    march, april = lots.head(900).assign(at="1998-03-03"), lots.tail(1_200).assign(at="1998-04-02")
    pd.concat([march.assign(campaign="march"), april.assign(campaign="april")]).to_parquet(
        tmp_path / "treatments.parquet"
    )
    text = config_of("orders.parquet", data='treatments = "treatments.parquet"', more=MORE)
    (tmp_path / "stayworth.toml").write_text(text)
    config, now = load(tmp_path / "stayworth.toml"), datetime(1998, 7, 2, tzinfo=UTC)
    histories = read_orders(config, now=now).histories
    limits = {"budget_per_customer": 0.2}
    told = backtest.randomised_values(config, histories, [OFFER], {date(1998, 4, 2): model}, now=now, **limits)[
        "voucher"
    ]
    assert [one["campaign"] for one in told["campaigns"]] == ["april"]
    assert told["customers"] == 1_200
    assert 0 < told["contacted"]["plan"] < 1
    assert told["stayed"]["plan_above"]["nobody"]["low"] < 0 < told["stayed"]["plan_above"]["nobody"]["high"]
    later = backtest.randomised_values(config, histories, [OFFER], {date(1998, 4, 20): model}, now=now, **limits)[
        "voucher"
    ]
    assert later["in_words"].startswith(
        "voucher: 0 customers are usable; 50 who stayed and 50 who left are needed in each arm"
    )
