"""A campaign contacts nobody it must leave alone, is kept before it is sent, and survives an interruption."""

import json
import signal
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from features.errors import InputError
from pipelines import run_folder
from pipelines.campaigns.save_rates import SAVE_RATES, record_save_rate
from pipelines.cli import main
from pipelines.config import load
from pipelines.plan import make_plan
from retention.measurement.save_rate import MeasuredSaveRate
from tests.scored import scored
from tests.shops import CALL, VOUCHER, config_of

ROOT = Path(__file__).parents[3]
DAY = date(2020, 1, 1)
COUNT = 400


@pytest.fixture
def shop(tmp_path):
    """A config with these rules, whose scores are of this day."""
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\na,2019-01-01,1.00\n")

    def with_rules(rules="", *, save_rate="0.3", day=DAY):
        file = tmp_path / "stayworth.toml"
        plan = f"[plan]\nholdout_share = 0.2\n{rules}\n"
        call = CALL.replace("save_rate = 0.3", f"save_rate = {save_rate}")
        file.write_text(config_of("orders.csv", more=plan + VOUCHER + call))
        config = load(file)
        run_folder.write_table(config.folder / run_folder.SCORES, scored(COUNT, day))
        return config

    return with_rules


def planned(config, *, campaign=None, offers=(), outputs=(), budget=200.0, **more):
    limits = {"budget": budget, "capacity": None, "offer_names": offers, "campaign": campaign}
    return make_plan(config, **limits, outputs=list(outputs), **more)


