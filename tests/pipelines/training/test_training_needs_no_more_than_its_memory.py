"""A lesson larger than memory is learnt from a sample and from rows on disk, and is the same lesson."""

import json
from datetime import UTC, date, datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from features.errors import InputError
from features.snapshots.labels import with_labels
from features.snapshots.snapshot import snapshot
from models.ensemble.recipe import Recipe
from models.evaluation import metrics
from models.scoring import scorer
from models.training.temporal_splits import judged_window
from models.trees import boosting
from pipelines import evaluate as evaluation
from pipelines.config import load
from pipelines.order_log import read_orders, reconciliation_rows
from pipelines.training.training_data import LABELS, read_training_data
from pipelines.training.training_set import fit_model, training_set
from tests.shops import config_of

NOW = datetime(1998, 8, 1, tzinfo=UTC)
PLENTY, LITTLE = 8_000_000_000, 800_000_000
"""Bytes: the first holds the lesson, the second about a fifth of its customers."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory, cdnow_path):
    """Makes the config of CDNOW with other keys under [train]."""
    folder = tmp_path_factory.mktemp("shop")

    def configured(**keys):
        lines = [f"{name} = {value!r}" for name, value in keys.items()]
        (folder / "stayworth.toml").write_text(config_of(cdnow_path, more="\n".join(["[train]", "trials = 1", *lines])))
        return load(folder / "stayworth.toml")

    return configured


@pytest.fixture
def gathered(shop, tmp_path):
    """Reads CDNOW within some memory."""

    def read(memory_bytes, **keys):
        config = shop(**keys).run_with(memory_bytes=memory_bytes)
        return read_training_data(config, now=NOW, folder=tmp_path, say=lambda _: None)

    return read


def test_evaluation_draws_the_customers_that_training_would(shop, gathered, monkeypatch):
    given = []

    def stop(histories, *_, **__):
        given.append(histories)
        raise InputError("enough", where="test", next="")

    monkeypatch.setattr(evaluation, "training_set", stop)
    for memory_bytes in (PLENTY, LITTLE):
        with pytest.raises(InputError, match="enough"):
            evaluation.evaluate(
                shop().run_with(memory_bytes=memory_bytes), now=NOW, trials=1, cut_offs=1, say=lambda _: None
            )
    everybody, drawn = given
    assert everybody.customers > 3 * drawn.customers
    assert drawn.customer_ids == gathered(LITTLE).histories.customer_ids
    monkeypatch.setattr(evaluation, "backtest_offers", lambda _: [])
    with pytest.raises(InputError, match="a plan of this budget is of all customers"):
        evaluation.evaluate(
            shop().run_with(memory_bytes=LITTLE), now=NOW, trials=1, cut_offs=1, plan_budget=100.0, say=lambda _: None
        )


def taught(log, config, *, as_of=None):
    histories = log.histories
    day = as_of or judged_window(histories.first_day, histories.end, horizon_days=90).as_of
    return training_set(histories, config.terms, as_of=day, stream=log.stream)


def test_what_fits_is_learnt_from_all_customers_in_memory(gathered, cdnow):
    log = gathered(PLENTY)
    assert log.histories.customer_ids.equals(cdnow.histories.customer_ids)
    assert log.account == cdnow.account
    assert log.stream is None


@pytest.mark.slow
@pytest.mark.parametrize("row_bytes", [220, 6_000])
def test_rows_on_disk_are_those_of_memory(gathered, shop, monkeypatch, cdnow, row_bytes):
    """Every cell of every customer's row at every cut-off, whether the log is read at once or in several parts."""
    monkeypatch.setattr("features.history_store.parts.ROW_BYTES", row_bytes)
    monkeypatch.setattr("features.history_store.stored_log.CUSTOMERS_AT_ONCE", 100_000 if row_bytes == 220 else 3_000)
    log, config = gathered(LITTLE, rows=1_000_000), shop(rows=1_000_000)
    assert len(log.stream.files) == (1 if row_bytes == 220 else 8)
    whole = training_set(cdnow.histories, config.terms, as_of=cdnow.histories.end)
    part = taught(log, config, as_of=cdnow.histories.end)
    assert part.features == whole.features
    assert part.timeline == whole.timeline
    columns = [*whole.features, *LABELS]
    read = pd.concat(boosting.read_batches(part.stream.files, columns, part.stream.changes))
    wanted = whole.rows[columns].astype(dict.fromkeys([*whole.features, "future_value"], np.float32))
    different = duckdb.sql("(from wanted except all from read) union all (from read except all from wanted)")
    assert len(read) == len(wanted) > 200_000
    assert len(different.fetchall()) == 0


