"""Every batch of scores is kept as it was made, told apart by day and model, and refused if a byte has changed."""

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pytest

from features.errors import InputError
from models.artifacts import bundle, registry
from models.prediction import DATES, NUMBERS
from pipelines import run_folder
from pipelines.batches import ledger
from pipelines.batches.staged_scores import SCHEMA

NOON = datetime(2020, 6, 1, 12, tzinfo=UTC)
DAY = date(2020, 5, 1)
KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines import run_folder
from tests.pipelines.batches.test_ledger_keeps_every_batch import keep

run_folder.write_json = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
keep(Path(sys.argv[1]), churn=0.75)
"""


def scores(churn=0.5, *, customers=3, day=DAY, horizon_days=90, model="a1b2c3d4e5f6"):
    """A table of scores, as `Staged.tables` hands them out."""
    columns = {
        "customer_id": [f"{number:05d}" for number in range(customers)],
        "as_of": [day] * customers,
        "horizon_days": [horizon_days] * customers,
        **{name: [churn + number for number in range(customers)] for name in NUMBERS},
        **dict.fromkeys(DATES, [None] * customers),
        "segment": ["grow"] * customers,
        **dict.fromkeys(("reason_1", "reason_2", "reason_3"), [None] * customers),
        "model_version": [model] * customers,
    }
    return pa.table(columns, schema=SCHEMA)


def keep(folder, churn=0.5, *, day=DAY, model="a1b2c3d4e5f6", at=NOON, more=()):
    ledger.keep(
        folder,
        [scores(churn, day=day, model=model), *more],
        as_of=day,
        model_version=model,
        horizon_days=90,
        scored_at=at,
        data_end=date(2020, 5, 3),
        totals={"clv": 12.5},
    )


def test_a_batch_comes_back_as_it_was_without_reasons(tmp_path):
    keep(tmp_path, more=[scores(customers=2)])
    (entry,) = ledger.entries(tmp_path)
    assert entry.file.parent == tmp_path / "ledger"
    assert (entry.as_of, entry.model_version, entry.horizon_days) == (DAY, "a1b2c3d4e5f6", 90)
    assert (entry.scored_at, entry.data_end, entry.customers) == (NOON, date(2020, 5, 3), 5)
    assert entry.totals == {"clv": 12.5}
    expected = pa.concat_tables([scores(), scores(customers=2)]).to_pandas(date_as_object=False)
    kept = [name for name in SCHEMA.names if not name.startswith("reason")]
    pd.testing.assert_frame_equal(ledger.read(entry), expected[kept])
    assert ledger.row(entry, "00002")["clv"] == 2.5
    assert ledger.row(entry, "2") is None


def test_only_the_main_horizon_is_kept(tmp_path):
    keep(tmp_path, more=[scores(horizon_days=30), scores(horizon_days=180)])
    (entry,) = ledger.entries(tmp_path)
    assert ledger.read(entry)["horizon_days"].tolist() == [90] * 3


def test_batches_are_ordered_by_day_and_then_by_when_they_were_scored(tmp_path):
    assert ledger.entries(tmp_path) == []
    keep(tmp_path, day=date(2020, 6, 1), model="b" * 12)
    keep(tmp_path, model="c" * 12, at=NOON.replace(hour=13))
    keep(tmp_path, model="d" * 12)
    assert [one.model_version[0] for one in ledger.entries(tmp_path)] == ["d", "c", "b"]


def test_the_same_day_and_model_take_the_place_of_theirs(tmp_path):
    keep(tmp_path)
    keep(tmp_path, model="b" * 12)
    keep(tmp_path, churn=0.25)
    found = {one.model_version[0]: ledger.read(one)["clv"].tolist() for one in ledger.entries(tmp_path)}
    assert found == {"a": [0.25, 1.25, 2.25], "b": [0.5, 1.5, 2.5]}
    assert len(list((tmp_path / "ledger").iterdir())) == 4


@pytest.mark.slow
def test_killed_between_table_and_json_the_old_batch_stays_until_the_next_run(tmp_path):
    for name, kept in {"empty": 0, "with one": 1}.items():
        folder = tmp_path / name
        folder.mkdir()
        if kept:
            keep(folder)
        run = subprocess.run([sys.executable, "-c", KILLED, str(folder)], capture_output=True, text=True)
        assert run.returncode == -signal.SIGKILL, run.stderr
        assert [ledger.read(one)["clv"].tolist() for one in ledger.entries(folder)] == [[0.5, 1.5, 2.5]] * kept
        assert len(list((folder / "ledger").glob("*.parquet"))) == kept + 1
        keep(folder, churn=0.125)
        (entry,) = ledger.entries(folder)
        assert ledger.read(entry)["clv"].tolist() == [0.125, 1.125, 2.125]


def test_a_run_that_fails_leaves_the_old_batch_and_no_draft(tmp_path):
    keep(tmp_path)
    before = {path: path.read_bytes() for path in (tmp_path / "ledger").iterdir()}

    def failing():
        yield scores(0.9)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        keep(tmp_path, more=failing())
    assert {path: path.read_bytes() for path in (tmp_path / "ledger").iterdir()} == before


def test_any_flipped_byte_is_refused(tmp_path):
    keep(tmp_path)
    (entry,) = ledger.entries(tmp_path)
    told = entry.file.parent / f"{DAY}-{entry.model_version}.json"
    for path in (entry.file, told):
        whole = path.read_bytes()
        for place in range(0, len(whole), max(1, len(whole) // 40)):
            if whole[place : place + 1].isspace():
                continue
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(InputError, match=r"hash|SHA-256|cannot be read") as caught:
                ledger.read(*ledger.entries(tmp_path))
            assert caught.value.where == str(path)
            assert "score that day again" in caught.value.next
        path.write_bytes(whole)
    ledger.read(*ledger.entries(tmp_path))


def test_a_damaged_batch_is_mended_by_scoring_its_day_again(tmp_path):
    keep(tmp_path)
    told = tmp_path / "ledger" / f"{DAY}-a1b2c3d4e5f6.json"
    told.write_text(told.read_text().replace("90", "91"))
    with pytest.raises(InputError, match="is not what its hash says"):
        ledger.entries(tmp_path)
    keep(tmp_path)
    assert ledger.read(*ledger.entries(tmp_path))["clv"].tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize("look", [ledger.read, lambda entry: ledger.row(entry, "00001")])
def test_a_table_that_is_gone_or_another_one_is_one_clear_error(tmp_path, look):
    keep(tmp_path)
    (entry,) = ledger.entries(tmp_path)
    run_folder.write_tables(entry.file, [scores(0.75)])
    with pytest.raises(InputError, match=r"its SHA-256 begins with .{8}, that of the scores kept was .{8}"):
        look(entry)
    os.unlink(entry.file)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        look(entry)


def test_json_of_something_else_is_one_clear_error(tmp_path):
    run_folder.write_json(tmp_path / "ledger" / "notes.json", ["mine"])
    with pytest.raises(InputError, match=r"notes\.json: is not what its hash says"):
        ledger.entries(tmp_path)


@pytest.fixture(scope="module")
def registered(model, tmp_path_factory):
    """A registry with the model, and its version."""
    folder = tmp_path_factory.mktemp("registry")
    place = folder / "logged" / registry.BUNDLE
    place.mkdir(parents=True)
    version = bundle.write(place, model, training={"as_of": "1998-04-02"})[:12]
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    with registry.session(uri) as client:
        for number in (1, 2):
            source = (folder / ("logged" if number == 1 else "other")).as_uri()
            tags = {"bundle": version if number == 1 else "f" * 12}
            registry.register(client, source=source, run_id=None, model_id=None, tags=tags)
    return uri, version


def test_the_model_of_a_batch_is_found_again_by_its_version(registered, tmp_path):
    uri, version = registered
    keep(tmp_path, model=version)
    keep(tmp_path, model="0" * 12)
    keep(tmp_path, model="f" * 12)
    batches = {one.model_version: one for one in ledger.entries(tmp_path)}
    assert ledger.model_of(batches[version], uri).version == version
    for other, why in {"0" * 12: "no registered version has this bundle", "f" * 12: "MLflow says"}.items():
        with pytest.raises(InputError, match=f"the model {other}, which made the scores of {DAY}, is gone: {why}"):
            ledger.model_of(batches[other], uri)
