"""CHECKS 20 of the service: where the log of answers cannot be kept, the answers come all the same."""

import json

import pytest

from tests.serving.running import SECRET_ID, running

FULL = """
import pathlib
from serving import score_log, settings
settings.ScoreLog = lambda folder: score_log.ScoreLog(folder, share=1.0)
opened = pathlib.Path.open

def full(path, *how, **more):
    return opened(pathlib.Path("/dev/full") if path.suffix == ".jsonl" else path, *how, **more)

pathlib.Path.open = full
"""


def a_file(log):
    log.write_text("not a folder")


def an_empty_key(log):
    log.mkdir()
    (log / "key").touch()


@pytest.mark.slow
@pytest.mark.parametrize("broken", [a_file, an_empty_key])
def test_a_log_that_cannot_be_kept_is_told_once_and_scores_are_answered(batch, tmp_path, broken):
    broken(tmp_path / "log")
    with running(batch.folder, tmp_path, log=tmp_path / "log") as one:
        for _ in range(3):
            answer = one.client.post("/v1/score", json={"customer_ids": [SECRET_ID]})
            assert (answer.status_code, len(answer.json()["scores"])) == (200, 1)
    events = [line["event"] for line in one.journal if line["event"] != "request"]
    assert events.count("score log not kept") == 1
    assert "error" not in events
    assert SECRET_ID not in json.dumps(one.journal)


@pytest.mark.slow
def test_a_full_disk_loses_lines_of_the_log_and_no_answer(batch, tmp_path):
    with running(batch.folder, tmp_path, log=tmp_path / "log", first=FULL) as one:
        for _ in range(3):
            assert one.client.post("/v1/score", json={"customer_ids": [SECRET_ID]}).status_code == 200
    assert [path.name for path in (tmp_path / "log").iterdir()] == ["key"]
    assert "error" not in {line["event"] for line in one.journal}
