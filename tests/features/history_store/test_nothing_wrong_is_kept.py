"""What a stranger found: rows that the store would have read, counted or kept otherwise than a reading of the whole."""

import os
import re
import shutil
import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from features.history_store import append_rows, build_rows, entry, open_histories
from features.ingest.log import Log
from features.ingest.read_options import ReadOptions
from tests.features.history_store.arrivals import TERMS, opened, same

HEAD = "customer_id;ordered_at;amount;cost;order_id\n"
MANY = "".join(
    f"c{number};0{1 + number % 9}.0{1 + number % 8}.2024;{number},50;{number},10;{number}\n" for number in range(40)
)


@pytest.fixture(autouse=True)
def every_share(monkeypatch):
    """New rows are added even if they are about most of the customers."""
    monkeypatch.setattr(append_rows, "LARGEST_SHARE", 2)


def lines(tmp_path, *texts, head=HEAD, read=None, **more):
    """Files of a folder that arrive one after the other; each time the store gives what reading them all gives."""
    log = Log(str(tmp_path / "orders"), **TERMS, read=read or {}, time_format="%d.%m.%Y", **more)
    (tmp_path / "orders").mkdir()
    how = []
    for name, text in zip("abc", texts, strict=False):
        (tmp_path / "orders" / f"{name}.csv").write_text(head + text)
        stored = opened(log, tmp_path / "store")
        how.append(stored.how)
        same(stored, log)
    return how


@pytest.mark.parametrize(
    "row",
    [
        "d;01.02.2024;5,00;1.234,50;x\n",
        "d;01.02.2024;5,00;34,50 €;x\n",
        "d;01.02.2024;2.345,60;1,00;x\n",
        "d;01.02.2024;2345.60;1,00;x\n",
    ],
)
def test_money_written_in_another_way_is_read(tmp_path, row):
    assert lines(tmp_path, MANY + "e;01.01.2024;oops;1,00;y\n", row) == ["made", "made"]


def test_small_amounts_of_a_shop_with_thousands_are_added(tmp_path):
    assert lines(tmp_path, MANY + "e;01.01.2024;1.234,50;1,00;y\n", "d;01.02.2024;5,50;1,00;x\n") == [
        "made",
        "added to",
    ]


@pytest.mark.parametrize(
    ("before", "after"), [("12.0", "12"), ('"=""12"""', "12"), ("12", "12.0"), ("12 NULL", "ann"), ("12", "NULL")]
)
def test_ids_written_in_another_way_are_the_same_ids(tmp_path, before, after):
    lines(tmp_path, *("".join(f"{id_};05.01.2024;5,00;1,00;1\n" for id_ in ids.split()) for ids in (before, after)))


def test_rows_of_one_number_stay_in_the_quarantine(tmp_path):
    """A malformed line and a row without an amount have one number in their file; two tables stand in one file."""
    broken = "c1;05.01.2024;;1,00;x\nc2;05.01.2024;5,00;1,00;y;z;z\nc2;06.01.2024;;1,00;y\n"
    lines(tmp_path, broken + MANY, "c1;07.01.2024;5,00;1,00;x\nc2;07.01.2024;5,00;1,00;x\n")


def test_two_tables_in_one_file_are_kept_apart(tmp_path):
    with sqlite3.connect(tmp_path / "a.sqlite") as db:
        for table, time in (("orders", "ordered_at"), ("visits", "at")):
            rows = pd.DataFrame({"customer_id": ["c", None, "d"], time: ["2024-01-01", "2024-01-02", "2024-01-03"]})
            rows.assign(**({"amount": 5.0} if table == "orders" else {"kind": "web"})).to_sql(table, db, index=False)
    db.close()
    log = Log(f"{tmp_path}/*.sqlite#orders", interactions=f"{tmp_path}/*.sqlite#visits", **TERMS)
    same(opened(log, tmp_path / "store"), log)
    shutil.copy(tmp_path / "a.sqlite", tmp_path / "b.sqlite")
    same(opened(log, tmp_path / "store"), log)


def test_a_file_that_arrives_while_the_log_is_read_is_new_the_next_time(tmp_path, monkeypatch):
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "a.csv").write_text(HEAD + MANY)
    log = Log(str(tmp_path / "orders"), **TERMS, time_format="%d.%m.%Y")
    read = open_histories.reading

    def late(*arguments, **more):
        (tmp_path / "orders" / "b.csv").write_text(HEAD + "d;01.02.2024;5,00;1,00;x\n")
        return read(*arguments, **more)

    monkeypatch.setattr(open_histories, "reading", late)
    assert opened(log, tmp_path / "store").histories.customers == 40
    monkeypatch.undo()
    same(opened(log, tmp_path / "store"), log)


