"""Spark and one machine give the same: every cell, every row set aside, every cent, every refusal.

The slow tests run Spark; the others run its tasks in this process, with any number of buckets, in any order.
"""

import json
import random
import shutil
import sys
from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.clock import microseconds
from features.errors import InputError
from features.ingest import sources
from features.ingest.build_histories import histories_of, ingest
from features.ingest.log import Log
from features.ingest.reading import reading
from features.ingest.reconciliation import quarantine, reconcile
from features.large_logs import partitions
from features.large_logs.merge import merge_buckets, merge_partitions
from features.large_logs.spark import stage_snapshot
from features.snapshots.snapshot import feature_columns, snapshot, snapshot_chunks

DAYS = [date(2020, 3, 1), date(2020, 7, 1)]
FEW = ["recency_days"]
"""Features of the tests that look at customers, not at features: fewer are compiled sooner."""


def in_this_process(log, *, staging, buckets, as_of=DAYS, known_at=None, before_us=None, now_us=None, features=None):
    """What Spark does, without Spark: its tasks one after the other, what they send arriving in any order."""
    log = sources.with_styles(log)
    sent = [
        message
        for piece in partitions.partitions_of(log)
        for batch in partitions.split_partition(log, piece, buckets=buckets, now_us=now_us, before_us=before_us)
        for message in batch.to_pylist()
    ]
    random.Random(buckets).shuffle(sent)
    about = [(one["name"], one["rows"]) for one in sent if one["bucket"] == partitions.ABOUT]
    whole, schemas = merge_partitions(log, about, scratch=staging)
    names = features or feature_columns(whole, as_of=as_of, known_at=known_at)
    given = {"schemas": schemas, "kinds": whole.kinds, "staging": staging}
    given |= {"now_us": now_us, "before_us": before_us}
    given["rows"] = partial(snapshot_chunks, as_of=as_of, known_at=known_at, features=names)
    by_bucket = [[one for one in sent if one["bucket"] == bucket] for bucket in range(buckets)]
    done = [
        json.loads(json.dumps(partitions.write_bucket(log, messages, **given))) for messages in by_bucket if messages
    ]
    return merge_buckets(whole, names, done, staging=staging)


def by_spark(log, *, staging, as_of=DAYS, known_at=None, before_us=None):
    """Spark on this machine with two workers."""
    pytest.importorskip("pyspark", reason="needs the extra [spark]")
    if not shutil.which("java"):
        pytest.skip("needs Java")
    when = {"as_of": as_of, "known_at": known_at, "before_us": before_us, "now_us": None}
    return stage_snapshot(log, features=None, staging=staging, master="local[2]", **when)


def assert_equal(staged, log, *, as_of=DAYS, known_at=None, before_us=None, features=None):
    """Every cell, every row set aside and every cent as on one machine, whatever the order of the rows."""
    with reading(log, now_us=None, before_us=before_us) as opened:
        histories, tally = histories_of(opened, "usable_orders", "usable_interactions")
        account, set_aside = reconcile(opened.counted(), tally), pa.concat_tables(quarantine(opened))
    expected = snapshot(histories, as_of=as_of, known_at=known_at, features=features)
    rows = pa.concat_tables(staged.rows()).sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
    assert rows.column_names == expected.column_names
    pd.testing.assert_frame_equal(rows.to_pandas(), expected.to_pandas(), check_exact=True)
    assert staged.account == account
    keys = [("file", "ascending"), ("row", "ascending"), ("reason", "ascending")]
    assert pa.concat_tables(staged.quarantine()).sort_by(keys).equals(set_aside.sort_by(keys))
    assert (staged.first_day, staged.end) == (histories.first_day, histories.end)


