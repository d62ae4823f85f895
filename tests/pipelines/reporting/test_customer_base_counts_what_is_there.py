"""The customer base of a shop with all tables: counts and money equal SQL over the files, nobody gone is in it."""

from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import InputError
from models.prediction import NUMBERS
from pipelines import run_folder
from pipelines.batches import ledger
from pipelines.batches.staged_scores import SCHEMA
from pipelines.config import load
from pipelines.reporting.report_data import customer_base
from tests.shops import config_of

AS_OF = date(2021, 6, 1)
NOW = datetime(2021, 9, 1, tzinfo=UTC)
TABLES = """
interactions = "events.csv"
customers = "people.csv"
treatments = "treatments.csv"
costs = "costs.csv"
"""
REPORT = '[report]\ntiers = {Gold = 500, Silver = 100}\ninvoluntary = ["moved"]\nsurvey_range = [1, 5]\n'


def drawn(count, rng, **columns):
    days = pd.to_timedelta(rng.integers(0, 600 * 24, count), unit="h")
    return pd.DataFrame({"customer_id": [f"c{one:03d}" for one in rng.integers(0, 80, count)], **columns}).assign(
        at=(pd.Timestamp("2020-01-01") + days).strftime("%Y-%m-%dT%H:%M:%SZ")
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(4)
    orders = drawn(
        900, rng, amount=np.round(rng.normal(30, 20, 900), 2), product_id=rng.integers(0, 20, 900).astype(str)
    )
    orders["order_id"] = [f"o{one}" for one in rng.integers(0, 1_000_000, 900)]
    orders.rename(columns={"at": "ordered_at"}).to_csv(folder / "orders.csv", index=False)
    drawn(300, rng, kind="visit").to_csv(folder / "events.csv", index=False)
    drawn(200, rng, kind="service", amount=np.round(rng.gamma(2, 3, 200), 2)).to_csv(folder / "costs.csv", index=False)
    contacts = drawn(60, rng, campaign="spring", offer="voucher", treated=True).drop_duplicates("customer_id")
    contacts.to_csv(folder / "treatments.csv", index=False)
    ids = [f"c{one:03d}" for one in range(85)]
    people = pd.DataFrame({"customer_id": ids, "joined_at": "2020-01-01", "left_at": None, "left_reason": None})
    people.loc[:9, ["left_at", "left_reason"]] = ["2021-03-01", "moved"]
    people.to_csv(folder / "people.csv", index=False)
    (folder / "stayworth.toml").write_text(config_of("orders.csv", data=TABLES, more=REPORT))
    known = sorted(set(orders.loc[(orders["at"] < str(AS_OF)) & (orders["amount"] > 0), "customer_id"]) - set(ids[:10]))
    config = load(folder / "stayworth.toml")
    for day in (AS_OF - timedelta(days=90), AS_OF):
        scores = pd.DataFrame({"customer_id": known, "as_of": pd.Timestamp(day), "horizon_days": 90})
        for name in NUMBERS:
            scores[name] = rng.random(len(known))
        scores["next_order_at"] = pd.Timestamp(day) + pd.Timedelta(days=9)
        scores = scores.assign(segment="grow", reason_1=None, reason_2=None, reason_3=None, model_version="m")
        scores.to_parquet(folder / f"scores-{day}.parquet")
    run_folder.write_table(config.folder / run_folder.SCORES, scores)
    return config, known


@pytest.fixture(scope="module")
def base(shop):
    return customer_base(shop[0], now=NOW)


def sql(shop, query):
    return duckdb.sql(query.format(folder=shop[0].home)).fetchall()


def test_every_scored_customer_is_in_it_once(shop, base):
    assert base.customers["customer_id"].tolist() == shop[1]
    assert base.customers.index.tolist() == list(range(len(shop[1])))
    assert base.customers["churn_probability"].notna().all()


def test_money_equals_sql_over_the_file(shop, base):
    year = sql(
        shop,
        "select customer_id, sum(amount), sum(amount) filter (ordered_at >= '2020-06-01T00:00:00Z'), min(amount) "
        "from read_csv('{folder}/orders.csv') where ordered_at < '2021-06-01T00:00:00Z' group by 1",
    )
    told = {one[0]: one[1:] for one in year}
    for row in base.customers.itertuples():
        assert row.net_sales == pytest.approx(told[row.customer_id][0], abs=1e-6)
        if told[row.customer_id][2] > 0:  # a refund counts on the day of its order
            assert row.sales_year == pytest.approx(told[row.customer_id][1] or 0, abs=1e-6)
        assert row.margin == pytest.approx(0.4 * row.net_sales, abs=0.02)
        assert row.gross - row.refunded == pytest.approx(row.net_sales, abs=1e-6)


def test_costs_contacts_and_interactions_are_those_of_its_customers_before_the_day(shop, base):
    ids = ", ".join(f"'{one}'" for one in shop[1])
    for name, frame in (("costs", base.costs), ("events", base.interactions), ("treatments", base.treatments)):
        query = (
            "select count(*) from read_csv('{folder}/"
            + name
            + ".csv') t where t.at < TIMESTAMPTZ '2021-06-01T00:00:00Z' "
        )
        assert len(frame) == sql(shop, query + f"and customer_id in ({ids})")[0][0]
        assert frame["customer"].between(0, len(shop[1]) - 1).all()
    booked = base.costs.groupby("customer")["amount"].sum().reindex(base.customers.index, fill_value=0)
    assert base.customers["cost_to_serve"].to_numpy() == pytest.approx(booked.to_numpy())


def test_who_has_left_is_apart_with_his_reason(base):
    assert set(base.former["customer_id"]) <= {f"c{one:03d}" for one in range(10)}
    assert len(base.former) > 5
    assert set(base.former["left_reason"]) == {"moved"}
    assert not set(base.former["customer_id"]) & set(base.customers["customer_id"])
    prospects = base.people[base.people["customer"] < 0]["customer_id"]
    assert {f"c{one:03d}" for one in range(80, 85)} <= set(prospects)


def test_settings_come_from_the_config(base):
    assert list(base.tiers) == ["Silver", "Gold"]
    assert base.involuntary == {"moved"}
    assert base.survey_range == (1, 5)


def test_the_batch_before_is_the_last_of_an_earlier_day(shop, base):
    assert base.earlier is None
    config = shop[0]
    day = AS_OF - timedelta(days=90)
    rows = pd.read_parquet(config.home / f"scores-{day}.parquet")
    ledger.keep(
        config.folder,
        [pa.Table.from_pandas(rows, preserve_index=False).cast(SCHEMA)],
        as_of=day,
        model_version="m",
        horizon_days=90,
        scored_at=NOW,
        data_end=AS_OF,
        totals={},
    )
    earlier = customer_base(config, now=NOW).earlier
    assert earlier.as_of == day
    assert earlier.scores["clv"].tolist() == pytest.approx(rows["clv"].tolist(), rel=1e-9, abs=1e-9)


def test_a_shop_without_scores_says_which_command_makes_them(tmp_path):
    (tmp_path / "orders.csv").write_text("customer_id,ordered_at,amount\n1,2020-01-01,5\n")
    (tmp_path / "stayworth.toml").write_text(config_of("orders.csv"))
    with pytest.raises(InputError, match="Score first"):
        customer_base(load(tmp_path / "stayworth.toml"), now=NOW)
