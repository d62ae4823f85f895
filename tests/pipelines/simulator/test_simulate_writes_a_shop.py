"""A made-up shop is written as any shop's files: the same for the same numbers, in whatever parts, whole or not."""

import hashlib
import json
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from features.errors import InputError
from features.ingest.build_histories import ingest
from pipelines.commands import simulate as simulate_cli
from pipelines.config import load
from pipelines.simulate import simulate
from pipelines.simulator import parameters
from pipelines.simulator.scenario import Scenario

SHOP = Scenario(customers=600, days=500, seed=3, as_of=date(2025, 1, 1))
TABLES = ("orders", "interactions", "costs", "truth")


def write(folder, shop=SHOP, chunk_size=250):
    return simulate(folder, shop, chunk_size=chunk_size, say=lambda _: None)


def rows(folder, table, customers=SHOP.customers):
    """A table's rows of the first customers, in an order of their own."""
    found = duckdb.sql(f"from '{folder}/{table}/*.parquet' where customer_id < '{customers:08d}' order by all")
    return found.to_arrow_table()


def digests(folder):
    return {str(one.relative_to(folder)): hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*.*")}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop") / "new"
    write(folder)
    return folder


@pytest.fixture(scope="module")
def taken_in(written):
    return ingest(load(written / "stayworth.toml").log, now_us=None)


def test_the_same_numbers_are_the_same_bytes(written, tmp_path):
    write(tmp_path / "again")
    assert digests(tmp_path / "again") == digests(written)


def test_neither_parts_nor_other_customers_change_a_customer(written, tmp_path):
    write(tmp_path / "parts", chunk_size=64)
    write(tmp_path / "more", replace(SHOP, customers=900), chunk_size=500)
    for table in TABLES:
        expected = rows(written, table)
        assert len(expected)
        assert rows(tmp_path / "parts", table).equals(expected)
        assert rows(tmp_path / "more", table).equals(expected)


def test_another_seed_is_another_shop(written, tmp_path):
    write(tmp_path / "other", replace(SHOP, seed=4))
    mine, other = (rows(folder, "truth")["responsive"] for folder in (written, tmp_path / "other"))
    assert abs(np.corrcoef(mine, other)[0, 1]) < 0.2


def test_every_row_is_accepted_or_netted(written, taken_in):
    sums = duckdb.sql(f"""
        select count(*) filter (amount > 0), count(*) filter (amount < 0), round(100 * sum(amount))::bigint
        from '{written}/orders/*.parquet'""").fetchall()[0]
    source, accepted, netted, *rest = taken_in.account.orders
    assert len(taken_in.quarantine) == 0
    assert (accepted.rows, netted.rows) == sums[:2]
    assert round(100 * (accepted.amount + netted.amount)) == sums[2] == round(100 * source.amount)
    assert not any(one.rows for one in rest)


def test_everybody_has_ordered_and_keeps_his_zeros(written, taken_in):
    assert taken_in.histories.customers == SHOP.customers
    ids = pq.read_table(written / "customers.parquet")["customer_id"].to_pylist()
    assert ids == [f"{number:08d}" for number in range(SHOP.customers)] == taken_in.histories.customer_ids.to_pylist()


def test_nothing_was_known_before_it_happened_nor_is_from_the_day_on(written):
    day = "timestamptz '2025-01-01 00:00:00+00'"
    found = duckdb.sql(f"""
        select count(*) filter (recorded_at is not null), count(*) filter (recorded_at < ordered_at),
               count(*) filter (greatest(ordered_at, coalesce(recorded_at, ordered_at)) >= {day}), count(*)
        from '{written}/orders/*.parquet'""").fetchall()[0]
    assert found[1:3] == (0, 0)
    assert 0 < found[0] < 0.03 * found[3]
    assert duckdb.sql(f"select max(t.at) < {day} from '{written}/interactions/*.parquet' as t").fetchall()[0][0]


def test_the_truth_shows_in_the_log(written):
    """Visits fade with cooling, and the gone pay none; responsive customers open more mail."""
    found = duckdb.sql(f"""
        with did as (
            select customer_id, count(*) filter (kind = 'email_open') as opens,
                   count(*) filter (kind = 'visit' and "at" >= timestamptz '2024-12-01 00:00:00+00') as visits
            from '{written}/interactions/*.parquet' group by all)
        select stage, avg(visits), corr(opens, responsive) from '{written}/truth/*.parquet' join did using (customer_id)
        group by stage""").fetchall()
    visits = {stage: visits for stage, visits, _ in found}
    assert visits["engaged"] > 2 * visits["cooling"] > 4 * visits["gone"]
    assert all(corr > 0.1 for _, _, corr in found)


def test_the_config_holds_what_the_shop_knows(written):
    config = load(written / "stayworth.toml")
    assert config.time.horizon_days == parameters.HORIZON_DAYS
    assert [offer.name for offer in config.offers] == [offer.name for offer in parameters.OFFERS]
    assert "truth" not in config.model_dump_json()


def test_costs_are_of_each_order_and_each_call_for_help(written):
    found = duckdb.sql(f"""
        select (select count(distinct order_id) from '{written}/orders/*.parquet'),
               (select count(*) from '{written}/interactions/*.parquet' where kind in ('complaint', 'support_ticket'))
        """).fetchall()[0]
    booked = duckdb.sql(f"select kind, count(*) from '{written}/costs/*.parquet' group by kind order by kind")
    assert booked.fetchall() == [("delivery", found[0]), ("service", found[1])]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(InputError, match=r"not empty\n  Name a new folder with -o"):
        write(tmp_path / "mine")
    assert [one.name for one in tmp_path.rglob("*")] == ["mine", "notes.txt"]
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty", replace(SHOP, customers=3))
    assert (tmp_path / "empty" / "stayworth.toml").exists()


def test_what_is_cut_short_leaves_nothing(tmp_path):
    def stop(_):
        if stop.calls:
            raise KeyboardInterrupt
        stop.calls = 1

    stop.calls = 0
    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path / "new", SHOP, chunk_size=100, say=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"customers": 0}, "--customers: 0 is not from 1 to 99,999,999"),
        ({"days": 40_000}, "--days: 40,000 is not from 1"),
        ({"seed": -1}, "--seed: -1 is not from 0"),
    ],
)
def test_a_shop_that_cannot_be_is_refused(tmp_path, wrong, says):
    with pytest.raises(InputError) as caught:
        write(tmp_path / "new", replace(SHOP, **wrong))
    assert str(caught.value).startswith(says)
    assert not (tmp_path / "new").exists()


def test_the_command_says_what_it_wrote(tmp_path):
    app = typer.Typer()
    app.command()(simulate_cli.simulate)
    how = ["-o", str(tmp_path / "new"), "--customers", "40", "--days", "100", "--json"]
    done = CliRunner().invoke(app, how)
    told = json.loads(done.stdout)
    assert told["customers"] == 40
    assert told["orders"] == duckdb.sql(f"select count(*) from '{tmp_path}/new/orders/*.parquet'").fetchall()[0][0]
    wrong = CliRunner().invoke(app, ["-o", str(tmp_path / "other")])
    assert isinstance(wrong.exception, InputError)
    assert "--continue FOLDER is needed" in str(wrong.exception)
