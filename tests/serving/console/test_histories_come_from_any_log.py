"""Histories and what-ifs out of logs however they are written; one read at a time, and none of a changed log twice."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd
import pytest

from features.errors import InputError
from features.history_store.open_histories import open_histories
from features.ingest.log import Log
from serving.console import history_reader
from serving.console.customer_events import customer_events
from serving.console.history_reader import Busy, HistoryReader
from serving.console.what_if import with_order

T = TypeVar("T")
TERMS = {"currency": "EUR", "gross_margin": 0.4}
DAY = date(2026, 3, 1)
NO_STORE = Path("nowhere")
ORDERS = pd.DataFrame(
    {
        "customer_id": ["a", "a", "b", "a"],
        "ordered_at": pd.to_datetime(["2026-01-05 10:00", "2026-02-01 12:30", "2026-02-02 00:00", "2026-03-05 00:00"]),
        "amount": [10.0, 20.5, 7.0, 40.0],
    }
)


def run(made: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: a browser of another test may have a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, made).result()


def as_file(folder, kind: str) -> Log:
    """The orders in one of the ways that shops write them."""
    path, how = folder / f"orders.{kind.split()[0]}", TERMS | {"timezone": "UTC"}
    frame = ORDERS.copy()
    if kind == "csv iso":
        frame.to_csv(path, index=False)
    elif kind == "csv format":
        frame["ordered_at"] = frame["ordered_at"].dt.strftime("%d/%m/%Y %H:%M")
        frame.to_csv(path, index=False)
        how["time_format"] = "%d/%m/%Y %H:%M"
    elif kind == "csv zoned":
        frame["ordered_at"] = frame["ordered_at"].dt.strftime("%Y-%m-%dT%H:%M:%S+00:00")
        frame.to_csv(path, index=False)
        how["timezone"] = None
    elif kind == "csv units":
        frame.rename(columns={"amount": "unit_price"}).assign(quantity=1).to_csv(path, index=False)
    elif kind == "parquet zoned":
        frame.assign(ordered_at=frame["ordered_at"].dt.tz_localize("UTC")).to_parquet(path)
        how["timezone"] = None
    elif kind == "parquet day":
        frame.assign(ordered_at=frame["ordered_at"].dt.date).to_parquet(path)
    elif kind == "parquet whole":
        frame.assign(amount=frame["amount"].astype(int), order_id=range(4), quantity=1).to_parquet(path)
    elif kind == "parquet much":
        more = {"order_id": ["1", "2", "3", "4"], "product_id": 7, "cost": 1.5, "discount": 0.0, "channel": "web"}
        frame.assign(**more, currency="EUR", recorded_at=frame["ordered_at"]).to_parquet(path)
        how["mapping"] = {"orders": {"recorded_at": "recorded_at"}}
    elif kind == "parquet berlin":
        frame.to_parquet(path)
        how["timezone"] = "Europe/Berlin"
    else:
        raise AssertionError(kind)
    return Log(str(path), **how)


KINDS = ["csv iso", "csv format", "csv zoned", "csv units", "parquet zoned", "parquet day", "parquet whole"]
KINDS += ["parquet much", "parquet berlin"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_more_is_one_more_order_just_before_the_day(tmp_path, kind):
    log = as_file(tmp_path, kind)
    reader = HistoryReader(log, NO_STORE)
    rows = run(reader.rows("a"))
    before = customer_events(reader.parsed(rows), as_of=DAY)
    after = customer_events(reader.parsed(with_order(log, rows, amount=33.25, as_of=DAY)), as_of=DAY)
    assert len(after) == len(before) + 1 == 4
    more = after[2]
    assert (more.kind, more.amount, more.is_later) == ("order", 33.25, False)
    assert str(more.at.date()) in ("2026-02-28", "2026-02-27")
    assert [one for place, one in enumerate(after) if place != 2][:2] == before[:2]
    assert [one.is_later for one in after] == [False, False, False, True]


@pytest.mark.parametrize("kind", KINDS)
def test_an_order_more_is_the_same_where_the_store_has_the_log(tmp_path, kind):
    log, home = as_file(tmp_path, kind), tmp_path / "histories"
    reader = HistoryReader(log, home)
    rows = run(reader.rows("a"))
    open_histories(log, home=home, now_us=None, memory_bytes=10**9)
    stored = run(HistoryReader(log, home).rows("a"))
    for amount in (33.25, 2):
        before, after = (
            customer_events(reader.parsed(with_order(log, written, amount=amount, as_of=DAY)), as_of=DAY)
            for written in (rows, stored)
        )
        assert after == before
        assert len(after) == 4


@pytest.mark.parametrize("kind", KINDS)
def test_a_log_in_the_store_is_not_read_for_a_customer(tmp_path, monkeypatch, kind):
    log, home = as_file(tmp_path, kind), tmp_path / "runs" / "histories"
    reader = HistoryReader(log, home)
    expected = {one: customer_events(run(reader.history(one)), as_of=DAY) for one in "ab"}
    open_histories(log, home=home, now_us=None, memory_bytes=10**9)
    with monkeypatch.context() as patched:
        patched.setattr(history_reader, "read_customer_rows", None)
        for one in "ab":
            assert customer_events(run(reader.history(one)), as_of=DAY) == expected[one]
        for nobody in ("", "A", "aa", "é"):
            assert run(reader.history(nobody)) is None
    (path,) = log.source("orders").paths()
    frame = pd.read_parquet(path) if kind.startswith("parquet") else pd.read_csv(path)
    frame = frame.iloc[:1]
    frame.to_parquet(path) if kind.startswith("parquet") else frame.to_csv(path, index=False)
    assert len(customer_events(run(reader.history("a")), as_of=DAY)) == 1, "a changed log is read"


def test_rows_of_the_future_are_told_as_the_log_has_them(tmp_path):
    """The store sets them aside on the day it reads; the page shows them as later."""
    log, home = as_file(tmp_path, "csv iso"), tmp_path / "histories"
    others = [ORDERS.iloc[[0]].assign(customer_id=f"c{number}") for number in range(2000)]
    pd.concat([ORDERS, *others]).to_csv(tmp_path / "orders.csv", index=False)
    march = int(pd.Timestamp("2026-03-01").timestamp() * 1_000_000)
    stored = open_histories(log, home=home, now_us=march, memory_bytes=10**9)
    assert stored.histories.columns.starts[:3].tolist() == [0, 2, 3]
    assert len(customer_events(run(HistoryReader(log, home).history("a")), as_of=DAY)) == 3


def test_refunds_and_interactions_are_told_beside_orders(tmp_path):
    orders = pd.concat([ORDERS, ORDERS.iloc[[1]].assign(ordered_at=pd.Timestamp("2026-02-09"), amount=-20.5)])
    visits = pd.DataFrame(
        {"customer_id": ["a", "b"], "at": ["2026-02-03", "2026-02-04"], "kind": "visit", "value": [3, 4]}
    )
    paths = {"orders": tmp_path / "orders.csv", "interactions": tmp_path / "visits.parquet"}
    orders.to_csv(paths["orders"], index=False)
    visits.to_parquet(paths["interactions"])
    reader = HistoryReader(Log(**paths, **TERMS, timezone="UTC"), NO_STORE)
    found = customer_events(reader.parsed(run(reader.rows("a"))), as_of=DAY)
    told = [(one.kind, one.amount, one.total, one.value) for one in found]
    assert told == [
        ("order", 10.0, 10.0, None),
        ("order", 20.5, 30.5, None),
        ("visit", None, None, 3.0),
        ("refund", -20.5, 10.0, None),
        ("order", 40.0, 50.0, None),
    ]


def test_who_is_not_in_the_log_has_no_history(tmp_path):
    log = as_file(tmp_path, "csv iso")
    reader = HistoryReader(log, NO_STORE)
    rows = run(reader.rows("nobody"))
    assert reader.parsed(rows) is None
    with pytest.raises(InputError, match="no rows in the log"):
        with_order(log, rows, amount=1.0, as_of=DAY)


def test_rows_are_read_once_until_the_log_changes(tmp_path, monkeypatch):
    log, read = as_file(tmp_path, "csv iso"), []
    real = history_reader.read_customer_rows
    monkeypatch.setattr(
        history_reader, "read_customer_rows", lambda log, one, stored: read.append(one) or real(log, one, stored)
    )
    reader = HistoryReader(log, NO_STORE)
    for _ in range(3):
        assert run(reader.rows("a"))["orders"].num_rows == 3
    assert read == ["a"]
    ORDERS.iloc[:1].to_csv(tmp_path / "orders.csv", index=False)
    assert run(reader.rows("a"))["orders"].num_rows == 1
    monkeypatch.setattr(history_reader, "CACHED_CUSTOMERS", 2)
    for one in ("b", "c", "d", "b"):
        run(reader.rows(one))
    assert read == ["a", "a", "b", "c", "d", "b"]


def test_one_history_is_read_at_a_time_and_few_wait(tmp_path, monkeypatch):
    at_once, most, free = [], [], threading.Event()

    def slowly(_, one, __):
        at_once.append(one)
        most.append(len(at_once))
        free.wait(10)
        at_once.remove(one)
        return {}

    monkeypatch.setattr(history_reader, "read_customer_rows", slowly)
    reader = HistoryReader(as_file(tmp_path, "csv iso"), NO_STORE)

    async def ask():
        asked = [asyncio.ensure_future(reader.rows(str(one))) for one in range(history_reader.MOST_WAITING + 3)]
        await asyncio.sleep(0.1)
        free.set()
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = run(ask())
    assert [isinstance(one, Busy) for one in answers] == [False] * history_reader.MOST_WAITING + [True] * 3
    assert set(most) == {1}
