"""Trees: held to a direction, refused a device that is not there, grown from a stream as from memory."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xgboost

from features.errors import InputError
from models.trees import boosting

INPUTS: boosting.Inputs = {"days": None, "spend": None, "channel": ["shop", "web"]}
PARAMS = {**boosting.defaults(20_000), "rounds": 60, "learning_rate": 0.1}


def drawn(rows: int, seed: int) -> pd.DataFrame:
    """Leaving falls and rises again with days, and is likelier on the web; some days are unknown."""
    rng = np.random.default_rng(seed)
    days = rng.uniform(0, 10, rows)
    channel = rng.choice(["shop", "web", "fair"], rows, p=[0.5, 0.4, 0.1])
    chance = 0.2 + 0.05 * np.abs(days - 3) + 0.2 * (channel == "web")
    frame = {"days": np.where(rng.random(rows) < 0.05, np.nan, days), "spend": rng.lognormal(3, 1, rows)}
    return pd.DataFrame({**frame, "channel": channel, "churned": rng.random(rows) < chance})


def grown(data: boosting.Matrix, **changes: object) -> boosting.Booster:
    settings = {"objective": "binary:logistic", "params": PARAMS, "seed": 7} | changes
    return boosting.grow_trees(data, **settings)


def test_trees_are_those_of_xgboost_itself_to_the_byte_and_know_their_features():
    rows = drawn(2_000, seed=3)
    data = boosting.matrix(rows, INPUTS, rows["churned"].to_numpy(np.float32))
    settings = boosting.xgboost_settings(list(INPUTS), objective="binary:logistic", params=PARAMS, seed=7)
    plain = xgboost.train(settings | {"device": "cpu"}, data, PARAMS["rounds"])
    for _ in range(2):  # the matrix is as it was
        booster = grown(data)
        assert boosting.to_ubj(booster) == boosting.to_ubj(plain)
        assert booster.feature_names == data.feature_names == list(INPUTS)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_monotone_feature_only_moves_the_score_one_way(direction):
    rows = drawn(20_000, seed=1)
    data = boosting.matrix(rows, INPUTS, rows["churned"].to_numpy(np.float32))
    path = pd.DataFrame({"days": np.linspace(0, 10, 200), "spend": 20.0, "channel": "web"})
    free = grown(data).predict(boosting.matrix(path, INPUTS))
    held = grown(data, monotone={"days": direction}).predict(boosting.matrix(path, INPUTS))
    assert np.diff(free).min() < 0 < np.diff(free).max()
    assert (direction * np.diff(held) >= -1e-7).all()
    assert np.ptp(held) > 0.01


def test_a_monotone_feature_that_is_not_there_is_named():
    rows = drawn(200, seed=2)
    data = boosting.matrix(rows, INPUTS, rows["churned"].to_numpy(np.float32))
    with pytest.raises(InputError, match=r"train\.monotone: there is no feature 'day' among the 3") as caught:
        grown(data, monotone={"day": 1})
    assert "features --list" in caught.value.next


def test_a_device_that_is_not_there_is_one_clear_error(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    rows = drawn(200, seed=2)
    data = boosting.matrix(rows, INPUTS, rows["churned"].to_numpy(np.float32))
    with pytest.raises(InputError, match=r'train\.device: is "cuda", but XGBoost finds no GPU') as caught:
        grown(data, device="cuda")
    assert '"cpu"' in caught.value.next
    with pytest.raises(InputError, match="'tpu' is not one of cpu, cuda"):
        grown(data, device="tpu")


@pytest.mark.parametrize("rows", [400, 1_500, 20_000])
def test_defaults_learn_from_few_rows_as_from_many(rows):
    """The trees tell the web from the shop, and know no more than there is to know."""
    taught, test = drawn(rows, seed=3), drawn(5_000, seed=4)
    data = boosting.matrix(taught, INPUTS, taught["churned"].to_numpy(np.float32))
    score = grown(data, params=boosting.defaults(rows)).predict(boosting.matrix(test, INPUTS))
    assert score[test["channel"] == "web"].mean() > score[test["channel"] == "shop"].mean() + 0.03
    assert 0 < score.min() < score.max() < 1


def test_an_objective_of_two_outputs_starts_where_it_says_and_survives_being_written_down():
    rows = drawn(2_000, seed=5)
    target = rows["spend"].to_numpy(np.float32)

    def squares(outputs: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return outputs - np.column_stack([target, -target]), np.ones_like(outputs)

    loss = boosting.Objective(squares, (10.0, -20.0))
    data, plain = boosting.matrix(rows, INPUTS, target), boosting.matrix(rows, INPUTS)
    none = grown(data, objective=loss, params=PARAMS | {"rounds": 0}).predict(plain, output_margin=True)
    np.testing.assert_allclose(none, np.tile([10.0, -20.0], (2_000, 1)), rtol=1e-6)
    booster = grown(data, objective=loss)
    outputs = booster.predict(plain, output_margin=True)
    np.testing.assert_allclose(outputs.mean(axis=0), [target.mean(), -target.mean()], rtol=0.05)
    again = boosting.from_ubj(boosting.to_ubj(booster)).predict(plain, output_margin=True)
    np.testing.assert_array_equal(again, outputs)
    added = boosting.contributions(booster, plain)
    np.testing.assert_allclose(added.sum(axis=2), outputs, rtol=1e-3, atol=1e-3)


def test_trees_grown_from_a_stream_of_files_are_those_grown_in_memory(tmp_path: Path, monkeypatch):
    """Several files, batches smaller than a file, a file without rows; other columns are not read."""
    monkeypatch.setattr(boosting, "BATCH", 3_000)
    rows, test = drawn(20_000, seed=6), drawn(2_000, seed=7)
    table = pa.Table.from_pandas(rows.assign(note="not a feature"), preserve_index=False)
    paths = [tmp_path / f"rows-{part}.parquet" for part in range(3)]
    for path, piece in zip(paths, [table.slice(0, 12_000), table.slice(0, 0), table.slice(12_000)], strict=True):
        pq.write_table(piece, path, row_group_size=5_000)
    cache = tmp_path / "cache"
    cache.mkdir()
    streamed = boosting.matrix_from_parquet(paths, INPUTS, label="churned", cache=cache)
    whole = boosting.matrix(rows, INPUTS, rows["churned"].to_numpy(np.float32))
    assert (streamed.num_row(), streamed.num_col()) == (20_000, 3)
    np.testing.assert_array_equal(streamed.get_label(), whole.get_label())
    assert any(cache.iterdir())
    params = PARAMS | {"subsample": 1.0, "colsample_bytree": 1.0}
    judged = boosting.matrix(test, INPUTS)
    scores = [grown(data, params=params).predict(judged) for data in (streamed, whole)]
    assert np.abs(scores[0] - scores[1]).mean() < 0.005
    assert np.corrcoef(scores)[0, 1] > 0.99
