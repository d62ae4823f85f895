"""plan, wait, readout: a campaign of known effect on a shop made of nothing but its plan and its orders."""

import json
from datetime import UTC, date, datetime, timedelta
from math import isnan

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, Refusal
from models.keeping.worth_factor import CENTRE
from pipelines import run_folder
from pipelines.campaigns.save_rates import SAVE_RATES, measured_save_rates
from pipelines.config import load
from pipelines.readout import read_out
from pipelines.screens.readout import show_readout
from retention.measurement.save_rate_store import believed_worth_factor
from tests.retention.bases import held_out
from tests.retention.simulated import shop

DAY = date(2020, 1, 1)
CUSTOMERS, SAVE_RATE, COST = 4000, 0.3, 1.25
TOML = """
[data]
orders = "orders.parquet"
[time]
horizon_days = 90
timezone = "UTC"
[money]
currency = "GBP"
gross_margin = 0.5
annual_discount_rate = 0.1
lifetime_days = 1095
[[offers]]
name = "voucher"
contact_cost = 0.5
incentive_cost = 5
redeem_rate = 0.3
save_rate = { alpha = 2, beta = 18 }
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of a shop whose campaign of 2020-01-01 kept three would-be leavers in ten, 90 days later."""
    folder = tmp_path_factory.mktemp("shop")
    rng = np.random.default_rng(11)
    base = shop(rng, CUSTOMERS)
    ids = np.array([f"{number:05d}" for number in range(CUSTOMERS)])
    treated = ~held_out(ids, share=0.2, campaign="spring 2020", salt="pepper")
    stayed = rng.random(CUSTOMERS) >= base.leaving * (1 - SAVE_RATE * treated)
    counts = np.where(stayed, rng.poisson(base.orders - 1) + 1, 0)
    who = np.repeat(np.arange(CUSTOMERS), counts)
    after = pd.DataFrame({"customer_id": ids[who], "day": rng.integers(0, 90, len(who))})
    after["amount"] = (2 * base.margin[who] * rng.gamma(1.5, 1 / 1.5, len(who))).round(2)
    before = pd.DataFrame({"customer_id": ids, "day": -rng.integers(1, 60, CUSTOMERS), "amount": 20.0})
    later = pd.DataFrame({"customer_id": ids[:50], "day": 95, "amount": 1e4})
    orders = pd.concat([before, after, later], ignore_index=True)
    orders["ordered_at"] = pd.Timestamp(DAY) + pd.to_timedelta(orders.pop("day"), unit="D")
    orders.to_parquet(folder / "orders.parquet")

    plan = pd.DataFrame({"customer_id": ids, "offer": "voucher", "treated": treated}).join(base.scores)
    plan["savable_probability"], plan["gain"] = base.leaving, base.leaving * base.scores["clv"]
    plan["expected_cost"], plan["segment"] = np.where(treated, COST, 0.0), rng.choice(["VIP", "grow"], CUSTOMERS)
    run_folder.write_table(folder / "runs" / run_folder.PLANS / "spring-2020.parquet", plan)
    summary = {"campaign": "spring 2020", "as_of": str(DAY), "chosen": CUSTOMERS, "holdout": int((~treated).sum())}
    summary["offers"] = [{"offer": "voucher", "save_rate": 0.1}]
    run_folder.write_json(folder / "runs" / run_folder.PLANS / "spring-2020.json", summary)
    run_folder.write_json(folder / "runs" / run_folder.PLAN_SUMMARY, summary)
    (folder / "stayworth.toml").write_text(TOML)
    return folder


@pytest.fixture
def read(made):
    def run(**changes):
        how = dict.fromkeys(("campaign_name", "plan_file", "scores_file", "day", "until", "contacts"))
        config = load(made / "stayworth.toml")
        return read_out(config, now=datetime(2021, 1, 1, tzinfo=UTC), say=lambda _: None, **(how | changes))

    return run


@pytest.fixture
def told(read):
    return read()


