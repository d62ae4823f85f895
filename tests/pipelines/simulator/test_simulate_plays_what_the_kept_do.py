"""What kept customers do next is the shop's secret: its files are the same until a campaign keeps somebody."""

import json
from dataclasses import replace
from datetime import date

import duckdb
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.errors import InputError
from pipelines import run_folder
from pipelines.commands import simulate as simulate_cli
from pipelines.simulate import CAMPAIGN_TRUTH, continue_simulation, simulate
from pipelines.simulator.parameters import ANOTHER_FUTURE, FRESH_START, KEPT, ONE_ORDER
from pipelines.simulator.scenario import Scenario

SHOP = Scenario(customers=1500, days=500, seed=3, as_of=date(2025, 1, 1))
HOW = {"chunk_size": 1000, "say": lambda _: None}


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """By story: the shop, and the same a horizon later, vouchers sent to nine in ten."""
    home = tmp_path_factory.mktemp("stories")
    for story in KEPT:
        simulate(home / story, replace(SHOP, kept=story), **HOW)
        ids = pd.read_parquet(home / story / "truth")["customer_id"]
        frame = pd.DataFrame({"customer_id": ids, "offer": "voucher", "segment": "all", "expected_cost": 1.0})
        plan = home / "plans" / f"{story}.parquet"
        run_folder.write_table(plan, frame.assign(treated=frame.index % 10 > 0))
        run_folder.write_json(
            plan.with_suffix(".json"),
            {"campaign": "spring", "as_of": "2025-01-01", "chosen": len(ids), "holdout": len(ids) // 10},
        )
        continue_simulation(home / story, plan, home / f"{story}-after", **HOW)
    return home


@pytest.mark.parametrize("story", [ONE_ORDER, FRESH_START])
def test_the_shop_does_not_show_it_before_a_campaign(shops, story):
    for file in ("stayworth.toml", "customers.parquet", *(f"{name}/part-0001.parquet" for name in ("orders", "costs"))):
        assert (shops / story / file).read_bytes() == (shops / ANOTHER_FUTURE / file).read_bytes()
    assert json.loads((shops / story / "shop.json").read_text())["kept"] == story
    assert "kept" not in json.loads((shops / ANOTHER_FUTURE / "shop.json").read_text())
    true, usual = (pd.read_parquet(shops / name / "truth") for name in (story, ANOTHER_FUTURE))
    differ = [name for name in true if not true[name].equals(usual[name])]
    assert differ == ["kept_value", "gain", "profit_voucher", "profit_call"]
    assert (true["gain"].sum() > usual["gain"].sum()) == (story == FRESH_START)


@pytest.mark.parametrize("story", KEPT)
def test_the_same_customers_are_kept_and_do_as_the_story_says(shops, story):
    told, usual = (
        json.loads((shops / f"{name}-after" / CAMPAIGN_TRUTH).read_text()) for name in (story, ANOTHER_FUTURE)
    )
    assert 10 < told["kept"] == usual["kept"]
    assert (told["orders"] == told["kept"]) == (story == ONE_ORDER)
    more = duckdb.sql(f"""
        select count(distinct order_id), count(distinct customer_id) from '{shops}/{story}-after/orders/*.parquet'
        where order_id like '%-k%'""").fetchall()[0]
    assert more[0] == pytest.approx(told["orders"], abs=3), "but for those not known in time"
    assert more[1] == pytest.approx(told["kept"], abs=3)


def test_the_truth_goes_on_from_what_they_did(shops):
    """After one order more they are in the stage that they would have been in anyway."""
    stages = {
        name: pd.read_parquet(shops / f"{name}-after" / "truth").set_index("customer_id")["stage"] for name in KEPT
    }
    cooled = {name: int((stage == "engaged").sum()) for name, stage in stages.items()}
    assert cooled[ONE_ORDER] < cooled[ANOTHER_FUTURE] < cooled[FRESH_START]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kept": "two-orders"}, "--kept: kept customers do not do 'two-orders'"),
        ({"kept": ONE_ORDER, "world_name": "contract"}, "--kept: under a contract customers are kept until"),
    ],
)
def test_what_cannot_be_is_one_error(tmp_path, changes, says):
    with pytest.raises(InputError) as caught:
        simulate(tmp_path / "shop", replace(SHOP, **changes), **HOW)
    assert str(caught.value).startswith(says)
    assert not (tmp_path / "shop").exists()


def test_the_command_takes_a_story_and_help_describes_each(tmp_path):
    app = typer.Typer()
    app.command()(simulate_cli.simulate)
    how = ["-o", str(tmp_path / "new"), "--customers", "40", "--kept", "one-order", "--json"]
    assert CliRunner().invoke(app, how).exit_code == 0
    assert json.loads((tmp_path / "new" / "shop.json").read_text())["kept"] == "one-order"
    words = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "3000"}).stdout
    assert all(f"{name} ({text})" in words for name, text in KEPT.items())