WHEN = [
    {"as_of": DAYS},
    {"as_of": DAYS, "known_at": date(2020, 2, 10)},
    {"as_of": DAYS[:1], "known_at": date(2020, 4, 1), "before_us": microseconds(DAYS[0])},
]
"""Known at the time, known before it, and with what became known since."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A shop with everything: CSV and Parquet that overlap, late and broken rows, interactions, customers who left."""
    folder, rng = tmp_path_factory.mktemp("shop"), np.random.default_rng(3)
    n, people = 6000, 400
    at = np.datetime64("2020-01-01") + rng.integers(0, 250 * 86400, n).astype("timedelta64[s]")
    at[rng.random(n) < 0.2] = np.datetime64("2020-05-05T12:00")
    amount = np.round(rng.lognormal(3, 1, n), 2) * np.where(rng.random(n) < 0.1, -1, 1)
    orders = pd.DataFrame(
        {
            "client": [f"{one:05d}" for one in rng.integers(0, people, n)],
            "ordered_at": pd.Series(at.astype("datetime64[us]")).astype(str),
            "amount": [f"{one:.2f}" for one in amount],
            "order_id": rng.integers(0, n // 2, n).astype(str),
            "product_id": rng.choice(["tea", "pot, blue", 'cup "small"', "FEE"], n),
            "category": rng.choice(["a", "b", ""], n),
            "quantity": rng.integers(1, 9, n).astype(str),
            "channel": rng.choice(["shop", "web", "app", ""], n),
            "recorded_at": (pd.Series(at) + pd.to_timedelta(rng.integers(0, 40, n), "D")).astype(str),
        }
    )
    for column, wrong in {"client": "", "ordered_at": "soon", "amount": "much", "recorded_at": "later"}.items():
        orders.loc[rng.random(n) < 0.01, column] = wrong
    (folder / "orders").mkdir()
    orders[:2500].to_csv(folder / "orders" / "a.csv", index=False)
    orders[2000:4000].to_csv(folder / "orders" / "b.csv", index=False, sep=";")
    with (folder / "orders" / "b.csv").open("a") as file:
        file.write("00001;2020-02-02\n" + orders[:1].to_csv(index=False, header=False, sep=";"))
    pq.write_table(
        pa.Table.from_pandas(orders[3900:].drop(columns="category")),
        folder / "orders" / "c.parquet",
        row_group_size=700,
    )
    m = 5000
    seen = np.datetime64("2019-12-01") + rng.integers(0, 300 * 86400, m).astype("timedelta64[s]")
    kinds = rng.choice(["Visit", "visit", "complaint", "e-mail open", "survey_score"], m, p=[0.4, 0.3, 0.1, 0.1, 0.1])
    kinds[(seen > np.datetime64("2020-08-01")) & (rng.random(m) < 0.3)] = "new kind"
    visits = pd.DataFrame(
        {
            "customer_id": rng.integers(0, people * 2, m),
            "at": seen.astype("datetime64[us]"),
            "kind": kinds,
            "value": np.where(kinds == "survey_score", rng.integers(0, 11, m), np.nan),
            "recorded_at": seen.astype("datetime64[us]") + np.timedelta64(3, "D"),
        }
    )
    visits["customer_id"] = visits["customer_id"].map("{:05d}".format)
    visits.to_parquet(folder / "visits.parquet", index=False)
    ids = [f"{one:05d}" for one in range(0, people * 2, 3)]
    customers = pd.DataFrame({"customer_id": ids, "age": rng.integers(18, 90, len(ids))})
    customers["town"] = np.resize(["x", "y"], len(ids))
    gone = np.datetime64("2020-02-01") + rng.integers(0, 300, len(ids)).astype("timedelta64[D]")
    customers["left_at"] = pd.Series(gone).mask(rng.random(len(ids)) < 0.4)
    customers.loc[7, "customer_id"] = ""
    customers.to_csv(folder / "customers.csv", index=False)
    return Log(
        str(folder / "orders"),
        currency="USD",
        gross_margin=0.4,
        interactions=str(folder / "visits.parquet"),
        customers=str(folder / "customers.csv"),
        attributes=("age", "town"),
        mapping={
            "orders": {"customer_id": "client", "recorded_at": "recorded_at"},
            "interactions": {"recorded_at": "recorded_at"},
        },
        timezone="Europe/London",
        exclude_products=("fee",),
    )


@pytest.fixture(scope="session")
def retail(shared):
    """Online Retail II, read as docs/examples/online_retail_ii.toml reads it."""
    return Log(
        shared / "online_retail_ii" / "transactions.parquet",
        currency="GBP",
        gross_margin=0.4,
        mapping={"orders": {"ordered_at": "ts", "source": "sheet"}},
        timezone="Europe/London",
        exclude_products=("TEST%", "AMAZONFEE", "BANK CHARGES"),
    )


@pytest.mark.slow
@pytest.mark.parametrize("when", WHEN)
def test_spark_gives_what_one_machine_gives_a_shop_with_everything(shop, tmp_path, when):
    staged = by_spark(shop, staging=tmp_path, **when)
    assert len(staged.parts) >= 4
    assert_equal(staged, shop, **when)


@pytest.mark.slow
def test_spark_gives_what_one_machine_gives_cdnow(cdnow_path, tmp_path):
    log, days = Log(cdnow_path, currency="USD", gross_margin=0.4, timezone="UTC"), [date(1997, 6, 1), date(1998, 1, 1)]
    assert_equal(by_spark(log, as_of=days, staging=tmp_path), log, as_of=days)


@pytest.mark.slow
def test_spark_gives_what_one_machine_gives_online_retail(retail, tmp_path):
    days = [date(2010, 9, 10), date(2011, 9, 10)]
    assert_equal(by_spark(retail, as_of=days, staging=tmp_path), retail, as_of=days)


@pytest.mark.slow
def test_what_a_task_refuses_reaches_the_user_in_its_own_words(shop, tmp_path):
    log = Log(shop.orders, currency="USD", gross_margin=0.4, mapping=shop.mapping)
    with pytest.raises(InputError, match="times in ordered_at carry no zone"):
        by_spark(log, staging=tmp_path)


@pytest.mark.parametrize(
    ("buckets", "when"),
    [
        (12, WHEN[0]),
        (3, WHEN[1]),
        pytest.param(1, WHEN[0], marks=pytest.mark.slow),
        pytest.param(12, WHEN[2], marks=pytest.mark.slow),
    ],
)
def test_the_number_of_buckets_and_pieces_does_not_matter(shop, tmp_path, monkeypatch, buckets, when):
    monkeypatch.setattr(partitions, "PARTITION_ROWS", 1000)
    monkeypatch.setattr(partitions, "BATCH_ROWS", 1500)
    staged = in_this_process(shop, staging=tmp_path, buckets=buckets, **when)
    assert_equal(staged, shop, **when)


def test_pieces_cover_every_row_once_in_whole_row_groups(shop, monkeypatch):
    monkeypatch.setattr(partitions, "PARTITION_ROWS", 1000)
    spans = [(one.first, one.last) for one in partitions.partitions_of(shop) if one.file.endswith("c.parquet")]
    assert spans == [(1, 700), (701, 1400), (1401, 2100)]


def test_ids_are_one_customer_whatever_type_a_table_gives_them(tmp_path):
    rows = pd.DataFrame({"customer_id": [7.0, 7.0, 8.0], "ordered_at": ["2020-01-01", "2020-02-01", "2020-02-01"]})
    rows["ordered_at"] = pd.to_datetime(rows["ordered_at"], utc=True)
    rows.assign(amount=[1.0, 2.0, 3.0]).to_parquet(tmp_path / "orders.parquet")
    pd.DataFrame({"customer_id": ["7", "8"], "at": rows["ordered_at"][:2], "kind": "visit"}).to_parquet(
        tmp_path / "visits.parquet"
    )
    log = Log(
        tmp_path / "orders.parquet", currency="USD", gross_margin=0.4, interactions=str(tmp_path / "visits.parquet")
    )
    staged = in_this_process(log, staging=tmp_path, buckets=64, features=FEW)
    assert_equal(staged, log, features=FEW)


REFUSED = {
    "most times unreadable": "customer_id,ordered_at,amount\na,2020-01-01,1\nb,soon,2\nc,later,3\n",
    "no rows": "customer_id,ordered_at,amount\n",
    "no row is an order": "customer_id,ordered_at,amount\na,2020-01-01,-1\nb,2020-01-01,-2\n",
    "a column is missing": "customer_id,amount\na,1\n",
    "another currency": "customer_id,ordered_at,amount,currency\na,2020-01-01,1,USD\na,2020-01-02,1,EUR\n",
    "the future": "customer_id,ordered_at,amount\na,2020-01-01,1\na,2030-01-02,1\n",
    "two columns of one name": "customer_id,ordered_at,amount,amount\na,2020-01-01,1,1\n",
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_log_is_refused_in_the_words_of_one_machine(tmp_path, why):
    (tmp_path / "orders.csv").write_text(REFUSED[why])
    log = Log(tmp_path / "orders.csv", currency="USD", gross_margin=0.4, timezone="UTC")
    now_us = 1_600_000_000_000_000
    with pytest.raises(InputError) as alone:
        ingest(log, now_us=now_us)
    with pytest.raises(InputError) as spread:
        in_this_process(log, staging=tmp_path, now_us=now_us, buckets=4)
    assert str(spread.value) == str(alone.value)


def test_a_file_that_is_mostly_unreadable_is_no_reason_to_refuse_a_log_that_is_not(tmp_path):
    (tmp_path / "a.csv").write_text("customer_id,ordered_at,amount\na,soon,1\nb,soon,2\n")
    (tmp_path / "b.csv").write_text("customer_id,ordered_at,amount\na,2020-01-01,1\nb,2020-01-02,2\nc,2020-01-03,3\n")
    log = Log(str(tmp_path / "*.csv"), currency="USD", gross_margin=0.4, timezone="UTC")
    staged = in_this_process(log, staging=tmp_path, buckets=4, features=FEW)
    assert_equal(staged, log, features=FEW)


def test_files_whose_columns_differ_in_type_are_refused(tmp_path):
    for name, amounts in {"a": [1.5], "b": ["1.5"]}.items():
        pd.DataFrame({"customer_id": ["x"], "ordered_at": ["2020-01-01"], "amount": amounts}).to_parquet(
            tmp_path / f"{name}.parquet"
        )
    log = Log(tmp_path, currency="USD", gross_margin=0.4, timezone="UTC")
    with pytest.raises(
        InputError,
        match=r"column amount is VARCHAR, but DOUBLE in the files before\n  Give all",
    ):
        in_this_process(log, staging=tmp_path, buckets=4)


def test_spark_reads_files_only(cdnow_path):
    for source in ("postgresql://ann@127.0.0.1/shop#orders", pd.read_parquet(cdnow_path)):
        with pytest.raises(InputError, match="read from files only"):
            partitions.partitions_of(Log(source, currency="USD", gross_margin=0.4))


def test_without_pyspark_the_message_says_what_to_install(cdnow_path, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    log = Log(cdnow_path, currency="USD", gross_margin=0.4, timezone="UTC")
    with pytest.raises(InputError, match=r"pip install 'stayworth\[spark\]'"):
        stage_snapshot(log, as_of=DAYS, known_at=None, features=None, staging=tmp_path, master="local[2]", now_us=None)