def test_the_known_effect_is_found(made, told):
    plan = pq.read_table(made / "runs" / "plans" / "spring-2020.parquet").to_pandas()
    true = SAVE_RATE * plan.loc[plan["treated"], "churn_probability"].mean()
    assert told["stayed"]["low"] <= true <= told["stayed"]["high"]
    assert told["proven"] == {"stayed": True, "profit": True}
    assert told["adjusted_for"] == ["churn_probability", "expected_orders", "expected_value", "clv"]
    assert told["cost"] == pytest.approx(COST * told["treated"])


def test_what_it_compares_is_what_the_orders_of_the_window_say(made, told):
    """The oracle is SQL over the log: orders, margin at 50 %, and who ordered at all, of the treated."""
    sums = duckdb.sql(f"""
        select count(distinct o.customer_id), count(distinct (o.customer_id, ordered_at)), sum(o.amount) * 0.5
        from '{made}/runs/plans/spring-2020.parquet' p left join '{made}/orders.parquet' o
          on p.customer_id = o.customer_id and ordered_at >= '2020-01-01' and ordered_at < '2020-03-31'
        where treated and amount is not null""").fetchall()[0]
    for name, total in zip(("stayed", "orders", "margin"), sums, strict=True):
        assert told[name]["treated"] * told["treated"] == pytest.approx(float(total), abs=0.5)


def test_the_next_plan_finds_the_measured_save_rate_and_a_rerun_counts_once(made, read):
    first, again = read(), read()
    assert first == again
    believed = measured_save_rates(made / "runs")["voucher"]
    mean = believed.alpha / (believed.alpha + believed.beta)
    assert 0.1 < mean < first["save_rates"]["voucher"]["measured"]
    assert first["save_rates"]["voucher"]["measured"] == pytest.approx(SAVE_RATE, abs=0.12)


def test_the_margin_of_the_window_says_what_keeping_is_worth(made, read):
    """A kept customer orders 1.8 times in the window, and the plan's gains are worth four orders, whose root is 2."""
    first, again = read()["worth_factor"], read()["worth_factor"]
    assert first == again
    assert (first["before"]["median"], first["before"]["readouts"], first["after"]["readouts"]) == (CENTRE, 0, 1)
    assert believed_worth_factor(made / "runs").median == first["after"]["median"]
    assert first["after"]["median"] == pytest.approx(CENTRE, abs=0.15)
    assert first["after"]["times_scored"] == pytest.approx(first["after"]["median"] / CENTRE)
    assert f"The next plan takes gains × {first['after']['times_scored']:.2f}." in read()["in_words"][-1]


def test_what_it_records_is_the_plan_beside_the_orders(made, read):
    """The means that the belief rests on, computed again from the plan's file."""
    told = read()
    entry = json.loads((made / "runs" / SAVE_RATES).read_text())["voucher"]["margins"]["spring 2020"]
    plan = pq.read_table(made / "runs" / "plans" / "spring-2020.parquet").to_pandas().query("treated")
    order = plan["savable_probability"] * plan["expected_value"] / plan["expected_orders"]
    assert entry["gain"] == pytest.approx(plan["gain"].mean() / CENTRE)
    assert entry["order_margin"] == pytest.approx(order.mean())
    assert (entry["effect"], entry["sd"]) == (told["margin"]["value"], told["margin"]["sd"])


@pytest.mark.parametrize("sd", [0, -1, None, "much"])
def test_damaged_measurements_are_one_clear_error(made, read, tmp_path, sd):
    read()
    content = json.loads((made / "runs" / SAVE_RATES).read_text())
    content["voucher"]["margins"]["spring 2020"]["sd"] = sd
    (tmp_path / SAVE_RATES).write_text(json.dumps(content))
    with pytest.raises(InputError, match="is damaged") as caught:
        believed_worth_factor(tmp_path)
    assert "Delete it and read the campaigns out again" in str(caught.value)


