"""The accuracy benchmark at a small size: every model, every metric, and a verdict only where the data give one."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from benchmarks import accuracy, accuracy_backtest
from benchmarks.accuracy import TASKS, main
from benchmarks.accuracy_backtest import backtest
from benchmarks.accuracy_figures import FIGURES, is_reached
from benchmarks.accuracy_shops import CDNOW
from benchmarks.accuracy_table import COMPARED, METRICS, cell, header, lines, missed, target, verdict, verdicts, worse


@pytest.fixture(scope="module")
def evaluations(cdnow_path, tmp_path_factory):
    """One test day on a twentieth of CDNOW's customers."""
    orders = pd.read_parquet(cdnow_path)
    path = tmp_path_factory.mktemp("cdnow") / "orders.parquet"
    orders[orders["customer_id"].astype(int) % 20 == 0].to_parquet(path)
    return backtest(replace(CDNOW, orders=path), trials=1, cut_offs=1)


def measured(**metrics):
    """An evaluation of two models by the values, lows and highs of metrics: ours, theirs, the difference."""
    ours, theirs, difference = (
        {name: dict(zip(("value", "low", "high"), of[k], strict=True)) for name, of in metrics.items()}
        for k in range(3)
    )
    return {"models": {"stayworth": ours, "hiatus": theirs}, "differences": {"hiatus": difference}}


@pytest.mark.slow
def test_every_model_has_every_metric_with_its_interval(evaluations):
    assert header(evaluations[0]) == ["", "stayworth", "BG/NBD", "Pareto/NBD", "last period", "hiatus", "RFM logit"]
    table = lines(evaluations[0])
    assert [line[0] for line in table] == list(METRICS.values())
    assert all(len(line) == 7 for line in table)
    auc, interval = table[0][1].split("\n")
    low, high = (float(end) for end in interval.split(", "))
    assert 0.7 < low <= float(auc) <= high < 0.9
    assert table[-1][2:] == [""] * 5, "only ours gives an interval of value, so only ours has a coverage"


@pytest.mark.slow
def test_verdicts_count_every_test_day_against_every_opponent(evaluations):
    for _, *cells in verdicts(evaluations * 3):
        assert len(cells) == len(COMPARED)
        assert all(sum(int(count) for count in one.split(" / ")) == 3 for one in cells)


def test_a_model_is_better_only_if_the_whole_interval_is():
    up, down, unclear = ({"value": 0, "low": low, "high": high} for low, high in ((1, 2), (-2, -1), (-1, 2)))
    assert [verdict("roc_auc", one) for one in (up, down, unclear)] == [1, -1, 0]
    assert [verdict("log_loss", one) for one in (up, down, unclear)] == [-1, 1, 0]
    assert verdict("roc_auc", {"value": 0.1, "low": None, "high": None}) == 0


def test_an_opponent_is_marked_where_it_is_worse_or_better_beyond_its_interval():
    at, sure, unsure = (0.8, 0.7, 0.9), (0.1, 0.05, 0.2), (0.1, -0.1, 0.2)
    one = measured(roc_auc=(at, at, sure), ece=(at, at, sure), spearman=(at, at, unsure), total_bias=(at, at, sure))
    assert [line[2].split("\n")[0] for line in lines(one)] == [".800 ▼", ".800 ▲", ".800", "+80%"]
    assert worse(one) == ["hiatus in ECE"]


def test_a_figure_is_reached_as_printed():
    assert is_reached(0.7836, "≥ .784")
    assert not is_reached(0.7834, "≥ .784")
    assert is_reached(0.0304, "≤ .030")
    assert not is_reached(0.0306, "≤ .030")
    assert is_reached(-0.104, "± .10")
    assert not is_reached(-0.106, "± .10")
    assert [is_reached(value, ".78 – .82") for value in (0.77, 0.78, 0.8, 0.82, 0.83)] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_what_is_missed_is_named_and_an_undefined_metric_reaches_nothing():
    at, none = (0.8, 0.7, 0.9), (None, None, None)
    one = measured(roc_auc=(at, at, at), ece=(none, at, at))
    assert target("roc_auc", one["models"]["stayworth"]["roc_auc"], {"roc_auc": "≥ .8"}) == "≥ .8\nreached"
    assert target("spearman", one["models"]["stayworth"]["roc_auc"], {"roc_auc": "≥ .8"}) == ""
    assert missed(one, {"roc_auc": "≥ .8", "ece": "≤ .8"}) == ["ECE"]


def test_every_task_has_figures_that_can_be_read():
    assert set(FIGURES) == set(TASKS)
    for figures in FIGURES.values():
        assert set(figures) <= set(METRICS)
        assert [is_reached(0.5, figure) in (True, False) for figure in figures.values()]


def test_a_cell_is_short_and_a_dash_where_undefined():
    assert cell("decile_mape", {"value": 0.2, "low": None, "high": None}) == "20%\n–, –"
    assert cell("roc_auc", {"value": 0.8, "low": 0.75, "high": 1.0}) == ".800\n.750, 1.000"
    assert cell("total_bias", {"value": -0.17, "low": -0.2, "high": 0.1}) == "-17%\n-20%, +10%"


def test_a_task_is_shown_and_kept_with_its_verdict(monkeypatch, tmp_path, capsys):
    at, difference = (0.86, 0.85, 0.87), (0.1, 0.05, 0.2)
    one = {"customers": 7, **measured(roc_auc=(at, at, difference), ece=(at, at, difference))}
    monkeypatch.setitem(accuracy.TASKS, "Telco", accuracy.Task("who leaves", tmp_path, lambda: one))
    monkeypatch.setattr("benchmarks.table.RESULTS", tmp_path)
    main(["--only", "Telco"])
    assert "Telco: missed ECE; worse than hiatus in ECE" in capsys.readouterr().out
    kept = json.loads((tmp_path / "accuracy.json").read_text())["Telco"]
    assert (kept["missed"], kept["figures"]["roc_auc"], kept["customers"]) == (["ECE"], "≥ .8496", 7)


def test_data_that_are_not_there_are_named(monkeypatch, tmp_path, capsys):
    absent = tmp_path / "no.parquet"
    monkeypatch.setattr(accuracy, "TASKS", {name: replace(task, needs=absent) for name, task in TASKS.items()})
    monkeypatch.setattr(accuracy_backtest, "SHOPS", {"Nowhere": replace(CDNOW, orders=absent)})
    monkeypatch.setattr("benchmarks.table.RESULTS", tmp_path)
    main([])
    said = capsys.readouterr().out
    assert all(f"{name}: not measured, {absent} does not exist" in said for name in TASKS)
    assert set(json.loads((tmp_path / "accuracy.json").read_text())) == {"machine", "tables"}
    accuracy_backtest.main([])
    assert set(json.loads((tmp_path / "accuracy_backtest.json").read_text())) == {"machine", "tables"}
    assert f"Nowhere: not measured, {absent} does not exist" in capsys.readouterr().out
