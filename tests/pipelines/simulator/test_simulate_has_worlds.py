"""Each world's shop is written as the standard one, which worlds have not changed, and shows what sets it apart."""

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from features.clock import DAY, microseconds
from features.errors import InputError
from features.histories.contract_ends import count_leaving
from features.ingest.build_histories import ingest
from pipelines import run_folder
from pipelines.commands import simulate as simulate_cli
from pipelines.config import load
from pipelines.simulate import CAMPAIGN_TRUTH, continue_simulation, simulate
from pipelines.simulator import parameters
from pipelines.simulator.buying import orders
from pipelines.simulator.contract_payments import survival
from pipelines.simulator.lifetimes import COOLING, ENGAGED
from pipelines.simulator.scenario import Scenario, customer_chunk
from pipelines.simulator.worlds import WORLDS

SHOP = Scenario(customers=600, days=500, seed=3, as_of=date(2025, 1, 1))
CONTRACT = replace(SHOP, customers=2500, world_name="contract")
STANDARD_LOG = (9422, 45_333_886, 23_087, 580_137_979_254_481)
"""Order lines and their cents; interactions, and the last digits of the sum of their microseconds."""
STANDARD_TRUTH = (272.997349628149, 219968.50002430126, 163170.42146701412)
"""Sums of the probability of leaving, CLV and kept value; written before the other worlds were."""
LATE_DAYS = parameters.LATE_DAYS[1]
"""A payment of the last days may not be known yet."""
SAID = {"chunk_size": 1000, "say": lambda _: None}


def ask(text):
    return duckdb.sql(text).fetchall()


def write(folder, shop):
    simulate(folder, shop, **SAID)
    return folder


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    return write(tmp_path_factory.mktemp("shops") / "contract", CONTRACT)


@pytest.fixture(scope="module")
def continued(contract):
    """The contract shop a horizon later: its living customers called, a fifth held out; and the same with nobody."""
    true = pd.read_parquet(contract / "truth").query("alive")
    offered = np.where(np.arange(len(true)) % 2 == 0, "call", "voucher")
    frame = pd.DataFrame({"customer_id": true["customer_id"], "offer": offered}).assign(
        segment="all", expected_cost=1.0
    )
    for name in ("spring", "nobody"):
        treated = (np.arange(len(frame)) % 5 > 0) & (name == "spring")
        summary = {"campaign": name, "as_of": "2025-01-01", "chosen": len(frame), "holdout": int((~treated).sum())}
        run_folder.write_table(contract.parent / "plans" / f"{name}.parquet", frame.assign(treated=treated))
        run_folder.write_json(contract.parent / "plans" / f"{name}.json", summary)
        plan = contract.parent / "plans" / f"{name}.parquet"
        continue_simulation(contract, plan, contract.parent / name, **SAID)
    return contract.parent


def test_the_standard_world_is_the_shop_that_simulate_wrote_before_there_were_others(tmp_path):
    folder = write(tmp_path / "shop", SHOP)
    orders, amount = ask(f"select count(*), round(100 * sum(amount))::bigint from '{folder}/orders/*.parquet'")[0]
    happened, at = ask(f"select count(*), sum(epoch_us(t.at)::hugeint) from '{folder}/interactions/*.parquet' as t")[0]
    assert (orders, amount, happened, at % 10**15) == STANDARD_LOG
    true = ask(f"select sum(churn_probability), sum(clv), sum(kept_value) from '{folder}/truth/*.parquet'")[0]
    assert true == pytest.approx(STANDARD_TRUTH, rel=1e-9)
    assert json.loads((folder / "shop.json").read_text()).keys() == {
        "world", "campaign", "customers", "days", "seed", "as_of"
    }  # fmt: skip
    assert "World" not in (folder / "stayworth.toml").read_text()


