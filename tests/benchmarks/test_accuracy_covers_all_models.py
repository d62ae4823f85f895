"""The accuracy benchmark at a small size: every model, every metric, and a verdict only where the data give one."""

import json

import pandas as pd
import pytest

from benchmarks.accuracy import DATA, METRICS, backtest, cell, lines, main, verdict, verdicts


@pytest.fixture(scope="module")
def evaluations(cdnow_path, tmp_path_factory):
    """One test day on a twentieth of CDNOW's customers."""
    orders = pd.read_parquet(cdnow_path)
    path = tmp_path_factory.mktemp("cdnow") / "orders.parquet"
    orders[orders["customer_id"].astype(int) % 20 == 0].to_parquet(path)
    settings, _ = DATA["CDNOW"]
    return backtest(settings, path, trials=1, cut_offs=1)


def test_every_model_has_every_metric_with_its_interval(evaluations):
    table = lines(evaluations[0])
    assert [line[0] for line in table] == [
        "stayworth",
        "bgnbd_gamma_gamma",
        "pareto_nbd_gamma_gamma",
        "last_period",
        "hiatus",
        "rfm_logistic",
    ]
    assert all(len(line) == 1 + len(METRICS) for line in table)
    auc, interval = table[0][1].split("\n")
    low, high = (float(end) for end in interval.split(", "))
    assert 0.7 < low <= float(auc) <= high < 0.9


def test_verdicts_count_every_test_day_against_every_opponent(evaluations):
    for opponent, *cells in verdicts(evaluations * 3):
        assert opponent in evaluations[0]["differences"]
        assert all(sum(int(count) for count in one.split(" / ")) == 3 for one in cells)


def test_a_model_is_better_only_if_the_whole_interval_is():
    up, down, unclear = ({"value": 0, "low": low, "high": high} for low, high in ((1, 2), (-2, -1), (-1, 2)))
    assert [verdict("roc_auc", one) for one in (up, down, unclear)] == [1, -1, 0]
    assert [verdict("log_loss", one) for one in (up, down, unclear)] == [-1, 1, 0]
    assert verdict("roc_auc", {"value": 0.1, "low": None, "high": None}) == 0


def test_a_cell_is_short_and_a_dash_where_undefined():
    assert cell("decile_mape", {"value": 0.2, "low": None, "high": None}) == "20%\n–, –"
    assert cell("roc_auc", {"value": 0.8, "low": 0.75, "high": 1.0}) == ".800\n.750, 1.000"
    assert cell("total_bias", {"value": -0.17, "low": -0.2, "high": 0.1}) == "-17%\n-20%, +10%"


def test_a_data_set_that_is_not_there_is_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("benchmarks.accuracy.DATA", {"Nowhere": (tmp_path / "no.toml", tmp_path / "no.parquet")})
    monkeypatch.setattr("benchmarks.table.RESULTS", tmp_path)
    main([])
    assert f"Nowhere: not measured, {tmp_path / 'no.parquet'} is not there" in capsys.readouterr().out
    assert set(json.loads((tmp_path / "accuracy.json").read_text())) == {"machine"}
