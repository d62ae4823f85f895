"""`train --engine spark` makes a bundle like any other: as good as one of this machine, and scored without Spark."""

import json
import shutil
import sys
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.large_logs.spark import spark_session
from models.artifacts import bundle, registry
from models.scoring.batch_scores import score_orders
from models.trees import boosting
from pipelines.config import load
from pipelines.training.training_data import LABELS, read_training_data
from pipelines.training.training_set import training_set
from tests.shops import config_of, train_sooner

NOW = datetime(1998, 8, 1, tzinfo=UTC)
PLENTY, LITTLE = 8_000_000_000, 800_000_000
"""Bytes: the first holds the lesson, the second about a fifth of its customers."""
SPARK = """
[spark]
master = "local[2]"
[train]
trials = 1
rows = 1000000
"""


@pytest.fixture
def has_spark():
    """Skips, and says so, where Spark is missing."""
    pytest.importorskip("pyspark", reason="needs the extra [spark]")
    if not shutil.which("java"):
        pytest.skip("needs Java")


@pytest.fixture
def configured(tmp_path):
    """Writes the config of a shop in a folder of its own, with more lines under [train]; returns its path."""

    def config(orders, name="shop", more=""):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "stayworth.toml").write_text(config_of(orders, more=SPARK + more))
        return tmp_path / name / "stayworth.toml"

    return config


@pytest.mark.slow
@pytest.mark.usefixtures("has_spark")
@pytest.mark.parametrize("memory_bytes", [PLENTY, LITTLE])
def test_the_rows_spark_makes_are_those_of_memory(configured, cdnow_path, cdnow, tmp_path, memory_bytes):
    """Every cell of every customer's row at every cut-off, and every row and cent of the log, whatever fits."""
    config = load(configured(cdnow_path)).run_with(memory_bytes=memory_bytes)
    how = {"now": NOW, "folder": tmp_path, "say": lambda _: None}
    with spark_session("local[2]", tmp_path) as spark:
        log = read_training_data(config, spark=spark, **how)
    assert (log.histories.customers == cdnow.histories.customers) == (memory_bytes == PLENTY)
    assert log.account == cdnow.account
    end = cdnow.histories.end
    whole = training_set(cdnow.histories, config.terms, as_of=end)
    more = training_set(log.histories, config.terms, as_of=end, stream=log.stream).stream
    columns = [*whole.features, *LABELS]
    read = pd.concat(boosting.read_batches(more.files, columns, more.changes))
    wanted = whole.rows[columns].astype(dict.fromkeys([*whole.features, "future_value"], np.float32))
    different = duckdb.sql("(from wanted except all from read) union all (from read except all from wanted)")
    assert len(read) == len(wanted) > 200_000
    assert len(different.fetchall()) == 0


@pytest.mark.slow
@pytest.mark.usefixtures("has_spark")
def test_a_bundle_made_by_spark_is_as_good_and_scores_the_same_everywhere(
    configured, cdnow_path, tmp_path, stayworth, monkeypatch
):
    """On a third of CDNOW's customers: AUC within .01 of this machine's, whose commands score it bit for bit alike."""
    train_sooner(monkeypatch)
    orders = pd.read_parquet(cdnow_path)
    orders = orders[orders["customer_id"].astype(int) % 3 == 0].reset_index(drop=True)
    orders.to_parquet(tmp_path / "orders.parquet", index=False)
    told = {}
    for engine in ("duckdb", "spark"):
        config = configured(tmp_path / "orders.parquet", engine)
        code, out, _ = stayworth("train", "-c", str(config), "--engine", engine, "--json")
        told[engine] = json.loads(out)
        assert code == 0
        assert not list(config.parent.rglob(".stayworth-*"))
    here, there = (told[engine]["metrics"]["models"]["stayworth"] for engine in ("duckdb", "spark"))
    assert there["roc_auc"]["value"] == pytest.approx(here["roc_auc"]["value"], abs=0.01)
    assert here["roc_auc"]["value"] > 0.8
    assert told["spark"]["streamed_rows"] >= told["spark"]["rows"] > 50_000
    assert told["duckdb"]["streamed_rows"] == 0

    output = tmp_path / "scores.parquet"
    code, *_ = stayworth("score", "-c", str(config), "--as-of", "1998-07-01", "-o", str(output))
    assert code == 0
    folder = registry.fetch(
        load(config).tracking_uri,
        registry.find(load(config).tracking_uri, "champion").number,
        tmp_path / "fetched",
        part=registry.BUNDLE,
    )
    assert bundle.signed_manifest(folder)[0]["training"]["engine"] == "spark"
    by_command = pd.read_parquet(output).drop(columns="segment")
    by_bundle = score_orders(bundle.read(folder), orders, as_of=date(1998, 7, 1))
    by_bundle["as_of"] = by_bundle["as_of"].dt.date
    by_command["next_order_at"] = pd.to_datetime(by_command["next_order_at"]).astype(by_bundle["next_order_at"].dtype)
    pd.testing.assert_frame_equal(by_command[by_bundle.columns], by_bundle, check_exact=True, check_dtype=False)


def test_a_gpu_is_not_for_spark(configured, cdnow_path, stayworth, monkeypatch):
    monkeypatch.setattr(boosting, "check_device", lambda device: device)
    config = configured(cdnow_path, more='device = "cuda"')
    code, _, said = stayworth("train", "-c", str(config), "--engine", "spark")
    assert code == 2
    assert 'train.device: is "cuda", but Spark grows the trees on CPUs' in said


def test_without_pyspark_nothing_is_read_or_written(configured, stayworth, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    config = configured("not_there.parquet")
    code, _, said = stayworth("train", "-c", str(config), "--engine", "spark")
    assert code == 2
    assert "pip install 'stayworth[spark]'" in said
    assert [one.name for one in config.parent.iterdir()] == ["stayworth.toml"]


def test_a_log_that_spark_cannot_read_is_refused_before_it_is_read(configured, tmp_path):
    config = load(configured("postgresql://ann@127.0.0.1:1/shop#orders"))
    how = {"now": NOW, "folder": tmp_path, "say": lambda _: None}
    with pytest.raises(InputError, match="read from files only"):
        read_training_data(config, spark=object(), **how)
