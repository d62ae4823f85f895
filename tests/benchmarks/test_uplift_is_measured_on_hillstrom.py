"""The benchmark of uplift: what it must find on Hillstrom's mails, and what it shows and keeps."""

import json

import numpy as np
import pandas as pd
import pytest

from benchmarks import uplift as benchmark
from models.uplift import learners
from models.uplift.learner_selection import RANDOM, RESPONSE


@pytest.mark.slow
def test_a_task_is_shown_and_kept(monkeypatch, tmp_path, capsys):
    rng, n = np.random.default_rng(1), 900
    mails = ["No E-Mail", "Womens E-Mail", "Mens E-Mail"]
    rows = pd.DataFrame({name: rng.random(n) for name in benchmark.FEATURES})
    rows = rows.assign(
        segment=rng.choice(mails, n), zip_code=rng.choice(["Urban", "Rural"], n), visit=rng.random(n) < 0.2
    )
    rows.to_parquet(tmp_path / "customers.parquet")
    monkeypatch.setattr(benchmark, "CUSTOMERS", tmp_path / "customers.parquet")
    monkeypatch.setattr("benchmarks.table.RESULTS", tmp_path)
    benchmark.main(["--mails", "men's", "pooled", "--outcomes", "visit", "--resamples", "40"])
    said = capsys.readouterr().out
    kept = json.loads((tmp_path / "uplift.json").read_text())["tasks"]
    assert list(kept) == ["visit, men's", "visit, pooled"]
    for one in kept.values():
        assert one["says"] in said
        assert set(one["qini"]) == set(one["half"]) == {RANDOM, RESPONSE, "risk", *learners.KINDS}
        assert one["half"][RANDOM] == {"value": 0, "low": 0, "high": 0}


def test_data_that_are_not_there_are_named(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(benchmark, "CUSTOMERS", tmp_path / "no.parquet")
    monkeypatch.setattr("benchmarks.table.RESULTS", tmp_path)
    benchmark.main([])
    assert f"uplift: not measured, {tmp_path / 'no.parquet'} does not exist" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("shared")
def test_on_visits_the_womens_mail_is_for_those_it_moves():
    choice, half = benchmark.measure("women's", "visit", resamples=300, seed=7)
    assert choice.learner in learners.KINDS
    for kind in ("T", "X", "R", "class"):
        figure = choice.qini[kind].times(1000)
        assert 0 < figure.low < 2 * 3.5 < figure.high, "measured before, the treated alone counted: 3.5"
    assert half[choice.learner].low > 0


@pytest.mark.slow
@pytest.mark.usefixtures("shared")
def test_on_visits_the_mens_mail_is_for_those_who_respond():
    choice, _ = benchmark.measure("men's", "visit", resamples=300, seed=7)
    assert (choice.learner, choice.ranking) == (None, RESPONSE)
    figure = choice.qini[RESPONSE].times(1000)
    assert 0 < figure.low < 2 * 1.65 < figure.high, "measured before, the treated alone counted: 1.65"


@pytest.mark.slow
@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("mail", benchmark.MAILS)
def test_on_spend_no_learner_is_chosen(mail):
    choice, _ = benchmark.measure(mail, "spend", resamples=300, seed=7)
    assert choice.learner is None