@pytest.mark.parametrize("name", WORLDS)
def test_every_world_has_a_config_and_a_truth_for_everybody(tmp_path, name):
    folder = write(tmp_path / "shop", replace(SHOP, customers=200, world_name=name))
    taken = ingest(load(folder / "stayworth.toml").log, now_us=None)
    assert taken.histories.customers == 200
    assert len(taken.quarantine) == 0
    assert taken.histories.contractual == (name == "contract")
    true = pd.read_parquet(folder / "truth")
    assert len(true) == 200
    assert true.notna().all(axis=None)
    assert true["churn_probability"].between(0, 1).all()


def test_an_unknown_world_is_one_error_that_names_them_all(tmp_path):
    with pytest.raises(InputError) as caught:
        write(tmp_path / "shop", replace(SHOP, world_name="no-season"))
    assert str(caught.value) == (
        "--world: there is no world 'no-season'\n  The worlds are standard, wide-rates, slow-cooling, no-cooling, "
        "rare-orders, strong-season, contract."
    )
    assert not (tmp_path / "shop").exists()


def test_the_command_takes_a_world_and_help_describes_each(tmp_path):
    app = typer.Typer()
    app.command()(simulate_cli.simulate)
    how = ["-o", str(tmp_path / "new"), "--customers", "40", "--world", "rare-orders", "--json"]
    assert json.loads(CliRunner().invoke(app, how).stdout)["world"] == "rare-orders"
    assert json.loads((tmp_path / "new" / "shop.json").read_text())["world_name"] == "rare-orders"
    words = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "3000"}).stdout
    assert all(f"{world.name} ({world.words})" in words for world in WORLDS.values())


def customers_of(name, customers=20_000):
    shop = Scenario(customers=customers, days=730, seed=5, as_of=date(2025, 1, 1), world_name=name)
    return shop, customer_chunk(shop, np.arange(customers))


def test_a_strong_season_moves_monthly_orders_by_60_percent():
    """Orders a month over those of the same lifetimes in a world without season; first orders left aside."""
    shop, everyone = customers_of("strong-season")
    lived = everyone.lifetimes.ended(shop.day)
    placed = orders(everyone.customers, lived, seed=shop.seed)
    months = np.arange(shop.day - 365, shop.day + 1, 365 / 12)
    at = placed.at[placed.at > lived.start[placed.lifetime]]
    rate, expected = everyone.customers.ordering, []
    for a, b in pairwise(months):
        ends = (lived.cooled, np.minimum(lived.gone, lived.until))
        engaged, alive = (np.clip(np.minimum(end, b) - np.maximum(lived.start, a), 0, None) for end in ends)
        expected.append((rate * (engaged + parameters.COOL_ORDERS * (alive - engaged))).sum())
    swing = np.histogram(at, months)[0] / expected
    assert swing.max() == pytest.approx(1.6, abs=0.03)
    assert swing.min() == pytest.approx(0.4, abs=0.03)
    assert (np.argmax(swing), np.argmin(swing)) == (11, 5)
    assert swing.mean() == pytest.approx(1, abs=0.01)


def test_cooling_is_slow_or_absent_where_the_world_says_so():
    shares = {}
    for name in ("standard", "slow-cooling", "no-cooling"):
        shop, everyone = customers_of(name, 4000)
        stage = everyone.lifetimes.stage(shop.day)
        shares[name] = (stage == COOLING).mean() / (stage == ENGAGED).mean()
    assert shares["slow-cooling"] > 2 * shares["standard"] > 0
    assert shares["no-cooling"] == 0


def test_rates_are_spread_twice_as_wide_and_orders_four_times_as_rare():
    gaps, spreads = {}, {}
    for name in ("standard", "wide-rates", "rare-orders"):
        _, everyone = customers_of(name)
        each = everyone.customers.ordering * everyone.customers.of_kind("days_between_orders")
        gaps[name], spreads[name] = 1 / everyone.customers.ordering.mean(), each.std()
    assert gaps["rare-orders"] == pytest.approx(4 * gaps["standard"])
    assert gaps["wide-rates"] == pytest.approx(gaps["standard"], rel=0.03)
    assert spreads["wide-rates"] == pytest.approx(2 * spreads["standard"], rel=0.05)


