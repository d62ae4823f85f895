"""Rows streamed from files teach trees what the same rows teach them from memory, whatever is learnt of them."""

from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from models.trees import boosting, churn, training_rows, value
from models.trees.training_rows import Stream

INPUTS: boosting.Inputs = {"days": None, "spend": None, "channel": ["shop", "web"]}
LABELS = ("as_of", "churned", "bought", "future_orders", "future_value")
PARAMS = {**boosting.defaults(20_000), "rounds": 60, "learning_rate": 0.1, "subsample": 1.0, "colsample_bytree": 1.0}
DAYS = [date(2020, 1, 1), date(2020, 3, 1), date(2020, 5, 1)]


def drawn(rows: int, seed: int) -> pd.DataFrame:
    """Who was away for long buys less, who spent much spends much."""
    rng = np.random.default_rng(seed)
    days, spend = rng.uniform(0, 10, rows), rng.lognormal(3, 1, rows)
    bought = rng.random(rows) < 1 / (1 + np.exp(days - 3))
    return pd.DataFrame(
        {
            "days": np.where(rng.random(rows) < 0.05, np.nan, days),
            "spend": spend,
            "channel": rng.choice(["shop", "web", "fair"], rows),
            "as_of": pd.to_datetime(rng.choice(DAYS, rows)).astype("datetime64[s]"),
            "churned": ~bought,
            "bought": bought,
            "future_orders": bought * (1 + rng.poisson(spend / 40)),
            "future_value": bought * spend * rng.lognormal(0, 0.5, rows),
        }
    )


@pytest.fixture(scope="module")
def rows():
    return drawn(20_000, seed=1)


@pytest.fixture(scope="module")
def judged():
    return drawn(3_000, seed=2)


@pytest.fixture
def streamed(rows, tmp_path, monkeypatch) -> Stream:
    """The rows in two files, read in batches that end in the middle of them."""
    monkeypatch.setattr(boosting, "BATCH", 3_000)
    files = []
    for number, part in enumerate((rows[:8_000], rows[8_000:])):
        files.append(tmp_path / f"{number}.parquet")
        part.to_parquet(files[-1], index=False)
    return Stream(tuple(files), len(rows), LABELS)


def test_a_probability_learns_with_an_offset(rows, judged, streamed):
    """The offset is made of what stands beside the features, and is not learnt again."""

    def known(some):
        return some.assign(offset=np.where(some["days"] > 5, 2.0, -1.0))

    made = [
        churn.fit(training_rows.changed(of, known), INPUTS, params=PARAMS, seed=7, offset="offset")
        for of in (rows, streamed)
    ]
    without = churn.fit(rows, INPUTS, params=PARAMS, seed=7).probability(judged, INPUTS)
    in_memory, from_files = (one.probability(judged, INPUTS) for one in made)
    assert np.corrcoef(in_memory, from_files)[0, 1] > 0.99
    assert np.abs(in_memory - from_files).mean() < 0.01
    assert np.abs(in_memory - without).mean() > 0.1


@pytest.mark.parametrize("kind", value.KINDS)
def test_a_value_of_each_kind_learns_from_those_it_is_learnt_from(rows, judged, streamed, kind):
    made = [value.fit(of, INPUTS, params=PARAMS, seed=7, kind=kind) for of in (rows, streamed)]
    for read in (value.Value.margin, value.Value.orders):
        in_memory, from_files = (read(one, judged, INPUTS) for one in made)
        assert np.corrcoef(in_memory, from_files)[0, 1] > 0.99
        assert from_files.mean() == pytest.approx(in_memory.mean(), rel=0.02)
    assert made[1].factor == pytest.approx(made[0].factor, rel=0.01)


def test_only_the_days_asked_for_are_read(rows, streamed):
    with training_rows.matrix(streamed.on(DAYS[:2]), INPUTS, label="future_value") as data:
        labels = data.get_label()
    files = ", ".join(f"'{file}'" for file in streamed.files)
    count, total = duckdb.sql(f"""
        select count(*), sum(future_value) from read_parquet([{files}]) where as_of < '2020-04-01'""").fetchall()[0]
    assert 0 < count < len(rows)
    assert (len(labels), labels.sum()) == (count, pytest.approx(total, rel=1e-5))


def test_the_copy_for_the_trees_vanishes_with_them(streamed, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    with training_rows.matrix(streamed, INPUTS, label="churned"):
        assert list((tmp_path / "scratch").iterdir())
    assert not list((tmp_path / "scratch").iterdir())


def test_numbers_beside_a_stream_are_no_offset(streamed):
    with (
        pytest.raises(TypeError, match="the offset of a stream is a column"),
        training_rows.matrix(streamed, INPUTS, label="churned", offset=np.zeros(20_000)),
    ):
        pass