def test_it_is_written_whole_and_said(made, told, capsys):
    written = json.loads((made / "runs" / "readout-spring-2020.json").read_text())
    assert written == json.loads(json.dumps({name: told[name] for name in told if name != "written"}))
    assert not list((made / "runs").rglob("*.draft"))
    show_readout(told)
    out = " ".join(capsys.readouterr().out.split())
    for sentence in told["in_words"]:
        assert sentence in out
    assert "Save rate of voucher: measured" in out


def test_booked_contacts_replace_planned_costs_and_the_list_stays_as_drawn(made, read):
    plan = pq.read_table(made / "runs" / "plans" / "spring-2020.parquet").to_pandas()
    reached = plan[plan["treated"]].iloc[100:].assign(cost=2.0)
    strays = plan[~plan["treated"]].iloc[:7].assign(treated=True, cost=2.0)
    told = read(contacts=pd.concat([reached, strays])[["customer_id", "treated", "cost"]])
    assert told["cost"] == pytest.approx(2.0 * len(reached))
    assert told["contacts"]["treated_but_not_contacted"] == 100
    assert told["contacts"]["held_out_but_contacted"] == 7
    assert told["contacts"]["cost_of_held_out"] == 14.0
    assert told["stayed"] == read()["stayed"]


def test_without_the_scores_it_adjusts_for_the_window_before(made, read, tmp_path):
    plan = pq.read_table(made / "runs" / "plans" / "spring-2020.parquet").to_pandas()
    run_folder.write_table(tmp_path / "plan.parquet", plan[["customer_id", "offer", "treated", "expected_cost"]])
    summary = json.loads((made / "runs" / "plan.json").read_text())
    run_folder.write_json(tmp_path / "plan.json", summary | {"campaign": "no scores"})
    told = read(plan_file=tmp_path / "plan.parquet")
    assert told["adjusted_for"] == ["past_orders", "past_margin"]
    assert told["save_rates"] == told["worth_factor"] == {}
    assert not isnan(told["stayed"]["low"])


def test_a_lost_part_of_the_holdout_is_caught(made, read, tmp_path):
    plan = pq.read_table(made / "runs" / "plans" / "spring-2020.parquet").to_pandas()
    lost = plan[~plan["treated"]].index[:200]
    run_folder.write_table(tmp_path / "plan.parquet", plan.drop(lost))
    (tmp_path / "plan.json").write_text((made / "runs" / "plan.json").read_text())
    with pytest.raises(Refusal, match=r"600 of 3,800 customers are in the holdout, 15.8% instead of the planned 20.0%"):
        read(plan_file=tmp_path / "plan.parquet")


def test_half_a_campaign_is_not_read_out_by_accident(read):
    with pytest.raises(Refusal, match=r"ends on 2020-06-30, the orders end before 2020-04-06\n.*Wait for 85 more days"):
        read(day=DAY + timedelta(days=91))
    early = read(until=DAY + timedelta(days=30))
    assert early["window_days"] == 30
    assert early["save_rates"] == early["worth_factor"] == {}


def test_what_is_no_campaign_is_one_clear_error(made, read, tmp_path):
    with pytest.raises(InputError, match="is not a valid campaign name"):
        read(campaign_name="../etc")
    with pytest.raises(InputError, match=r"'autumn' was kept; kept are: 'spring 2020'\n.*Plan first"):
        read(campaign_name="autumn")
    plan = pq.read_table(made / "runs" / "plans" / "spring-2020.parquet").to_pandas()
    (tmp_path / "plan.json").write_text((made / "runs" / "plan.json").read_text())
    run_folder.write_table(tmp_path / "plan.parquet", plan.assign(treated=True))
    with pytest.raises(Refusal, match="none of the 4,000 chosen customers was held out"):
        read(plan_file=tmp_path / "plan.parquet")
    run_folder.write_table(tmp_path / "plan.parquet", pd.concat([plan, plan.head(3)]))
    with pytest.raises(InputError, match="3 of 4,003 rows have the customer_id of an earlier row"):
        read(plan_file=tmp_path / "plan.parquet")
