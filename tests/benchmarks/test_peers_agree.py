"""The speed benchmark at a small size: all compute the same features, and each is measured by itself."""

import json
import resource
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import environments, features, table
from benchmarks.agreement import columns_in, compare, compare_days
from benchmarks.alone import alone
from benchmarks.contestants import CATALOGUE, CONTESTANTS, FLOOR, IN_MEMORY, OURS, SQL, named, run
from benchmarks.environments import Unavailable, python_of, requirements
from benchmarks.logs import KINDS, make_log
from benchmarks.task import CUT_OFFS, FEATURES

DAYS = [CUT_OFFS[0], CUT_OFFS[-1]]
PLAIN = SQL[1]
"""SQL as first written is the easiest to read: the others are held against it."""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log")
    make_log(folder, orders=2000, interactions=4000, customers=100, seed=7)
    return folder


def days_of(name: str) -> list[date]:
    return DAYS[-1:] if CONTESTANTS[name].one_day else DAYS


@pytest.fixture(scope="module")
def written(log: Path) -> Callable[[str], Path]:
    """The folder that a contestant wrote its cut-offs to; skips where its environment has not been made."""

    def out_of(name: str) -> Path:
        out = log / name
        if not list(out.glob("*.parquet")):
            try:
                python_of(CONTESTANTS[name].environment)
            except Unavailable as why:
                pytest.skip(str(why))
            run(name, log, log, days_of(name), out)
        return out

    return out_of


def test_the_task_is_28_columns():
    assert len(FEATURES) == len(set(FEATURES)) == 28


@pytest.mark.slow
@pytest.mark.parametrize("name", [one for one in CONTESTANTS if CONTESTANTS[one].gives == "features" and one != PLAIN])
def test_every_contestant_agrees_on_every_value(written, name):
    days = days_of(name)
    assert 50 * len(days) < compare(written(PLAIN), written(name), days) <= 100 * len(days)
    columns = columns_in(written(name))
    assert columns > 28 if name == CATALOGUE else columns == 28


@pytest.mark.parametrize("name", ["lifetimes", pytest.param("pymc-marketing", marks=pytest.mark.slow)])
def test_summaries_are_right_in_whole_purchase_days(log, written, name):
    assert compare_days(log, written(PLAIN), written(name), DAYS[-1]) == 100
    assert columns_in(written(name)) == 4


@pytest.mark.parametrize(
    "wrong", [{"spend_last_90d": 0.01}, {"orders": 1}, {"gap_std_days": float("nan")}, {"complaint_count": 1}]
)
def test_one_wrong_value_stops_the_benchmark(written, tmp_path, wrong):
    (column, by), path = *wrong.items(), tmp_path / "wrong"
    shutil.copytree(written(PLAIN), path)
    file = path / f"{DAYS[-1]}.parquet"
    rows = pd.read_parquet(file)
    rows.loc[rows["orders"].idxmax(), column] += by
    rows.to_parquet(file)
    with pytest.raises(AssertionError, match=column):
        compare(written(PLAIN), path, DAYS)


def test_one_wrong_day_stops_the_benchmark(log, tmp_path):
    orders = pd.read_parquet(log / "orders.parquet").groupby("customer_id")["ordered_at"]
    ages = pd.Timestamp(DAYS[-1]) - orders.min().dt.floor("D")
    zeros = {"frequency": 0, "recency": 0, "T": ages.dt.days, "monetary_value": 0.0}
    pd.DataFrame({"customer_id": ages.index, **zeros}).to_parquet(tmp_path / "wrong.parquet")
    with pytest.raises(AssertionError, match="frequency"):
        compare_days(log, None, tmp_path, DAYS[-1])


def test_the_log_is_skewed_clean_and_in_order_of_time(log):
    orders, interactions = (pd.read_parquet(log / f"{name}.parquet") for name in ("orders", "interactions"))
    counts = orders["customer_id"].value_counts()
    assert (len(orders), len(interactions), len(counts)) == (2000, 4000, 100)
    assert counts.head(10).sum() > 0.3 * len(orders)
    for rows, at in ((orders, "ordered_at"), (interactions, "at")):
        assert rows[at].is_monotonic_increasing
        assert rows[at].between(pd.Timestamp(2023, 1, 1), pd.Timestamp(2025, 1, 1), inclusive="left").all()
        assert not rows.duplicated(["customer_id", at]).any()
    assert (orders["amount"] == orders["amount"].round(2)).all()


