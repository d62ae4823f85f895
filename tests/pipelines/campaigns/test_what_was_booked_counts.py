"""Treatments and costs in the config: `init` names them, `check` accounts for them, `plan` and `readout` go by them."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.ingest.table_source import Files
from pipelines import run_folder
from pipelines.campaigns.treatments import read_treatments, treatments_if_any
from pipelines.check import check
from pipelines.cli import main
from pipelines.config import load
from pipelines.init import first_config
from pipelines.plan import make_plan
from pipelines.screens.check import show_check
from pipelines.screens.readout import show_readout
from pipelines.training.serving_costs import read_costs
from tests.shops import VOUCHER, config_of

DAY, COUNT = date(2020, 1, 1), 300
NOW = datetime(2021, 1, 1, tzinfo=UTC)
IDS = [f"{i:04d}" for i in range(COUNT)]
BOOKS = f"""
[plan]
holdout_share = 0.2
quiet_days = 30
{VOUCHER}
"""


@pytest.fixture
def shop(tmp_path):
    """Writes a config with these keys under [data], beside orders of all customers before DAY and after it."""
    rng = np.random.default_rng(1)
    days = np.concatenate([-rng.integers(1, 400, COUNT), rng.integers(0, 120, COUNT // 2)])
    orders = pd.DataFrame({"customer_id": [*IDS, *IDS[::2]], "amount": rng.integers(5, 90, len(days)).astype(float)})
    orders["ordered_at"] = pd.Timestamp(DAY) + pd.to_timedelta(days, unit="D")
    orders.to_parquet(tmp_path / "orders.parquet")

    def write(**keys):
        text = config_of("orders.parquet", more=BOOKS)
        named = "\n".join(f'{key} = "{where}"' for key, where in keys.items())
        (tmp_path / "stayworth.toml").write_text(text.replace("[time]", f"{named}\n[time]", 1))
        return load(tmp_path / "stayworth.toml")

    return write


def scored(config, *, day=DAY):
    """Give a config scores of all customers."""
    value = np.random.default_rng(4).lognormal(3, 1, COUNT)
    scores = {"customer_id": IDS, "as_of": pd.Timestamp(day), "horizon_days": 90, "churn_probability": 0.6}
    scores |= {"expected_orders": 2.0, "expected_value": value, "value_p10": value / 4, "value_p90": value * 2}
    scores |= {"clv": value * 3, "clv_p10": value * 0.75, "clv_p90": value * 6}
    scores |= {"savable_probability": 0.6, "gain": value * 1.8, "next_order_at": pd.Timestamp(day)}
    scores |= {"segment": "grow", "reason_1": "x", "reason_2": "y", "reason_3": None}
    run_folder.write_table(config.folder / run_folder.SCORES, pd.DataFrame(scores | {"model_version": "abc"}))
    return config


def planned(config, campaign, *, budget=300.0, outputs=()):
    how = {"capacity": None, "offer_names": (), "outputs": list(outputs)}
    return make_plan(config, budget=budget, campaign=campaign, **how).frame


def booked(config, plan, *, campaign, at="2020-01-03", **columns):
    """Book a plan as it was drawn."""
    rows = plan[["customer_id", "offer", "treated"]].assign(at=at, campaign=campaign, **columns)
    rows.to_csv(config.home / "treatments.csv", index=False)
    return rows


def ran(monkeypatch, capsys, *words):
    """What a command prints, which ends well."""
    monkeypatch.setattr("sys.argv", ["stayworth", *words])
    with pytest.raises(SystemExit) as caught:
        main()
    out, error = capsys.readouterr()
    assert not caught.value.code, error
    return out


def test_init_names_the_tables_and_the_keys_work_once_uncommented(shop, tmp_path):
    shop()
    text = first_config(str(tmp_path / "orders.parquet"), config_folder=tmp_path).text
    for table in ("treatments", "costs"):
        assert re.search(rf'^# {table} = "', text, flags=re.MULTILINE)
        text = text.replace(f"# {table} = ", f"{table} = ")
    (tmp_path / "stayworth.toml").write_text(text)
    config = load(tmp_path / "stayworth.toml")
    assert config.log.books == {table: Files(str(tmp_path / f"{table}.csv")) for table in ("treatments", "costs")}
    assert not config.log.books.keys() & config.log.tables.keys()


def test_columns_of_theirs_are_mapped_and_unknown_ones_refused(shop, tmp_path):
    config = shop(costs="costs.csv")
    (tmp_path / "costs.csv").write_text("customer_id,at,kind,Betrag\n00123,2020-01-01,service,1.10\n")
    file = tmp_path / "stayworth.toml"
    text = file.read_text()
    file.write_text(text + '[columns.costs]\namount = "Betrag"\n')
    (row,) = read_costs(load(file), now=NOW).to_dict("records")
    day = pd.Timestamp("2020-01-01", tz="UTC")
    assert row == {"customer_id": "00123", "at": day, "kind": "service", "amount": 1.1, "recorded_at": day}
    file.write_text(text + '[columns.costs]\namoun = "Betrag"\n')
    with pytest.raises(InputError, match="'amoun' is not a column of costs; did you mean 'amount'"):
        load(file)
    assert treatments_if_any(config, now=NOW) is None
    with pytest.raises(InputError, match=r"\[data\] treatments: the config names no treatments\n.*campaign, offer"):
        read_treatments(config, now=NOW)


def test_check_accounts_for_both_and_keeps_what_it_set_aside(shop, tmp_path, capsys):
    config = shop(treatments="treatments.csv", costs="costs/*.csv")
    booked(config, pd.DataFrame({"customer_id": IDS, "offer": "voucher", "treated": "yes"}), campaign="c", cost="0.25")
    with (tmp_path / "treatments.csv").open("a") as file:
        file.write("x,voucher,maybe,2020-01-03,c,0.25\n")
    (tmp_path / "costs").mkdir()
    (tmp_path / "costs" / "1.csv").write_text(
        "customer_id,at,kind,amount\na,2020-01-01,service,2.50\n,2020-01-01,s,1\n"
    )
    told = check(config, now=NOW)
    assert told["treatments"] == [
        {"what": "source", "rows": COUNT + 1, "amount": "75.25"},
        {"what": "accepted", "rows": COUNT, "amount": "75"},
        {"what": "quarantined: treated is neither yes nor no", "rows": 1, "amount": "0.25"},
    ]
    assert [one["rows"] for one in told["costs"]] == [2, 1, 1, 0]
    for table, reason in (("treatments", "treated is neither yes nor no"), ("costs", "no customer_id")):
        assert pq.read_table(config.folder / f"quarantine-{table}.parquet")["reason"].to_pylist() == [reason]
    show_check(told)
    out = capsys.readouterr().out
    assert "treatments" in out
    assert "quarantined: no customer_id" in out
    plain = check(shop(), now=NOW)
    assert plain["treatments"] == plain["costs"] == []
    assert [(one["code"], one["table"]) for one in told["warnings"]] == [("tables_do_not_join", "costs")]
    others = told.keys() - {"treatments", "costs", "warnings"}
    assert {name: told[name] for name in others} == {name: plain[name] for name in others}


def test_a_table_that_cannot_be_used_stops_check_before_it_writes(shop):
    config = shop(treatments="treatments.csv")
    with pytest.raises(InputError, match="no such file"):
        check(config, now=NOW)
    assert not config.folder.exists()


def test_a_plan_leaves_alone_whom_a_campaign_contacted_in_fact(shop):
    config = scored(shop(treatments="treatments.csv"))
    (config.home / "treatments.csv").write_text("customer_id,at,campaign,offer,treated\n")
    first = planned(config, "spring", budget=100.0)
    treated = first.loc[first["treated"], "customer_id"].tolist()
    config = scored(config, day=DAY + timedelta(days=10))
    assert not set(planned(config, "summer", budget=9999.0)["customer_id"]) & set(treated), "planned, so left alone"
    sent = first[first["customer_id"].isin(treated[:5])]
    booked(config, sent, campaign="spring")
    summer = set(planned(config, "summer", budget=9999.0)["customer_id"])
    assert not summer & set(treated[:5]), "contacted, so left alone"
    assert set(treated[5:]) <= summer, "never contacted, so open"
    (config.folder / run_folder.PLANS / "summer.json").unlink()
    again = planned(config, "spring", budget=9999.0)
    assert set(treated) <= set(again["customer_id"]), "a campaign does not stand in its own way"


def test_a_plan_is_not_written_over_the_bookings(shop):
    config = scored(shop(treatments="treatments.csv"))
    (config.home / "treatments.csv").write_text("customer_id,at,campaign,offer,treated\n")
    with pytest.raises(InputError, match="is one of the log's own files"):
        planned(config, "spring", outputs=[config.home / "treatments.csv"])


def test_a_readout_takes_the_booked_contacts_of_its_campaign(shop, monkeypatch, capsys):
    config = scored(shop(treatments="treatments.csv"))
    (config.home / "treatments.csv").write_text("customer_id,at,campaign,offer,treated,cost\n")
    plan = planned(config, "spring", budget=9999.0)
    monkeypatch.chdir(config.home)
    words = ["readout", "--campaign", "spring", "--json"]
    told = json.loads(ran(monkeypatch, capsys, *words))
    assert told["contacts"] == {"cost": "as planned", "note": "nothing is booked for 'spring'; booked are: none"}

    rows = booked(config, plan, campaign="spring", cost=np.where(plan["treated"], "1.50", ""))
    stranger = rows.head(1).assign(customer_id="stranger", treated=True, cost="4")
    reminder = rows[rows["treated"]].head(1).assign(at="2020-01-09", cost="0.25", offer="call")
    late = rows[~rows["treated"]].head(2).assign(treated=True, offer="call", cost="3")
    other = rows[rows["treated"]].head(7).assign(campaign="autumn", cost="100")
    missed = rows["customer_id"].isin(rows.loc[rows["treated"], "customer_id"].tail(3))
    rows.loc[rows["customer_id"] == rows.loc[rows["treated"], "customer_id"].iloc[1], "offer"] = "call"
    pd.concat([rows[~missed], stranger, reminder, late, other]).to_csv("treatments.csv", index=False)
    told = json.loads(ran(monkeypatch, capsys, *words))
    contacted = int(plan["treated"].sum()) - 3
    assert told["cost"] == pytest.approx(1.5 * contacted + 0.25)
    assert told["contacts"] == {
        "cost": "as booked",
        "treated_but_not_contacted": 3,
        "held_out_but_contacted": 2,
        "cost_of_held_out": 6.0,
        "contacted_but_not_chosen": 1,
        "cost_of_not_chosen": 4.0,
        "contacted_with_another_offer": 1,
    }
    assert (told["treated"], told["holdout"]) == (plan["treated"].sum(), (~plan["treated"]).sum()), "as drawn"
    show_readout(told)
    assert "3 planned contacts were not made, 2 held-out customers were contacted" in " ".join(
        capsys.readouterr().out.split()
    )


def test_a_campaign_booked_under_another_spelling_is_asked_about(shop, monkeypatch, capsys):
    config = scored(shop(treatments="treatments.csv"))
    (config.home / "treatments.csv").write_text("customer_id,at,campaign,offer,treated\n")
    booked(config, planned(config, "spring 2020", budget=9999.0), campaign="Spring-2020")
    monkeypatch.chdir(config.home)
    told = json.loads(ran(monkeypatch, capsys, "readout", "--json"))
    assert told["contacts"]["note"] == "nothing is booked for 'spring 2020'; did you mean 'Spring-2020'?"
    assert Path(told["written"]).exists()
