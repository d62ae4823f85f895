"""What a full disk stopped goes on once there is room: the service follows the registry, its log has no half line."""

import json
import resource

import pytest

from serving import active_model, fetch
from serving.score_log import ScoreLog

SCORE = {"as_of": "1998-06-02", "model_version": "8f4a736596aa", "churn_probability": 0.5, "expected_value": 1.0}


class Enough(Exception):
    """Ends the loop of the test."""


def test_the_follower_of_the_registry_outlives_a_full_disk(monkeypatch, tmp_path):
    told, comes = [], iter([OSError(28, "No space left on device"), True])

    def bring(*_):
        one = next(comes, Enough())
        if isinstance(one, Exception):
            raise one
        return one

    monkeypatch.setattr(active_model, "fetch_champion", bring)
    monkeypatch.setattr(fetch, "EVERY_S", 0)
    monkeypatch.setattr(fetch.access_log, "write_event", told.append)
    with pytest.raises(Enough):
        fetch.follow("sqlite:///x", tmp_path)
    assert [one["event"] for one in told] == ["champion not brought", "champion brought"]
    assert "No space left on device" in told[0]["why"]


def test_a_line_for_which_there_was_no_room_leaves_nothing(tmp_path):
    log = ScoreLog(tmp_path / "log", share=1.0)
    log.note([SCORE | {"customer_id": "ann"}])
    (file,) = log.folder.glob("*.jsonl")
    before, limits = file.read_text(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, limits[1]))
    try:
        log.note([SCORE | {"customer_id": "bob"}])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert file.read_text() == before
    log.note([SCORE | {"customer_id": "bob"}])
    assert len({json.loads(line)["customer"] for line in file.read_text().splitlines()}) == 2
