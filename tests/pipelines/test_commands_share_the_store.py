"""Commands read a log once: what one has read the others take from the store, and `stayworth store` shows it."""

import json

import pandas as pd
import pytest
import typer

from features.history_store import open_histories
from pipelines import cli
from tests.shops import config_of


@pytest.fixture
def shop(tmp_path, cdnow_path, monkeypatch):
    frame = pd.read_parquet(cdnow_path)
    (tmp_path / "orders").mkdir()
    day = frame["ordered_at"].astype("datetime64[us]")
    frame[day < "1998-06-01"].to_parquet(tmp_path / "orders" / "a.parquet")
    (tmp_path / "stayworth.toml").write_text(config_of(tmp_path / "orders"))
    monkeypatch.chdir(tmp_path)
    return frame[day >= "1998-06-01"]


@pytest.fixture
def readings(monkeypatch):
    """Counts the readings of a whole log."""
    counted, read = [], open_histories.reading
    monkeypatch.setattr(open_histories, "reading", lambda *a, **k: counted.append(k["side_table"]) or read(*a, **k))
    return counted


def features(stayworth, *more):
    code, _, error = stayworth("features", "--as-of", "1998-04-01", "-o", "rows.parquet", *more)
    assert code == 0, error
    return pd.read_parquet("rows.parquet")


def told(stayworth, *command):
    code, out, error = stayworth(*command, "--json")
    assert code == 0, error
    return json.loads(out)


@pytest.mark.usefixtures("shop")
def test_one_reading_serves_check_and_features(stayworth, readings):
    first = told(stayworth, "check")
    rows = features(stayworth)
    assert told(stayworth, "check") == first
    assert len(readings) == 1
    pd.testing.assert_frame_equal(features(stayworth, "--fresh"), rows)
    assert len(readings) == 2


@pytest.mark.usefixtures("shop")
def test_a_reading_takes_no_more_than_memory_says(stayworth, monkeypatch):
    given, read = [], open_histories.reading
    monkeypatch.setattr(open_histories, "reading", lambda *a, **k: given.append(k["memory_bytes"]) or read(*a, **k))
    for command in (["check"], ["features", "--as-of", "1998-04-01", "-o", "rows.parquet"]):
        assert stayworth(*command, "--fresh", "--memory", "2GB")[0] == 0
    assert len(given) == 2
    assert all(memory == given[0] < 2_000_000_000 for memory in given)
    code, _, error = stayworth("check", "--memory", "much")
    assert code == 2
    assert "--memory" in error


@pytest.mark.parametrize("command", ["check", "features", "train", "evaluate", "score", "report", "monitor", "readout"])
def test_every_command_that_reads_the_log_may_be_limited(command):
    options = {option for part in typer.main.get_command(cli.app).commands[command].params for option in part.opts}
    assert {"--memory", "--fresh"} <= options


def test_new_orders_are_added_and_the_store_says_what_it_holds(shop, stayworth, readings, tmp_path):
    features(stayworth)
    shop.to_parquet(tmp_path / "orders" / "b.parquet")
    (before,) = told(stayworth, "store")["entries"]
    assert (before["holds"], before["files"], before["is_current"]) == ("orders", 1, False)
    rows = features(stayworth)
    assert len(readings) == 1
    (after,) = told(stayworth, "store")["entries"]
    assert (after["files"], after["is_current"]) == (2, True)
    assert after["rows"] == before["rows"] + len(shop)
    assert stayworth("store")[1].count("yes") == 1
    pd.testing.assert_frame_equal(features(stayworth, "--fresh"), rows)


@pytest.mark.usefixtures("shop")
def test_the_store_is_emptied_and_can_be_left_out(stayworth, tmp_path):
    features(stayworth)
    assert told(stayworth, "store", "--clean")["freed_bytes"] > 1_000_000
    assert not (tmp_path / "runs" / "histories").exists()
    assert "is empty" in stayworth("store")[1]
    config = tmp_path / "stayworth.toml"
    config.write_text(config.read_text() + '\n[output]\nstore = "0"\n')
    features(stayworth)
    assert not (tmp_path / "runs" / "histories").exists()
    config.write_text(config.read_text().replace('"0"', '"plenty"'))
    code, _, error = stayworth("store")
    assert code == 2
    assert "output.store" in error
    assert "20GB" in error
