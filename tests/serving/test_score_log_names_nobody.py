"""The log of answered scores: a sample of customers by keyed hash, in whole lines, behind a key of its owner alone."""

import hmac
import json
import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest

from features.errors import InputError
from serving import score_log
from serving.score_log import ScoreLog, customer_hash
from tests.serving.running import SECRET_ID

WRITER = """
import sys
from pathlib import Path
from serving.score_log import ScoreLog
log = ScoreLog(Path(sys.argv[1]), share=1.0)
score = {"as_of": "1998-04-02", "model_version": "m" * 12, "churn_probability": 0.5, "expected_value": 1.0}
for number in range(200):
    log.note([score | {"customer_id": f"{sys.argv[2]} {number} {one}"} for one in range(50)])
"""


def score(customer_id):
    return {
        "customer_id": customer_id,
        "as_of": date(1998, 4, 2),
        "model_version": "0123456789ab",
        "churn_probability": 0.25,
        "expected_value": 12.5,
        "clv": 99.0,
    }


def lines(folder):
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


def test_a_hundredth_of_the_customers_is_kept_and_always_the_same(folder):
    log = ScoreLog(folder)
    everybody = [score(f"{number:05d}") for number in range(20_000)]
    log.note(everybody)
    first = {line["customer"] for line in lines(folder)}
    assert 140 < len(first) < 260
    ScoreLog(folder).note(reversed(everybody))
    again = lines(folder)
    assert len(again) == 2 * len(first)
    assert {line["customer"] for line in again} == first


def test_a_customer_is_known_by_the_keyed_hash_alone(folder):
    ScoreLog(folder, share=1.0).note([score(SECRET_ID)])
    [line] = lines(folder)
    key = (folder / "key").read_bytes()
    assert line["customer"] == hmac.digest(key, SECRET_ID.encode(), "sha256").hex()[:32]
    assert set(line) == {"at", "customer", "as_of", "model_version", "churn_probability", "expected_value"}
    assert (line["as_of"], line["churn_probability"], line["expected_value"]) == ("1998-04-02", 0.25, 12.5)
    for path in folder.iterdir():
        assert SECRET_ID.encode() not in path.read_bytes()


def test_another_shop_s_log_hashes_otherwise(tmp_path):
    keys = [ScoreLog(tmp_path / name).key for name in ("one", "two")]
    assert len({customer_hash(key, "00001") for key in keys}) == 2


def test_the_key_is_made_once_and_read_by_its_owner_alone(folder):
    before = os.umask(0)
    try:
        key = ScoreLog(folder).key
    finally:
        os.umask(before)
    assert len(key) == 32
    assert ScoreLog(folder).key == key
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nobody_in_the_sample_leaves_no_file(folder):
    ScoreLog(folder, share=0.0).note([score("1")])
    assert lines(folder) == []
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_several_processes_add_whole_lines_under_one_key(folder):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, folder, str(number)]) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    found = lines(folder)
    key = (folder / "key").read_bytes()
    expected = {
        customer_hash(key, f"{who} {number} {one}") for who in range(3) for number in range(200) for one in range(50)
    }
    assert len(found) == 30_000
    assert {line["customer"] for line in found} == expected


def test_a_full_disk_loses_lines_and_no_answer(folder):
    log = ScoreLog(folder, share=1.0)
    today = f"{score_log.datetime.now(score_log.UTC).date()}.jsonl"
    (folder / today).symlink_to("/dev/full")
    log.note([score("1")])
    (folder / today).unlink()
    log.note([score("1")])
    assert len(lines(folder)) == 1


def test_a_folder_that_cannot_be_used_is_said(tmp_path):
    (tmp_path / "log").write_text("a file")
    with pytest.raises(InputError, match=r"cannot be used: .*\n.*output\.folder") as caught:
        ScoreLog(tmp_path / "log")
    assert str(tmp_path / "log") in str(caught.value)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_that_is_none_is_refused(folder, size):
    """An empty one would make the hashes anybody's to guess."""
    folder.mkdir()
    (folder / "key").write_bytes(b"x" * size)
    with pytest.raises(InputError, match=rf"is not a key: {size} bytes instead of 32\n"):
        ScoreLog(folder)


def test_all_who_start_at_once_have_one_key(folder):
    with ThreadPoolExecutor(16) as workers:
        for turn in range(20):
            place = folder / str(turn)
            keys = list(workers.map(lambda _, place=place: ScoreLog(place).key, range(16)))
            assert len(set(keys)) == 1
            assert [path.name for path in place.iterdir()] == ["key"]
