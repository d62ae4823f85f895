"""A campaign that no plan was kept of is read out of the table of treatments alone, as it would be with a plan."""

import json
import shutil
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import InputError, Refusal
from pipelines import run_folder
from pipelines.campaigns.save_rates import measured_save_rates
from pipelines.config import load
from pipelines.readout import read_out
from tests.pipelines.campaigns.test_readout_measures_a_campaign import DAY, made  # noqa: F401  (a fixture)

OPTIONS = dict.fromkeys(("plan_file", "scores_file", "day", "until"))
BOOKED_AT = "2020-01-01 09:00"


@pytest.fixture
def shop(made, tmp_path):  # noqa: F811
    """The shop with its orders and config, without a plan; and the plan that was made elsewhere."""
    for name in ("orders.parquet", "stayworth.toml"):
        shutil.copy(made / name, tmp_path / name)
    plan = pq.read_table(made / "runs" / "plans" / "spring-2020.parquet").to_pandas()
    return tmp_path, plan


def booked(plan, **changes):
    """Treatments as they are read from the table."""
    rows = plan[["customer_id", "offer", "treated"]].assign(campaign="winter mail", at=BOOKED_AT, cost=1.25)
    rows = rows.assign(**changes)
    return rows.assign(at=pd.to_datetime(rows["at"], utc=True), cost=rows["cost"].where(rows["treated"]))


def read(folder, treatments, *, name="winter mail", **changes):
    config = load(folder / "stayworth.toml")
    options = OPTIONS | {"campaign_name": name, "contacts": treatments} | changes
    return read_out(config, now=datetime(2021, 1, 1, tzinfo=UTC), say=lambda _: None, **options)