def test_interactions_are_of_buyers_and_some_come_before_the_first_order(log):
    orders, interactions = (pd.read_parquet(log / f"{name}.parquet") for name in ("orders", "interactions"))
    first = interactions["customer_id"].map(orders.groupby("customer_id")["ordered_at"].min())
    assert first.notna().all()
    assert 0 < (interactions["at"] < first).mean() < 0.1
    assert interactions["kind"].value_counts(normalize=True).to_dict() == pytest.approx(KINDS, abs=0.03)


def test_a_contestants_peak_memory_is_its_own(log, tmp_path):
    ballast = bytearray(600_000_000)
    measured = alone(run, FLOOR, log, log, [date(2025, 1, 1)], tmp_path)
    assert measured["peak_mb"] < 400 < len(ballast) / 2**20 < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert measured["total"] == sum(measured["seconds"].values()) > 0
    assert measured["cpu_seconds"] > 0


def test_a_contestant_that_fails_is_named_with_its_last_words(log, tmp_path):
    with pytest.raises(RuntimeError, match=r"duckdb, plain failed with exit code 1:\n[\s\S]*No files found"):
        run(PLAIN, tmp_path, log, DAYS, tmp_path)


def test_ratios_are_of_the_fastest_runs_and_the_median_over_turns():
    def turn(floor: float, ours: float, sql: float) -> dict[str, dict]:
        totals = dict.fromkeys(CONTESTANTS, sql) | {FLOOR: floor, OURS: ours}
        return {
            name: {"seconds": {"all": s}, "total": s, "cpu_seconds": 2 * s, "peak_mb": 100.0}
            for name, s in totals.items()
        }

    race = {"rows": 300, "columns": {OURS: 28, IN_MEMORY: 28}, "turns": [turn(1, 3, 6), turn(2, 4, 4), turn(1, 5, 5)]}
    rows = {line[0]: line[1:] for line in features.lines(race)}
    assert rows[OURS] == ["3.00 (4.00)", "3.00 (3.00)", "0.75 (1.00)", "6.00", "100", "357,143", "100"]
    assert rows["  all"] == ["3.00 (4.00)", "3.00 (3.00)", "0.75 (1.00)", "", "", "", ""]
    assert rows[FLOOR][1:] == ["1.00 (1.00)", "0.25 (0.20)", "2.00", "", "", "100"]
    alone_in_the_race = features.lines({**race, "turns": [{OURS: turn(1, 3, 6)[OURS]}]})
    assert alone_in_the_race[0][1:4] == ["3.00 (3.00)", "–", "–"]


def test_peers_have_versions_and_no_addresses():
    assert requirements().keys() == {one.environment for one in CONTESTANTS.values()} - {None}
    for wanted in (*requirements().values(), *requirements(are_beside=True).values()):
        assert "://" not in wanted
        assert all("==" in one for one in wanted.split())


def test_contestants_are_named_by_how_their_names_start():
    assert named(["duckdb", "polars"]) == ["duckdb, prepared", "duckdb, plain", "polars"]
    with pytest.raises(ValueError, match="no contestant's name starts with 'spark'; there are: sort-and-fetch; "):
        named(["spark"])


@pytest.mark.slow
def test_a_peer_that_cannot_be_installed_is_left_out_with_a_word(monkeypatch, tmp_path, capsys):
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'warning: slow' >&2\necho 'error: no route to the registry' >&2\nexit 2\n")
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(environments, "ENVIRONMENTS", tmp_path / "peers")
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    monkeypatch.setattr(features, "CUT_OFFS", DAYS[-1:])
    features.main(["--orders", "400", "--repetitions", "1", "--only", "polars", "duckdb, plain"])
    why = "cannot be made: error: no route to the registry"
    assert f"polars: not measured, {why}" in capsys.readouterr().out
    saved = json.loads((tmp_path / "features.json").read_text())
    assert saved["skipped"] == {"polars": why}
    assert (saved["orders"], saved["interactions"], saved["customers"]) == (400, 800, 20)
    assert saved["races"][0]["turns"][0][PLAIN]["total"] > 0
