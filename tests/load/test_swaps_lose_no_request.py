"""Twenty new champions and twenty new batches under load: no request fails, each answer is wholly of one version.

In between lie bad ones, which are refused: the last good one serves on.
"""

import json
import shutil
import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import httpx
import pytest

from models.artifacts import bundle
from models.prediction import NUMBERS
from serving import active_model
from tests.serving.running import TOKEN, running
from tests.serving.served import asked_of, pessimist, written

SWAPS = 20
LOOK_OFTEN = """
from serving import hot_reload
hot_reload.REFRESH_INTERVAL_S = 0.1
"""


@pytest.fixture
def shop(batch, model, tmp_path):
    """A folder that serves, with two bundles and two batches to take turns, and what each scores by its version."""
    home = tmp_path / "served"
    (home / "champion" / active_model.BUNDLES).mkdir(parents=True)
    expected, names = {}, []
    for turn, made in enumerate((model, pessimist(model))):
        draft = home / "champion" / active_model.BUNDLES / "draft"
        draft.mkdir()
        training = {"as_of": "1998-04-02", "horizon_days": 90, "seed": turn, "params": {}}
        names.append(bundle.write(draft, made, training=training)[:12])
        scorer = bundle.read(draft)
        draft.rename(draft.with_name(names[turn]))
        scores = written(home / f"scores-{turn}", scorer, batch.rows)
        expected[scorer.version] = {one["customer_id"]: one for one in scores.to_dict("records")}
    assert names == list(expected)
    return home, expected


def put(path, content):
    draft = path.with_name("draft")
    draft.write_bytes(content)
    draft.replace(path)


@contextmanager
def asking(url, path, body, answers):
    """A client that asks without a pause while the block lasts; its answers come into the list."""
    done = threading.Event()

    def ask():
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20) as client:
            while not done.is_set():
                answers.append(client.post(path, json=body))

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(30)


def point(home, name, registered):
    told = {"bundle": name, "registered": registered, "metrics": {}}
    put(home / "champion" / active_model.POINTER, json.dumps(told).encode())


@pytest.mark.slow
@pytest.mark.alone
def test_swaps_of_model_and_scores_fail_no_request_and_mix_no_two(shop, batch, tmp_path):
    home, expected = shop
    names, ids = list(expected), batch.scores["customer_id"].head(20).tolist()
    bad = home / "champion" / active_model.BUNDLES / "badbadbadbad"
    shutil.copytree(home / "champion" / active_model.BUNDLES / names[0], bad)
    content = bytearray((bad / "quiet.ubj").read_bytes())
    content[len(content) // 2] ^= 1
    (bad / "quiet.ubj").write_bytes(content)
    torn = (home / "scores-0").read_bytes()[:-1]
    point(home, names[0], "0")
    put(home / "scores.store", (home / "scores-0").read_bytes())
    by_id, raw = [], []
    with (
        running(home, tmp_path, first=LOOK_OFTEN) as one,
        asking(one.url, "/v1/score", {"customer_ids": ids}, by_id),
        asking(one.url, "/v1/score_histories", asked_of(batch, ids), raw),
    ):

        def wait_for(**expected):
            deadline = time.monotonic() + 20
            while (told := one.client.get("/v1/model").json()) | expected != told:
                assert time.monotonic() < deadline, (expected, told)
                time.sleep(0.02)

        for swap in range(1, SWAPS + 1):
            if swap % 5 == 0:
                point(home, "badbadbadbad", "bad")
                put(home / "scores.store", torn)
                time.sleep(0.5)
                wait_for(registered=str(swap - 1), scores_model_version=names[(swap - 1) % 2])
            point(home, names[swap % 2], str(swap))
            put(home / "scores.store", (home / f"scores-{swap % 2}").read_bytes())
            wait_for(registered=str(swap), scores_model_version=names[swap % 2])
    for answers, close in ((by_id, 0.0), (raw, 1e-6)):
        assert {answer.status_code for answer in answers} == {200}
        versions = []
        for answer in answers:
            scores = answer.json()["scores"]
            assert [score["customer_id"] for score in scores] == ids
            [version] = {score["model_version"] for score in scores}
            versions.append(version)
            for score in scores:
                right = expected[version][score["customer_id"]]
                assert max(abs(score[name] - right[name]) for name in NUMBERS) <= close
        turns = sum(first != second for first, second in pairwise(versions))
        assert turns >= SWAPS - 2
    events = [line["event"] for line in one.journal if line["event"] != "request"]
    assert events.count("model loaded") == events.count("scores loaded") == SWAPS + 1
    assert events.count("model refused") == events.count("scores refused") == SWAPS // 5
    print(f"{len(by_id) + len(raw):,} requests")
