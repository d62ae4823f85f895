"""Scores made piece by piece, of a log split on disk or not, are the scores made of everybody at once."""

import json
import math
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from benchmarks.logs import make_log
from features.errors import InputError
from features.snapshots.snapshot import snapshot
from models.artifacts import bundle
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.scoring import batch_scores
from models.trees.boosting import defaults
from pipelines import run_folder
from pipelines import score as scores_of
from pipelines.batches.latest_scores import latest_scores
from pipelines.batches.staged_scores import SCHEMA, stage
from pipelines.batches.total_misses import judged_lifetimes, lifetime_misses
from pipelines.config import load
from pipelines.order_log import read_orders, reconciliation_rows
from pipelines.training.training_set import fit_model, training_set
from retention.customer_base.segments import CURRENT_VALUE_FEATURE
from serving.store import score_store as served
from tests.shops import CALL, VOUCHER, config_of

AS_OF, NOW = date(1998, 7, 1), datetime(1998, 8, 1, tzinfo=UTC)
CONTACT_COST = 0.5
"""Of the cheaper of the two offers."""
PLENTY, LITTLE = 8_000_000_000, 800_000_000
"""Bytes: the first holds the log, the second does not where a row is said to take 24,000."""
TERMS = Terms(horizon_days=90, currency="USD", gross_margin=0.4, annual_discount_rate=0.1, lifetime_days=1095)
WITHIN_MEMORY = """
import json, sys
from datetime import UTC, date, datetime
from types import SimpleNamespace
from pathlib import Path
from types import SimpleNamespace
from features.history_store import build_rows
from models.artifacts import bundle
from pipelines import config, score

home, parts = Path(sys.argv[1]), []


def counted(*arguments, **more):
    for part in in_parts(*arguments, **more):
        parts.append(part[0].customers)
        yield part


in_parts, build_rows.histories_in_parts = build_rows.histories_in_parts, counted
score.load_champion = lambda uri: SimpleNamespace(scorer=bundle.read(home / "bundle"))
told = score.score(
    config.load(home / "stayworth.toml").run_with(memory_bytes=1_200_000_000),
    as_of=date(2024, 12, 31),
    now=datetime(2025, 1, 1, tzinfo=UTC),
    output=None,
    say=lambda text: None,
)
status = Path("/proc/self/status").read_text()
peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
print(json.dumps(told | {"parts": len(parts), "peak_bytes": peak}))
"""


@pytest.fixture(scope="module")
def model(read, cdnow_path):
    """A small model of 30, 90 and 180 days."""
    frame = pd.read_parquet(cdnow_path)
    histories = read(frame[frame["customer_id"].astype(int) % 10 == 0]).histories
    few = {name: of for name, of in defaults(5000).items() if name != "rounds"} | {"rounds": 40}
    taught = training_set(histories, TERMS, as_of=date(1998, 4, 2), horizons=(30, 180))
    return fit_model(taught, TERMS, Recipe(churn=few, value=few, kind="gamma", seed=7))


@pytest.fixture(scope="module")
def orders_path(cdnow_path, tmp_path_factory):
    """The orders of a quarter of CDNOW's customers: everybody."""
    path, orders = tmp_path_factory.mktemp("orders") / "orders.parquet", pd.read_parquet(cdnow_path)
    orders[orders["customer_id"].astype(int) % 4 == 0].to_parquet(path)
    return path


@pytest.fixture(scope="module")
def rows(read, orders_path, model):
    """Everybody's feature rows."""
    table = snapshot(read(orders_path).histories, as_of=[AS_OF], features=list(model.inputs))
    return table.to_pandas(date_as_object=False)