def test_all_offers_share_one_plan_and_one_name_is_enough_for_one(shop):
    assert set(planned(shop()).frame["offer"]) == {"voucher", "call"}
    assert set(planned(shop(), offers=["call"]).frame["offer"]) == {"call"}
    with pytest.raises(InputError, match="no offer 'cal'; did you mean 'call'"):
        planned(shop(), offers=["cal"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_nobody_on_the_list_is_chosen_and_ids_stay_text(shop, tmp_path, ending):
    ids = [f"{i:04d}" for i in range(0, COUNT, 2)] + ["07", "stranger"]
    run_folder.write_table(tmp_path / f"list.{ending}", pd.DataFrame({"customer_id": ids, "since": "2019"}))
    made = planned(shop(f'do_not_contact = "list.{ending}"'))
    assert not set(made.frame["customer_id"]) & set(ids)
    assert made.summary["excluded"] == {"on the do-not-contact list": {"customers": 200, "unknown": 2}}
    assert len(made.frame) > 20


def test_a_list_that_cannot_be_read_stops_the_plan_and_leaves_the_last(shop, tmp_path):
    planned(shop())
    before = (tmp_path / "runs" / run_folder.PLAN).read_bytes()
    with pytest.raises(InputError, match="no such file"):
        planned(shop('do_not_contact = "list.csv"'))
    (tmp_path / "list.csv").write_text("id\n0001\n")
    with pytest.raises(InputError, match="no column customer_id; found id"):
        planned(shop('do_not_contact = "list.csv"'))
    assert (tmp_path / "runs" / run_folder.PLAN).read_bytes() == before


def test_whom_another_campaign_contacted_lately_is_left_alone_until_the_quiet_days_are_over(shop):
    first = planned(shop("quiet_days = 30"), campaign="spring").frame
    treated, held = (set(first.loc[first["treated"] == one, "customer_id"]) for one in (True, False))
    soon = planned(shop("quiet_days = 30", day=DAY + timedelta(days=29)), budget=9_999.0)
    assert not set(soon.frame["customer_id"]) & treated
    assert set(soon.frame["customer_id"]) & held, "who was held out was not contacted"
    assert soon.summary["excluded"]["contacted within 30 days"]["customers"] == len(treated)
    late = planned(shop("quiet_days = 30", day=DAY + timedelta(days=30)), campaign="late", budget=9_999.0)
    assert set(late.frame["customer_id"]) & treated


def test_the_same_campaign_planned_again_is_the_same_plan(shop):
    config = shop('quiet_days = 30\nsalt = "x"')
    first, again = planned(config), planned(config)
    pd.testing.assert_frame_equal(first.frame, again.frame)
    assert first.summary == again.summary
    assert [one.name for one in (config.folder / run_folder.PLANS).iterdir()].count("campaign-2020-01-01.parquet") == 1
    other = planned(shop('salt = "x"'), campaign="other")
    held = [set(one.frame.loc[~one.frame["treated"], "customer_id"]) for one in (first, other)]
    assert held[0] != held[1]


def test_a_plan_that_cannot_be_read_out_says_so_before_it_is_kept(shop):
    config, said = shop(), []

    def warn(warning):
        said.append(warning)
        assert not (config.folder / run_folder.PLAN).exists()

    made = planned(config, warn=warn)
    assert said == [made.summary["readout_warning"]]
    assert "This plan cannot be read out: with " in said[0]


def test_the_share_held_out_is_the_configs_or_the_one_given_or_the_one_worth_its_cost(shop, stayworth, tmp_path):
    config = shop()
    assert planned(config).summary["holdout_share"] == 0.2
    assert planned(config, holdout=0.5).summary["holdout_share"] == 0.5
    summary = planned(config, holdout="auto").summary
    value = summary["holdout_value"]
    assert summary["holdout_share"] == value["share"]
    assert value["earned_later"] >= value["forgone"]
    assert value["later_campaigns"] == 365 // config.time.horizon_days
    command = ("plan", "--budget", "200", "-c", str(tmp_path / "stayworth.toml"))
    code, out, warned = stayworth(*command, "--holdout", "auto")
    assert (code, "profit forgone by the holdout" in out) == (0, True)
    assert "cannot be read out" in warned
    code, _, refused = stayworth(*command, "--holdout", "some")
    assert (code, "'some' is no share from 0 to 0.5" in refused) == (2, True)
    code, _, refused = stayworth(*command, "--holdout", "0.7")
    assert (code, "a holdout share from 0 to 0.5 is expected" in refused) == (2, True)


def test_two_campaigns_never_share_a_file(shop):
    first = planned(shop(), campaign="spring sale").frame
    with pytest.raises(InputError, match="'spring-sale' would overwrite the plan of the campaign 'spring sale'"):
        planned(shop(), campaign="spring-sale")
    kept = run_folder.read_table(shop().folder / run_folder.PLANS / "spring-sale.parquet", next="")
    assert kept["customer_id"].tolist() == first["customer_id"].tolist()


def test_the_kept_plan_says_who_was_held_out_and_what_was_known_of_each(shop):
    config = shop()
    made = planned(config, campaign="spring 2020")
    kept = pd.read_parquet(config.folder / run_folder.PLANS / "spring-2020.parquet")
    pd.testing.assert_frame_equal(kept[made.frame.columns.tolist()], made.frame, check_dtype=False)
    known = scored(COUNT, DAY).set_index("customer_id").loc[kept["customer_id"]]
    for name in ("churn_probability", "expected_orders", "expected_value", "clv", "segment"):
        assert kept[name].tolist() == known[name].tolist()
    summary = json.loads((config.folder / run_folder.PLANS / "spring-2020.json").read_text())
    assert (summary["campaign"], summary["as_of"]) == ("spring 2020", "2020-01-01")
    assert summary == json.loads((config.folder / run_folder.PLAN_SUMMARY).read_text()) == made.summary


def test_capacities_of_channels_are_kept_and_those_of_none_refused(shop):
    rules = "[plan.capacity]\nphone = 7\nemail = 40"
    made = planned(shop(rules), budget=9_999.0)
    treated = made.frame[made.frame["treated"]]
    assert (treated["offer"] == "call").sum() in (6, 7), "the holdout is rounded"
    assert (treated["offer"] == "voucher").sum() == 40
    assert planned(shop(rules), offers=["call"], budget=9_999.0).summary["capacities"] == {"phone": 7}
    with pytest.raises(InputError, match="a capacity for 'fax', but no offer has such a channel"):
        planned(shop("[plan.capacity]\nfax = 7"))


@pytest.mark.slow
def test_a_measured_save_rate_is_the_one_that_was_read_out(shop):
    config = shop(save_rate='"measured"')
    with pytest.raises(InputError, match=r"1 of 2 offers have a save rate to be measured.*: call"):
        planned(config)
    assert set(planned(config, offers=["voucher"]).frame["offer"]) == {"voucher"}
    believed = record_save_rate(
        config.folder, offer="call", prior=None, campaign="spring", measured=MeasuredSaveRate(0.4, 0.02)
    )
    assert (config.folder / SAVE_RATES).exists()
    told = {one["offer"]: one for one in planned(config).summary["offers"]}
    assert told["call"]["save_rate"] == believed.alpha / (believed.alpha + believed.beta)


def test_people_get_the_reasons_in_words_and_no_formula(shop, tmp_path):
    made = planned(shop(), outputs=[tmp_path / "plan.csv"])
    told = pd.read_csv(tmp_path / "plan.csv", dtype={"customer_id": str})
    assert told.columns.tolist()[: len(made.frame.columns)] == made.frame.columns.tolist()
    first = told.iloc[0]
    known = scored(COUNT, DAY).set_index("customer_id").loc[first["customer_id"]]
    assert first["why"] == (
        f"{known['churn_probability']:.0%} likely to leave within 90 days; worth {known['clv']:,.0f} USD; "
        "=no order for 200 days; few visits"
    )
    assert set(told["do"]) == {"contact", "leave alone: held out to measure the effect"}
    assert set(told["channel"]) == {"email", "phone"}


CUT_SHORT = """
import os, signal, sys
from pathlib import Path
from pipelines import run_folder
from pipelines.config import load
from pipelines.plan import make_plan

signal.signal(signal.SIGINT, signal.default_int_handler)  # which who runs the tests in the background has switched off

class CutShort(run_folder.pq.ParquetWriter):
    def write(self, *given, **named):
        super().write(*given, **named)
        os.kill(os.getpid(), signal.{how})

run_folder.pq.ParquetWriter = CutShort
make_plan(load(Path(sys.argv[1])), budget=50.0, capacity=None, offer_names=(), campaign=None, outputs=[])
"""


@pytest.mark.parametrize("how", ["SIGINT", "SIGKILL"])
def test_a_run_that_is_cut_short_while_it_writes_leaves_the_last_plan(shop, how):
    config = shop()
    planned(config)
    before = {path: path.read_bytes() for path in config.folder.rglob("*") if path.is_file()}
    command = [sys.executable, "-c", CUT_SHORT.replace("{how}", how), str(config.home / "stayworth.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -getattr(signal, how), done.stderr
    after = {path: path.read_bytes() for path in config.folder.rglob("*") if path.is_file()}
    assert {path: content for path, content in after.items() if path.suffix != ".draft"} == before
    assert [path.suffix for path in after.keys() - before.keys()] == ([".draft"] if how == "SIGKILL" else [])


def test_the_command_takes_several_offers_and_tells_all_of_it(shop, monkeypatch, capfd):
    config = shop("quiet_days = 9\n[plan.capacity]\nphone = 5")
    monkeypatch.chdir(config.home)
    words = ["plan", "--budget", "100", "--offer", "call", "--offer", "voucher", "--campaign", "May"]
    for ending in (["--json"], []):
        monkeypatch.setattr(sys, "argv", ["stayworth", *words, *ending])
        with pytest.raises(SystemExit) as caught:
            main()
        assert not caught.value.code
        said = capfd.readouterr().out
        if ending:
            assert json.loads(said)["campaign"] == "May", "nothing but JSON on standard output"
    for word in ("voucher", "call", "smallest save rate the holdout can show", "contacted within 9 days", "May."):
        assert word in said


@pytest.mark.parametrize("name", ["", "../up", "a/b", "x" * 101])
def test_a_name_that_is_no_file_name_is_refused(shop, name):
    with pytest.raises(InputError, match="is not a valid campaign name"):
        planned(shop(), campaign=name)
