"""Trees grown by Spark on files of rows are those grown in memory on the same rows, but for what chance draws."""

import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from features.errors import InputError
from features.large_logs.spark import spark_session
from models.trees import boosting, churn, training_rows, value
from models.trees.training_rows import Stream

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas")]
INPUTS: boosting.Inputs = {"days": None, "spend.total": None, "channel": ["shop", "web"]}
LABELS = ("as_of", "bought", "future_orders", "future_value")
PARAMS = {**boosting.defaults(8_000), "rounds": 40, "learning_rate": 0.15, "subsample": 1.0, "colsample_bytree": 1.0}


def drawn(rows: int, seed: int) -> pd.DataFrame:
    """The longer away, the less they buy; those of the web come back; who spent much spends much."""
    rng = np.random.default_rng(seed)
    days, spend = rng.uniform(0, 10, rows), rng.lognormal(3, 1, rows)
    channel = rng.choice(["shop", "web", "fair"], rows)
    bought = rng.random(rows) < 1 / (1 + np.exp(days - 3 - 2 * (channel == "web")))
    return pd.DataFrame(
        {
            "days": np.where(rng.random(rows) < 0.05, np.nan, days),
            "spend.total": spend,
            "channel": channel,
            "as_of": pd.to_datetime(rng.choice(["2020-01-01", "2020-03-01"], rows)),
            "bought": bought,
            "future_orders": bought * (1 + rng.poisson(spend / 40)),
            "future_value": bought * spend * rng.lognormal(0, 0.5, rows),
        }
    )


def ready(rows: pd.DataFrame) -> pd.DataFrame:
    """With what is learnt, and an offset that depends on what stands beside the features."""
    offset = np.where(rows["as_of"] > pd.Timestamp(2020, 2, 1), 1.5, -1.0)
    return rows.assign(quiet=~rows["bought"], offset=offset)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return drawn(8_000, seed=1)


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    return drawn(2_000, seed=2)


@pytest.fixture(scope="module")
def spread(rows, tmp_path_factory):
    """The rows in three files for two workers of a Spark on this machine."""
    pytest.importorskip("pyspark", reason="needs the extra [spark]")
    if not shutil.which("java"):
        pytest.skip("needs Java")
    folder = tmp_path_factory.mktemp("spread")
    files = [folder / f"{number}.parquet" for number in range(3)]
    for file, first in zip(files, (0, 3_000, 5_000), strict=True):
        rows[first : {0: 3_000, 3_000: 5_000}.get(first)].to_parquet(file, index=False)
    with spark_session("local[2]", folder) as spark:
        yield Stream(tuple(files), len(rows), LABELS, spark=spark)


def assert_alike(one: np.ndarray, other: np.ndarray) -> None:
    assert np.corrcoef(one, other)[0, 1] > 0.995
    assert other.mean() == pytest.approx(one.mean(), rel=0.02)


def test_a_probability_learns_with_an_offset_and_in_one_direction(rows, judged, spread):
    fit = partial(
        churn.fit, inputs=INPUTS, params=PARAMS, seed=7, target="quiet", offset="offset", monotone={"days": 1}
    )
    here, there = (fit(training_rows.changed(of, ready)) for of in (rows, spread))
    assert_alike(here.probability(judged, INPUTS), there.probability(judged, INPUTS))
    assert there.booster.feature_names == list(INPUTS)
    steps = pd.DataFrame({"days": np.linspace(0, 10, 200), "spend.total": 20.0, "channel": "shop"})
    assert (np.diff(there.probability(steps, INPUTS)) >= 0).all()


@pytest.mark.parametrize("kind", value.KINDS)
def test_a_value_of_each_kind_is_learnt(rows, judged, spread, kind):
    here, there = (value.fit(of, INPUTS, params=PARAMS, seed=7, kind=kind) for of in (rows, spread))
    for read in (value.Value.margin, value.Value.orders):
        assert_alike(read(here, judged, INPUTS), read(there, judged, INPUTS))
    assert there.factor == pytest.approx(here.factor, rel=0.01)


def test_the_same_seed_and_workers_give_the_same_booster(spread):
    params = {**PARAMS, "subsample": 0.7, "colsample_bytree": 0.7, "rounds": 15}
    one, same, other = (
        boosting.to_ubj(churn.fit(spread, INPUTS, params=params, seed=seed, target="bought").booster)
        for seed in (7, 7, 8)
    )
    assert one == same
    assert one != other


def test_one_worker_grows_the_trees_of_one_machine(rows, judged, spread):
    """Nothing is left to differ: to the bit, through the files, Spark and back."""
    alone = replace(spread, files=spread.files[:1])
    here, there = (
        churn.fit(of, INPUTS, params=PARAMS, seed=7, target="bought").booster for of in (rows[:3_000], alone)
    )
    raw = [booster.predict(boosting.matrix(judged, INPUTS), output_margin=True) for booster in (here, there)]
    np.testing.assert_array_equal(*raw)


def test_a_worker_may_find_nothing_to_learn_in_its_files(rows, judged, spread, tmp_path):
    file = tmp_path / "quiet.parquet"
    rows[~rows["bought"]].to_parquet(file, index=False)
    some = replace(spread, files=(spread.files[0], file))
    here, there = (value.fit(of, INPUTS, params=PARAMS, seed=7) for of in (rows[:3_000], some))
    assert_alike(here.margin(judged, INPUTS), there.margin(judged, INPUTS))


def test_a_direction_for_a_feature_that_is_not_there_is_refused(spread):
    with pytest.raises(InputError, match="there is no feature 'age' among the 3"):
        churn.fit(spread, INPUTS, params=PARAMS, seed=7, target="bought", monotone={"age": 1})


def test_numbers_beside_a_stream_are_no_offset(spread):
    with pytest.raises(TypeError, match="the offset of a stream is a column"):
        churn.fit(spread, INPUTS, params=PARAMS, seed=7, target="bought", offset=np.zeros(8_000))