def test_under_a_contract_payments_come_monthly_and_end_with_it(contract):
    rows = ask(f"""
        select epoch_us(min(joined_at)), epoch_us(any_value(left_at)), epoch_us(min(ordered_at)),
               epoch_us(max(ordered_at)), count(distinct order_id), min(amount)
        from '{contract}/orders/*.parquet' join '{contract}/customers.parquet' using (customer_id)
        group by customer_id""")
    assert len(rows) == CONTRACT.customers
    month, end = parameters.SEASON_YEAR / 12 * DAY, microseconds(CONTRACT.as_of)
    for joined, left, first, last, payments, least in rows:
        assert first == joined
        assert least > 0
        until = end if left is None else left
        assert last <= until <= end
        assert last - first == pytest.approx((payments - 1) * month, abs=2)
        assert until - last <= month + LATE_DAYS * DAY


def test_the_contract_shop_is_read_as_contractual_with_nothing_after_the_end(contract):
    histories = ingest(load(contract / "stayworth.toml").log, now_us=None).histories
    counts = count_leaving(histories)
    true = pd.read_parquet(contract / "truth")
    assert counts.left == (~true["alive"]).sum() > 300
    assert (counts.leave_later, counts.ordered_after, counts.left_before_first_order) == (0, 0, 0)


def test_fewer_leave_the_longer_they_have_stayed_and_more_once_they_cool():
    """Counted by life table, within a stage and between the steps of the risk; and as `survival` says."""
    _, everyone = customers_of("contract", 40_000)
    customers, lived = everyone.customers, everyone.lifetimes
    hazards = []
    for a, b in ((0, 180), (180, 730), (730, 2000)):
        tenure_cooled, tenure_gone = lived.cooled - lived.start, lived.gone - lived.start
        in_stage = np.clip(np.minimum(tenure_gone, b) - np.maximum(tenure_cooled, a), 0, None)
        left = (tenure_gone > tenure_cooled) & (tenure_gone >= a) & (tenure_gone < b)
        hazards.append(left.sum() / (customers.leaving * in_stage).sum())
    assert hazards == pytest.approx([1.8, 1.0, 0.6], rel=0.05)
    new = replace(customers.take(np.arange(5000)), joined=np.zeros(5000))
    after, there = np.full((5000, 1), 90.0), {}
    for stage in (ENGAGED, COOLING):
        on_stage = np.full(5000, stage)
        there[stage] = [survival(new, on_stage, day=day, after=after).mean() for day in (0.0, 400.0, 800.0)]
        assert there[stage] == sorted(there[stage])
    assert np.all(np.array(there[COOLING]) < there[ENGAGED])


def test_a_campaign_adds_the_payments_of_contracts_that_it_saved(continued):
    told = json.loads((continued / "spring" / CAMPAIGN_TRUTH).read_text())
    start, sums = "timestamptz '2025-01-01 00:00:00+00'", {}
    for name in ("nobody", "spring"):
        sums[name] = ask(f"""
            select count(distinct order_id), sum(amount - cost) from '{continued}/{name}/orders/*.parquet'
            where ordered_at >= {start}""")[0]
        late = ask(f"""
            select count(*) from '{continued}/{name}/orders/*.parquet' join '{continued}/{name}/customers.parquet'
            using (customer_id) where ordered_at >= left_at""")
        assert late == [(0,)]
    unknown = 0.02 * told["orders"] + 2  # payments that became known after the window
    assert sums["spring"][0] - sums["nobody"][0] == pytest.approx(told["orders"], abs=unknown)
    assert sums["spring"][1] - sums["nobody"][1] == pytest.approx(told["margin"], rel=0.05)
    assert told["orders"] == pytest.approx(told["expected_orders"], rel=0.5)
    left = [
        {row[0] for row in ask(f"select customer_id from '{continued}/{name}/customers.parquet' where left_at notnull")}
        for name in ("nobody", "spring")
    ]
    assert left[1] < left[0]
    assert len(left[0] - left[1]) == told["kept"] > 10
