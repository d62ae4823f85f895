"""The speed benchmark at a small size: the peers compute the same features, and each is measured by itself."""

import resource
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.features import (
    CONTESTANTS,
    CUT_OFFS,
    FLOOR,
    OURS,
    alone,
    compare,
    lines,
    make_log,
    run,
)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "log.parquet"
    make_log(path, orders=2000, customers=100, seed=7)
    return path


@pytest.fixture(scope="module")
def outs(log: Path) -> dict[str, Path]:
    """Each contestant's features at the first and the last cut-off."""
    folders = {name: log.parent / name for name in CONTESTANTS}
    for name, out in folders.items():
        out.mkdir()
        assert list(CONTESTANTS[name](log, [CUT_OFFS[0], CUT_OFFS[-1]], out))
    return folders


@pytest.mark.parametrize("name", [name for name in CONTESTANTS if name not in (OURS, FLOOR)])
def test_every_peer_agrees_with_us_on_every_value(outs, name):
    agreed = compare(outs[OURS], outs[name])
    assert agreed["features"] == 18
    assert 100 < agreed["rows"] <= 200


@pytest.mark.parametrize("wrong", [{"spend_last_90d": 0.01}, {"orders": 1}, {"gap_std_days": float("nan")}])
def test_one_wrong_value_stops_the_benchmark(outs, tmp_path, wrong):
    (column, by), path = *wrong.items(), tmp_path / "wrong"
    shutil.copytree(outs["pandas"], path)
    file = path / f"{CUT_OFFS[-1]}.parquet"
    rows = pd.read_parquet(file)
    rows.loc[rows["orders"].idxmax(), column] += by
    rows.to_parquet(file)
    with pytest.raises(AssertionError, match=column):
        compare(outs[OURS], path)


def test_the_log_is_skewed_clean_and_in_order_of_time(log):
    orders = pd.read_parquet(log)
    counts = orders["customer_id"].value_counts()
    assert (len(orders), len(counts)) == (2000, 100)
    assert counts.head(10).sum() > 0.3 * len(orders)
    assert orders["ordered_at"].is_monotonic_increasing
    assert orders["ordered_at"].between(pd.Timestamp(2023, 1, 1), pd.Timestamp(2025, 1, 1), inclusive="left").all()
    assert not orders.duplicated(["customer_id", "ordered_at"]).any()
    assert (orders["amount"] == orders["amount"].round(2)).all()


def test_a_contestants_peak_memory_is_its_own(log):
    ballast = bytearray(600_000_000)
    measured = alone(run, FLOOR, log, log, [date(2025, 1, 1)], log.parent)
    assert measured["peak_mb"] < 400 < len(ballast) / 2**20 < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    assert measured["total"] == sum(measured["seconds"].values()) > 0


def test_ratios_are_of_the_fastest_runs_and_the_median_over_turns():
    def turn(floor: float, ours: float, sql: float) -> dict[str, dict]:
        totals = dict.fromkeys(CONTESTANTS, sql) | {FLOOR: floor, OURS: ours}
        return {name: {"seconds": {"all": s}, "total": s, "peak_mb": 100.0} for name, s in totals.items()}

    race = {"rows": 300, "turns": [turn(1, 3, 6), turn(2, 4, 4), turn(1, 5, 5)]}
    table = {line[0]: line[1:] for line in lines(race)}
    assert table[OURS] == ["3.00 (4.00)", "3.00 (3.00)", "0.75 (1.00)", "100", "100"]
    assert table["  all"] == ["3.00 (4.00)", "3.00 (3.00)", "0.75 (1.00)", "", ""]
    assert table[FLOOR][1] == "1.00 (1.00)"