def test_a_clock_that_is_not_asked_or_set_back_is_minded(tmp_path):
    (tmp_path / "orders.csv").write_text(HEAD + 6 * MANY + "x;01.01.2025;;1,00;x\n" + "y;01.01.2026;5,00;1,00;x\n")
    log = Log(str(tmp_path / "orders.csv"), **TERMS, time_format="%d.%m.%Y")
    for day in ("2025-06-01", "2024-12-01", None, "2026-06-01", None):
        now_us = None if day is None else int(pd.Timestamp(day).timestamp() * 1_000_000)
        same(opened(log, tmp_path / "store", now_us=now_us), log, now_us=now_us)


def test_a_channel_that_a_copy_took_away_is_gone(tmp_path):
    head = "customer_id;ordered_at;amount;cost;order_id;channel;recorded_at\n"
    columns = {"orders": {"recorded_at": "recorded_at"}}
    (tmp_path / "orders").mkdir()
    log = Log(str(tmp_path / "orders"), **TERMS, time_format="%d.%m.%Y", mapping=columns)
    for name, channel, known in (("b", "web", "09.01.2024"), ("a", "", "08.01.2024")):
        rows = f"c;05.01.2024;5,00;1,00;x;{channel};{known}\nd;05.01.2024;5,00;1,00;y;shop;05.01.2024\n"
        (tmp_path / "orders" / f"{name}.csv").write_text(head + rows)
        same(opened(log, tmp_path / "store"), log)


def test_a_run_leaves_the_drafts_of_others_alone(tmp_path):
    (tmp_path / "orders.csv").write_text(HEAD + MANY)
    log, home = Log(str(tmp_path / "orders.csv"), **TERMS, time_format="%d.%m.%Y"), tmp_path / "store"
    other = home / f"{entry.DRAFT}{entry._machine()}.{os.getpid()}.abc"
    other.mkdir(parents=True)
    opened(log, home)
    assert other.exists()


def test_a_draft_that_lost_a_file_is_no_entry(tmp_path):
    with (
        pytest.raises(OSError, match="went while it was written"),
        entry.writing_entry(tmp_path, "rows") as draft,
    ):
        draft.hashes["at.bin"] = "0" * 64
    assert entry.entries(tmp_path) == []


def test_an_open_log_outlives_its_entry(tmp_path):
    (tmp_path / "orders.csv").write_text(HEAD + MANY + "x;01.01.2024;;1,00;x\n")
    log = Log(str(tmp_path / "orders.csv"), **TERMS, time_format="%d.%m.%Y")
    stored = opened(log, tmp_path / "store")
    shutil.rmtree(tmp_path / "store")
    same(stored, log)


def test_a_disk_that_duckdb_finds_full_is_not_in_the_way(tmp_path, monkeypatch):
    (tmp_path / "orders.csv").write_text(HEAD + MANY)
    log = Log(str(tmp_path / "orders.csv"), **TERMS, time_format="%d.%m.%Y")
    cells, write = build_rows._keep_cells, []

    def full(reading, table, folder):
        write.append(folder)
        target = Path(folder, "no folder") if folder.parent == tmp_path / "store" else folder
        return cells(reading, table, target)

    monkeypatch.setattr(build_rows, "_keep_cells", full)
    stored = opened(log, tmp_path / "store")
    assert re.search("the store cannot be used .*the log will be read again", stored.how)
    same(stored, log)


def test_a_disk_without_hard_links_is_copied_on(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(append_rows.os, "link", refused)
    assert lines(tmp_path, MANY, "d;01.02.2024;5,50;1,00;x\n") == ["made", "added to"]


def test_ids_that_compare_without_capitals_are_added_as_they_compare(tmp_path):
    read = {"orders": ReadOptions(ids="lower")}
    assert lines(tmp_path, MANY, "C1;01.02.2024;5,50;1,00;x\n", read=read) == ["made", "added to"]


def test_what_an_inspection_found_is_of_these_rows(tmp_path):
    (tmp_path / "orders.csv").write_text(HEAD + 6 * MANY + "y;01.01.2025;5,00;1,00;x\n")
    log = Log(str(tmp_path / "orders.csv"), **TERMS, time_format="%d.%m.%Y")
    for day, late in (("2024-12-01", 1), ("2025-06-01", 0)):
        now_us = int(pd.Timestamp(day).timestamp() * 1_000_000)
        opened(log, tmp_path / "store", now_us=now_us)  # another command reads the rows
        stored = opened(log, tmp_path / "store", now_us=now_us, inspect=_late)
        assert stored.found == late


def _late(reading):
    return sum(group.rows for group in reading.judged["orders"] if group.reason and "future" in group.reason)


def test_an_entry_is_hashed_once_after_it_was_added_to(tmp_path, monkeypatch):
    lines(tmp_path, MANY, "d;01.02.2024;5,50;1,00;x\n")
    log = Log(str(tmp_path / "orders"), **TERMS, time_format="%d.%m.%Y")
    monkeypatch.setattr(entry, "hash_of_file", None)
    assert opened(log, tmp_path / "store").how == "opened"
