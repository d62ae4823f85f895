"""An unchanged log is not read again; what the store cannot believe is, and a store that fails is never in the way."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.history_store import entry, open_histories, parts
from features.ingest.log import Log
from features.ingest.reading import reading
from tests.features.history_store.arrivals import (
    NOW_US,
    TERMS,
    opened,
    same,
    some_interactions,
    some_orders,
    write,
)


@pytest.fixture
def shop(tmp_path):
    """A log of one file with interactions and customers, and the folder of its store."""
    rng = np.random.default_rng(5)
    write(some_orders(rng, 200), tmp_path / "orders.csv")
    write(some_interactions(rng, 50), tmp_path / "visits.csv")
    towns = pd.DataFrame({"customer_id": [f"c{number}" for number in range(30)], "town": ["Ulm", "Bonn", "Rom"] * 10})
    write(towns, tmp_path / "customers.csv")
    tables = {table: str(tmp_path / f"{name}.csv") for table, name in (("interactions", "visits"), ("customers",) * 2)}
    log = Log(str(tmp_path / "orders.csv"), **tables, attributes=("town",), **TERMS)
    return log, tmp_path / "store"


def test_an_unchanged_log_is_not_read(shop, monkeypatch):
    log, home = shop
    same(opened(log, home), log)
    monkeypatch.setattr(open_histories, "reading", None)
    stored = opened(log, home)
    monkeypatch.undo()
    assert stored.how == "opened"
    same(stored, log)


def test_every_change_of_files_or_config_is_seen(shop):
    log, home = shop
    opened(log, home)
    path = Path(log.orders)
    text, stat = path.read_text(), path.stat()
    path.write_text(text.replace("web", "app"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))  # of the same size and time
    changed = opened(log, home)
    assert changed.how == "made"
    same(changed, log)
    for other in (
        replace(log, gross_margin=0.5),
        replace(log, exclude_products=("p",)),
        replace(log, timezone="Asia/Tokyo"),
    ):
        told = opened(other, home)
        assert told.how == "made"
        same(told, other)
    assert opened(log, home).how == "opened"  # each of them has its own entry


def test_changed_customers_leave_the_orders_unread(shop, monkeypatch):
    log, home = shop
    opened(log, home)
    path = Path(str(log.customers))
    path.write_text(path.read_text().replace("Ulm", "Köln"))
    asked = []
    read = open_histories.reading
    monkeypatch.setattr(open_histories, "reading", lambda *a, **k: asked.append(k["side_table"]) or read(*a, **k))
    stored = opened(log, home)
    assert (stored.how, asked) == ("opened", ["customers"])
    same(stored, log)


def test_attributes_are_those_that_the_model_learned(shop):
    log, home = shop
    kinds = opened(log, home).histories.attribute_kinds
    learned = replace(log, attribute_kinds={"town": replace(kinds["town"], names=("Rom", "Ulm"))})
    stored = opened(learned, home)
    assert stored.how == "opened"
    in_bonn = {f"c{number}" for number in range(1, 30, 3)} & set(stored.histories.customer_ids.to_pylist())
    assert stored.histories.unseen == {"town": len(in_bonn)}
    same(stored, learned)


@pytest.mark.parametrize("name", ["at.bin", "customer_ids.arrow", "quarantine.rows", "manifest"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_store_is_never_believed(shop, name, damage):
    log, home = shop
    opened(log, home)
    (rows,) = home.glob("rows-*")
    path = rows / name
    stat, content = path.stat(), bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    if damage != "gone":
        path.write_bytes(content[: len(content) // (1 if damage == "flip" else 2)])
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    stored = opened(log, home)
    assert stored.how == "made"
    same(stored, log)
    assert opened(log, home).how == "opened"


def test_bytes_that_a_crash_of_the_machine_lost_are_not_believed(shop, monkeypatch):
    """After a restart the times of the files say nothing: they are hashed again."""
    log, home = shop
    opened(log, home)
    (rows,) = home.glob("rows-*")
    seen = json.loads((rows / "seen").read_text())
    with (rows / "at.bin").open("r+b") as file:
        file.write(bytes(64))
    seen["files"]["at.bin"] = entry._stat(rows / "at.bin")
    (rows / "seen").write_text(json.dumps(seen))
    assert opened(log, home).how == "opened"  # as if nothing had touched it
    monkeypatch.setattr(entry, "_boot", lambda: "another start")
    stored = opened(log, home)
    assert stored.how == "made"
    same(stored, log)


def test_rows_of_the_future_are_read_again_when_their_day_has_come(tmp_path):
    frame = some_orders(np.random.default_rng(2), 300).sort_values("ordered_at", ignore_index=True)
    write(frame, tmp_path / "orders.csv")
    log = Log(str(tmp_path / "orders.csv"), **TERMS)
    late = int(pd.Timestamp(frame["ordered_at"].iloc[-1]).timestamp() * 1_000_000)
    for now_us, how in (
        (late - 1, "made"),
        (late - 1, "opened"),
        (late + 1, "made"),
        (late + 2, "opened"),
        (late - 1, "made"),
    ):
        stored = opened(log, tmp_path / "store", now_us=now_us)
        assert stored.how == how
        same(stored, log, now_us=now_us)


def test_a_store_that_cannot_be_written_is_not_in_the_way(shop, tmp_path):
    log, _ = shop
    (tmp_path / "file").write_text("no folder")
    told = []
    stored = opened(log, tmp_path / "file", say=told.append)
    assert told == ["the store cannot be used (File exists): the log will be read again next time"]
    same(stored, log)


def test_a_full_disk_is_not_in_the_way(shop, monkeypatch):
    log, home = shop
    write_rows = open_histories.write_rows

    def full(opened, draft, **more):
        if draft.folder.parent == home:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_rows(opened, draft, **more)

    monkeypatch.setattr(open_histories, "write_rows", full)
    stored = opened(log, home)
    assert "No space left on device" in stored.how
    same(stored, log)
    assert not home.exists()


def test_what_a_killed_run_left_is_removed(shop):
    log, home = shop
    opened(log, home)
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    left = home / f"{entry.DRAFT}{entry._machine()}.{gone.stdout.strip()}.abc"
    (left / "some").mkdir(parents=True)
    opened(log, home, is_fresh=True)
    assert not left.exists()


def test_an_emptied_store_keeps_only_what_another_run_is_writing(shop):
    log, home = shop
    opened(log, home)
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    drafts = [f"{entry._machine()}.{os.getpid()}.a", f"{entry._machine()}.{gone.stdout.strip()}.b", "elsewhere.1.c"]
    for name in drafts:
        (home / f"{entry.DRAFT}{name}").mkdir()
    entry.remove_all(home)
    (left,) = home.iterdir()
    assert left.name.endswith(drafts[0])
    left.rmdir()
    entry.remove_all(home)
    assert not home.exists()


def test_other_logs_make_way_where_the_store_is_full(shop):
    log, home = shop
    other = replace(log, gross_margin=0.9)
    opened(other, home)
    opened(log, home, limit_bytes=1000)
    assert opened(log, home).how == "opened"
    assert opened(other, home).how == "made"


def test_a_log_read_in_parts_is_the_log_read_at_once(tmp_path, monkeypatch):
    rng = np.random.default_rng(8)
    write(some_orders(rng, 500), tmp_path / "orders.csv")
    write(some_interactions(rng, 90), tmp_path / "visits.csv")
    log = Log(str(tmp_path / "orders.csv"), interactions=str(tmp_path / "visits.csv"), **TERMS)
    monkeypatch.setattr(parts, "ROW_BYTES", 2_000_000)
    with reading(log, now_us=NOW_US) as whole:
        assert len(list(parts.histories_in_parts(whole, memory_bytes=10**8))) > 5
    same(open_histories.open_histories(log, home=tmp_path / "store", now_us=NOW_US, memory_bytes=10**8), log)