def test_the_sample_is_whole_customers_and_the_account_is_the_whole_logs(gathered, cdnow):
    log = gathered(LITTLE)
    histories, everyone = log.histories, cdnow.histories
    assert 0.05 * everyone.customers < histories.customers < 0.5 * everyone.customers
    assert log.customers == everyone.customers
    assert (histories.first_day, histories.end) == (everyone.first_day, everyone.end)
    place = np.searchsorted(everyone.customer_ids.to_numpy(False), histories.customer_ids.to_numpy(False))
    orders = np.diff(everyone.columns.starts)[place]
    assert np.diff(histories.columns.starts).tolist() == orders.tolist()
    assert log.account == cdnow.account
    assert pa.concat_tables(log.quarantine).num_rows == cdnow.quarantine.num_rows


def test_nothing_is_streamed_where_the_sample_has_the_rows_asked_for(gathered):
    assert gathered(LITTLE, rows=10_000).stream is None


def test_as_many_rows_are_streamed_as_are_asked_for(gathered, shop):
    log, config = gathered(LITTLE, rows=150_000), shop()
    latest = taught(log, config, as_of=log.histories.end)
    read = sum(len(rows) for rows in boosting.read_batches(latest.stream.files, ["as_of"], latest.stream.changes))
    assert read == pytest.approx(150_000, rel=0.02)


@pytest.mark.slow
def test_a_model_of_streamed_rows_is_as_good_as_one_of_memory(gathered, shop, read, cdnow_path):
    """Judged on the same customers: AUC within .005, and the same columns."""
    found = {}
    for memory_bytes in (PLENTY, LITTLE):
        log, config = gathered(memory_bytes, rows=1_000_000), shop(rows=1_000_000)
        said = taught(log, config)
        found[memory_bytes] = fit_model(
            said, config.terms, Recipe(boosting.DEFAULTS, boosting.DEFAULTS, kind="gamma", seed=7, rows=1_000_000)
        )
    day = date(1998, 4, 2)
    histories = read(cdnow_path).histories
    test = with_labels(histories, snapshot(histories, as_of=[day]), horizon_days=90).to_pandas(date_as_object=False)
    scores = {memory: scorer.predict(model, test) for memory, model in found.items()}
    auc = {
        memory: metrics.roc_auc(test["churned"].to_numpy(float), of["churn_probability"].to_numpy())
        for memory, of in scores.items()
    }
    assert list(scores[PLENTY].columns) == list(scores[LITTLE].columns)
    assert auc[LITTLE] == pytest.approx(auc[PLENTY], abs=0.005)
    assert auc[PLENTY] > 0.8


def test_a_gpu_that_is_not_there_is_said_before_anything_is_read(shop, stayworth, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    path = shop(device="cuda").home / "stayworth.toml"
    path.write_text(path.read_text().replace("cdnow.parquet", "not_there.parquet"))
    code, _, said = stayworth("train", "-c", str(path))
    assert code == 2
    assert 'train.device: is "cuda", but XGBoost finds no GPU on this machine' in said


@pytest.mark.parametrize(
    ("keys", "said"),
    [({"rows": 9_999}, "'train.rows' should be greater than or equal to 10000, found 9999"), ({"row": 1}, "'rows'")],
)
def test_too_few_rows_are_refused(shop, keys, said):
    with pytest.raises(InputError, match=said):
        shop(**keys)


def test_a_size_that_is_none_is_refused(shop, stayworth):
    code, _, said = stayworth("train", "-c", str(shop().home / "stayworth.toml"), "--memory", "much")
    assert code == 2
    assert "'much' is not a size" in said


@pytest.mark.slow
def test_train_within_little_memory_goes_the_whole_way(shop, stayworth):
    """Judged, through the gate and registered; the account is that of all customers."""
    config = shop(rows=100_000)
    code, out, _ = stayworth("train", "-c", str(config.home / "stayworth.toml"), "--memory", "700MB", "--json")
    told = json.loads(out)
    assert code == 0
    assert told["promoted"]
    assert 0 < told["drawn"] < told["customers"] == 23_570
    assert told["streamed_rows"] > 90_000
    account = json.loads((config.folder / "reconciliation.json").read_text())
    assert account == reconciliation_rows(read_orders(config, now=NOW).account.orders)