@pytest.fixture(scope="module")
def at_once(model, rows):
    """Everybody's scores made in one piece, the segment by exact averages and one customer at a time."""
    scores = batch_scores.score(model, rows)
    spend, clv = rows[CURRENT_VALUE_FEATURE].tolist(), scores["clv"].head(len(rows)).tolist()
    current_cut, future_cut = math.fsum(spend) / len(spend), math.fsum(clv) / len(clv)
    names = {(True, True): "VIP", (True, False): "maintain", (False, True): "grow", (False, False): "let go"}
    gain = scores["gain"].head(len(rows)).tolist()
    segment = [
        "maintain" if quadrant == "let go" and adds > CONTACT_COST else quadrant
        for quadrant, adds in zip(
            (names[now > current_cut, then > future_cut] for now, then in zip(spend, clv, strict=True)),
            gain,
            strict=True,
        )
    ]
    assert set(segment) == set(names.values())
    return scores.assign(segment=segment * (len(scores) // len(rows)))[SCHEMA.names]


@pytest.fixture
def config(tmp_path, orders_path, model, monkeypatch):
    monkeypatch.setattr(scores_of, "load_champion", lambda _: SimpleNamespace(scorer=model))
    monkeypatch.setattr(scores_of, "CHUNK_ROWS", 500)
    (tmp_path / "stayworth.toml").write_text(config_of(orders_path, more=VOUCHER + CALL))
    return load(tmp_path / "stayworth.toml")


def score(config, *, memory_bytes=PLENTY, output=None):
    config = config.run_with(memory_bytes=memory_bytes)
    return scores_of.score(config, as_of=AS_OF, now=NOW, output=output, say=lambda _: None)


def written(path):
    return pq.read_table(path).to_pandas(date_as_object=False)


def same(found, expected):
    pd.testing.assert_frame_equal(found, expected, check_exact=True, check_dtype=False)


def test_in_pieces_every_cell_and_the_order_are_those_of_all_at_once(config, at_once):
    score(config, output=config.home / "more.parquet")
    for path in (config.folder / "scores.parquet", config.home / "more.parquet"):
        same(written(path), at_once)
        assert pq.read_schema(path).equals(SCHEMA)


def test_of_a_log_split_on_disk_every_customer_has_the_same_scores(config, at_once, monkeypatch):
    monkeypatch.setattr("features.history_store.parts.ROW_BYTES", 24_000)
    monkeypatch.setattr("features.history_store.stored_log.CUSTOMERS_AT_ONCE", 3_000)
    config = config.run_with(is_fresh=True, memory_bytes=LITTLE)
    scores_of.score(config, as_of=AS_OF, now=NOW, output=None, say=print)
    same(written(config.folder / "scores.parquet"), at_once)
    account = json.loads((config.folder / "reconciliation.json").read_text())
    assert account == reconciliation_rows(read_orders(config, now=NOW).account.orders)


def test_the_latest_scores_are_those_of_the_main_horizon(config, at_once):
    score(config)
    same(latest_scores(config.folder), at_once.head(len(at_once) // 3))


def test_the_summary_counts_each_customer_once(config, at_once, model):
    told = score(config)
    main = at_once[at_once["horizon_days"] == 90]
    sums = {
        "expected_churners": math.fsum(main["churn_probability"]),
        "expected_value": math.fsum(main["expected_value"]),
        "clv": math.fsum(main["clv"]),
        "value_at_risk": math.fsum(main["gain"]),
    }
    known = {
        "customers": len(main),
        "as_of": "1998-07-01",
        "horizon_days": 90,
        "currency": "USD",
        "model_version": model.version,
        "attributes": [],
        "unseen_names": {},
    }
    assert {name: told[name] for name in sums} == pytest.approx(sums, rel=1e-12)
    ends = {name: told.pop(name) for name in ("value_p10", "value_p90", "clv_p10", "clv_p90")}
    assert {name: of for name, of in told.items() if name not in sums} == known
    assert ends["clv_p10"] < told["clv"] < ends["clv_p90"]
    assert ends["value_p10"] < told["expected_value"] < ends["value_p90"]


def test_the_interval_of_the_lifetime_total_holds_what_past_totals_missed(config):
    before = score(config)
    days = [{"as_of": f"1997-0{month}-01", "lifetime_days": 365} for month in (1, 2)]
    missed = {"models": {"stayworth": {"total_bias": {"value": 0.9}}}}
    run_folder.write_json(config.folder / run_folder.LIFETIME_BACKTEST, [day | missed for day in days])
    told = lifetime_misses(judged_lifetimes(config.folder))
    assert told.misses == [0.9, 0.9]
    assert told.independent == pytest.approx((1 + 31 / 365) / 2)
    after = score(config)
    assert after["clv_p10"] < before["clv_p10"] < before["clv"] == after["clv"]
    (config.folder / run_folder.LIFETIME_BACKTEST).unlink()


def test_the_service_looks_up_everybodys_scores_and_features(config, at_once, rows):
    score(config)
    store = served.open_store(config.folder / "scores.store")
    main, ids = at_once.head(len(rows)), rows["customer_id"].tolist()
    found, unknown = store.find(ids)
    assert unknown == []
    told = pd.DataFrame(found).drop(columns=["reasons", "as_of"]).astype({"next_order_at": "datetime64[ms]"})
    same(told, main[told.columns].reset_index(drop=True))
    measures = rows.select_dtypes("float64").columns
    same(store.rows(ids)[0][measures].astype(np.float32), rows[measures].astype(np.float32))


def test_a_store_that_cannot_be_written_leaves_the_old_scores(config, monkeypatch):
    score(config)
    before = {path: path.read_bytes() for path in config.folder.rglob("*") if path.is_file()}

    def full(*_):
        raise InputError("is full", where="the store", next="Make room.")

    monkeypatch.setattr(served.Writer, "add", full)
    with pytest.raises(InputError, match="is full"):
        score(config, output=config.home / "more.csv")
    assert {path: path.read_bytes() for path in config.folder.rglob("*") if path.is_file()} == before
    assert not (config.home / "more.csv").exists()


def test_nobody_to_score_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="no customers"):
        stage([], tmp_path, gain_cut=1.0)


def test_threads_have_room_in_the_memory():
    assert scores_of._threads(1) == 1
    assert scores_of._threads(10**12) == os.cpu_count()


@pytest.mark.slow
def test_a_million_customers_need_no_more_than_the_memory_given(tmp_path, model):
    """At its peak, measured by the kernel: libraries, scores, reasons, feature rows and the store."""
    (tmp_path / "bundle").mkdir()
    bundle.write(tmp_path / "bundle", model, training={"as_of": "1998-04-02", "horizon_days": 90, "seed": 7})
    make_log(tmp_path, orders=3_000_000, interactions=1, customers=1_000_000, seed=1)
    orders = pq.read_table(tmp_path / "orders.parquet")
    pq.write_table(orders.append_column("quantity", [np.ones(len(orders))]), tmp_path / "orders.parquet")
    (tmp_path / "stayworth.toml").write_text(config_of(tmp_path / "orders.parquet"))
    run = [sys.executable, "-c", WITHIN_MEMORY, str(tmp_path)]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["parts"] > 1
    assert told["customers"] == pq.read_metadata(tmp_path / "runs" / "scores.parquet").num_rows / 3
    assert told["customers"] > 990_000
    assert told["peak_bytes"] < 1_200_000_000