def written(folder):
    """The files there, but for the log as it was read."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and "histories" not in path.parts)


def test_the_effects_are_those_of_a_plan_with_the_same_arms(shop):
    folder, plan = shop
    result = read(folder, booked(plan))
    listed = plan[["customer_id", "offer", "treated"]].assign(expected_cost=np.where(plan["treated"], 1.25, 0.0))
    run_folder.write_table(folder / "elsewhere.parquet", listed)
    run_folder.write_json(folder / "elsewhere.json", {"campaign": "elsewhere", "as_of": str(DAY)})
    planned = read(folder, None, name=None, plan_file=folder / "elsewhere.parquet")
    for name in ("day", "until", "treated", "holdout", "stayed", "orders", "margin", "cost", "profit", "proven"):
        assert result[name] == planned[name], name
    assert result["adjusted_for"] == ["past_orders", "past_margin"]
    assert result["sample_ratio"] == {"planned": None, "p_value": None}
    assert "drawn at random is not checked" in result["contacts"]["note"]
    assert result["save_rates"] == {}
    assert "The save rate cannot be told" in result["in_words"][-1]
    assert json.loads((folder / "runs" / "readout-winter-mail.json").read_text())["in_words"] == result["in_words"]


def test_scores_of_the_day_tell_the_save_rate(shop):
    folder, plan = shop
    scores = plan.assign(as_of=pd.Timestamp(DAY), horizon_days=90).drop(columns=["offer", "treated", "expected_cost"])
    run_folder.write_table(folder / "then.parquet", scores)
    result = read(folder, booked(plan), scores_file=folder / "then.parquet")
    assert result["adjusted_for"] == ["churn_probability", "expected_orders", "expected_value", "clv"]
    assert result["save_rates"]["voucher"]["measured"] == pytest.approx(0.3, abs=0.12), "the rate the shop was made of"
    assert set(measured_save_rates(folder / "runs")) == {"voucher"}
    assert not any("cannot be told: it is a share" in sentence for sentence in result["in_words"])


def test_a_customer_with_several_contacts_counts_once_with_all_their_costs(shop):
    folder, plan = shop
    again = booked(plan[plan["treated"]].head(100), at="2020-01-20", cost=2.0)
    twice = read(folder, pd.concat([booked(plan), again], ignore_index=True))
    once = read(folder, booked(plan))
    assert twice["treated"] == once["treated"]
    assert twice["stayed"] == once["stayed"]
    assert twice["cost"] == pytest.approx(once["cost"] + 200.0)


def test_contacts_of_another_year_are_another_wave(shop):
    folder, plan = shop
    earlier = booked(plan.tail(200), at="2019-06-01", treated=True)
    both = pd.concat([earlier, booked(plan)], ignore_index=True)
    assert read(folder, both, day=DAY)["stayed"] == read(folder, booked(plan))["stayed"]
    with pytest.raises(Refusal, match=r"of 200 customers .* all were contacted and nobody was held out"):
        read(folder, both)
    with pytest.raises(InputError, match=r"none of its 4,000 rows .* is from 2018-01-01 to before 2018-04-01"):
        read(folder, booked(plan), day=date(2018, 1, 1))


def test_offers_with_other_shares_held_out_are_compared_each_with_its_own(shop):
    """Else the arms would differ in whom they hold: the letter goes to likelier leavers, and few are held out of it."""
    folder, plan = shop
    loyal = plan["churn_probability"] < plan["churn_probability"].median()
    treated = np.random.default_rng(3).random(len(plan)) < np.where(loyal, 0.5, 0.9)
    rows = booked(plan.assign(offer=np.where(loyal, "card", "letter"), treated=treated))
    result = read(folder, rows)
    assert result["adjusted_for"] == ["past_orders", "past_margin", "offer: letter"]
    assert result["stayed"]["low"] < 0 < result["stayed"]["high"]
    assert {group["offer"] for group in result["by_offer"]} == {"card", "letter"}


def test_costs_that_were_not_booked_are_named(shop):
    folder, plan = shop
    result = read(folder, booked(plan, cost=float("nan")))
    assert result["cost"] == 0
    assert f"the cost of {result['treated']:,} contacts was not booked and counts as 0" in result["contacts"]["note"]


def test_customers_who_never_ordered_before_are_left_out(shop):
    """Those of them who ordered since would be in the log, the others not: no comparison."""
    folder, plan = shop
    new = booked(plan.head(30).assign(customer_id=[f"new {number}" for number in range(30)]))
    result = read(folder, pd.concat([booked(plan), new], ignore_index=True))
    assert result["stayed"] == read(folder, booked(plan))["stayed"]
    assert result["not_in_the_log"] == 30
    assert "30 booked customers without an order before the campaign left out" in result["contacts"]["note"]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"treated": True}, Refusal, "of 4,000 customers .* nobody was held out.*\n.*book them in the table too"),
        ({"treated": False}, Refusal, "of 4,000 customers .* nobody was contacted"),
        ({"customer_id": "other"}, Refusal, "of 1 customer in"),
    ],
)
def test_an_empty_arm_is_refused_and_nothing_written(shop, changes, error, message):
    folder, plan = shop
    with pytest.raises(error, match=message):
        read(folder, booked(plan, **changes))
    assert written(folder / "runs") == []


def test_the_table_of_another_shop_is_refused_and_nothing_written(shop):
    folder, plan = shop
    with pytest.raises(InputError, match=r"none of its 4,000 customers has an order before 2020-01-01\n.*another shop"):
        read(folder, booked(plan.assign(customer_id="b" + plan["customer_id"])))
    assert written(folder / "runs") == []


def test_the_command_reads_the_table_and_knows_the_names(shop, stayworth, monkeypatch):
    folder, plan = shop
    rows = booked(plan)
    rows.assign(at=BOOKED_AT).to_csv(folder / "treatments.csv", index=False)
    config = folder / "stayworth.toml"
    config.write_text(config.read_text().replace("[time]", 'treatments = "treatments.csv"\n[time]', 1))
    monkeypatch.chdir(folder)
    code, out, error = stayworth("readout", "--campaign", "winter mail", "--json")
    assert code == 0, error
    assert json.loads(out)["stayed"] == read(folder, rows)["stayed"]
    code, _, error = stayworth("readout", "--campaign", "winter male")
    assert code == 2
    assert "no plan of the campaign 'winter male' was kept" in error
    assert "read out of the table of treatments, by its name there" in " ".join(error.split())
