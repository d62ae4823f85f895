"""The published tasks: their customers, days and truths, and nothing learned from the test rows."""

import pandas as pd
import pytest

from benchmarks import accuracy_tasks, accuracy_telco
from benchmarks.accuracy_tasks import cdnow_forward, cdnow_split
from models import STAYWORTH
from pipelines.labelled.judge_folds import training_table
from pipelines.labelled.label_config import read_labelled

pytestmark = pytest.mark.usefixtures("shared")


@pytest.fixture
def done(monkeypatch):
    """Runs a task of CDNOW without growing a model; returns its training set and the customers it evaluates."""

    def doing(task):
        seen = {}
        monkeypatch.setattr(accuracy_tasks, "tuned_recipe", lambda *_: None)
        monkeypatch.setattr(accuracy_tasks, "fit_model", lambda training, *_: seen.update(training=training))
        monkeypatch.setattr(
            accuracy_tasks, "evaluate_on_sample", lambda _, test, said, **__: seen.update(test=test, said=said)
        )
        task()
        return seen["training"], seen["test"], seen["said"]

    return doing


@pytest.fixture
def truth(shared):
    """Orders and margin of the sample's customers in the 39 weeks, counted from the published sample itself."""
    orders = pd.read_parquet(shared / "cdnow" / "sample_transactions.parquet")
    ids = orders["master_id"].astype(str).str.zfill(5)
    spent = orders["amount"].where(orders["ts"].between("1997-10-01", "1998-06-30"), 0)
    return (0.4 * spent.groupby(ids).sum()).sort_index()


@pytest.mark.slow
@pytest.mark.parametrize("task", [cdnow_forward, cdnow_split])
def test_cdnow_judges_the_published_sample_on_what_it_spent(task, done, truth):
    _, test, said = done(task)
    assert len(test) == 2357
    realised = test.set_index("customer_id")["future_value"].sort_index()
    pd.testing.assert_series_equal(realised, truth, check_names=False, check_index_type=False)
    assert set(said) == {"bgnbd_gamma_gamma", "pareto_nbd_gamma_gamma", "last_period", "hiatus", "rfm_logistic"}
    assert all(len(one.expected_value) == 2357 for one in said.values())


@pytest.mark.slow
def test_cdnow_forward_learns_nothing_after_the_day(done):
    training, _, _ = done(cdnow_forward)
    assert training.rows["as_of"].max() + pd.Timedelta(days=68) <= pd.Timestamp("1997-10-01")
    assert training.learned_days == 68, "no window of 39 weeks has closed"


def test_cdnow_split_learns_from_the_other_customers_a_half_rehearsing_for_the_other(done):
    training, test, _ = done(cdnow_split)
    assert len(training.rows) == len(training.current_rows) == 23_570 - 2357
    assert not set(training.rows["customer_id"]) & set(test["customer_id"])
    early, latest = (set(half["customer_id"]) for _, half in training.rows.groupby("as_of"))
    assert not early & latest
    assert len(early) == pytest.approx(len(latest), rel=0.05)
    assert not {"churned", "bought", "future_value"} & set(training.features)


def test_telco_has_the_published_customers(tmp_path):
    rows = read_labelled(accuracy_telco.telco_config(tmp_path))
    assert (len(rows.churned), rows.churned.sum(), rows.left) == (7043, 1869, "Yes")
    assert training_table(rows).parsed["TotalCharges"].isna().sum() == 11


@pytest.mark.slow
def test_telco_compares_all_on_the_same_customers_without_money(monkeypatch, tmp_path):
    pd.read_parquet(accuracy_telco.CUSTOMERS).iloc[::7].to_parquet(tmp_path / "some.parquet")
    config = accuracy_telco.telco_config
    monkeypatch.setattr(accuracy_telco, "telco_config", lambda folder: config(folder, tmp_path / "some.parquet"))
    monkeypatch.setattr(accuracy_telco, "TRIALS", 1)
    found = accuracy_telco.telco()
    assert found["customers"] == 1007
    assert list(found["models"]) == [STAYWORTH, "logistic_regression", "gradient_boosting"]
    for one in found["models"].values():
        assert 0.75 < one["roc_auc"]["value"] < 0.9
        assert one["normalized_gini"]["value"] is one["total_bias"]["value"] is None
