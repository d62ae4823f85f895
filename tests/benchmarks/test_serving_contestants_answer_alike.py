"""The servers that are timed against each other do the same job: one answer from all."""

import json
import shutil

import pytest

from benchmarks.accuracy_shops import CDNOW
from benchmarks.serving import OURS, summary, turn
from benchmarks.serving_client import Line, flood, request
from benchmarks.serving_contestants import CONTESTANTS, Contestant, as_frame, as_histories, by_id, running
from benchmarks.serving_shop import TYPICAL, Shop
from models.artifacts import bundle
from models.trees import boosting
from serving.store import score_store as store

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(batch, tmp_path_factory) -> Shop:
    folder = tmp_path_factory.mktemp("shop")
    shutil.copy(batch.folder / "scores.store", folder)
    shutil.copytree(batch.folder / "bundle", folder / "bundle")
    shutil.copy(CDNOW.settings, folder / "stayworth.toml")
    return Shop(folder, folder / "bundle", batch.orders)


def answer(port: int, contestant: Contestant, content: object) -> dict:
    line = Line(port)
    status, body = line.ask(request(contestant.path, content))
    line.close()
    assert status == 200, body
    return json.loads(body)


@pytest.fixture(scope="module")
def ours(shop):
    """Our server, and its answer for some customers and one who is nobody."""
    asked = by_id(shop, 20, 0)
    asked["customer_ids"].insert(3, "nobody")
    with running("stayworth", shop) as server:
        yield server, asked, answer(server.port, CONTESTANTS[OURS], asked)


def test_by_id_fastapi_says_what_we_say(shop, ours):
    _, asked, said = ours
    assert said["unknown"] == ["nobody"]
    assert len(said["scores"]) == 20
    scorer = bundle.read(shop.bundle)
    known = [one for one in asked["customer_ids"] if one != "nobody"]
    values = boosting.values(store.open_store(shop.scores).rows(known)[0], scorer.inputs)
    churn = scorer.base_learners.no_order.booster.inplace_predict(values).tolist()
    with running("fastapi", shop) as server:
        for name in ("FastAPI, pydantic", "FastAPI, plain JSON"):
            assert answer(server.port, CONTESTANTS[name], asked) == said
        same = answer(server.port, CONTESTANTS["FastAPI, same booster"], asked)
        number = answer(server.port, CONTESTANTS["FastAPI, same booster, one number"], asked)
    assert [one["churn_probability"] for one in same["scores"]] == pytest.approx(churn, abs=1e-6)
    assert [one["churn"] for one in number["scores"]] == pytest.approx(churn, abs=1e-6)
    assert same == said | {
        "scores": [
            ours | {"churn_probability": theirs["churn_probability"]}
            for ours, theirs in zip(said["scores"], same["scores"], strict=True)
        ]
    }


def test_by_id_bentoml_says_what_we_say(shop, ours):
    _, asked, said = ours
    with running("bentoml", shop) as server:
        assert len(server.family) > 1, "all of its processes are counted"
        assert answer(server.port, CONTESTANTS["BentoML as shipped"], asked) == said


def test_a_turn_and_a_flood_count_answers_only(shop, ours):
    server = ours[0]
    contestant = CONTESTANTS[OURS]
    good = request(contestant.path, contestant.ask(shop, 1, 0))
    before = server.cpu_ns()
    assert len(turn(server.port, [good] * 20)) == 20
    assert 0 < (server.cpu_ns() - before) / 20 < 20e6
    assert flood(server.port, [good], connections=4, seconds=0.2) > 1
    for asks in (lambda bad: turn(server.port, [bad]), lambda bad: flood(server.port, [bad], connections=1, seconds=9)):
        with pytest.raises(RuntimeError, match="status 404"):
            asks(request("/v1/nothing", {}))


def test_histories_and_frames_hold_the_same_orders(shop):
    asked, frame = as_histories(shop, 5, 1), as_frame(shop, 5, 1)
    rows = [[one["customer_id"], *order.values()] for one in asked["customers"] for order in one["orders"]]
    assert frame["dataframe_split"]["data"] == rows
    assert all(len(one["orders"]) in TYPICAL for one in asked["customers"])
    assert json.dumps(frame)


def test_ratios_are_of_the_same_turn():
    turns = {OURS: {1: {"cpu": [1.0, 2.0, 9.0], "ms": [1.0]}}, "peer": {1: {"cpu": [2.0, 4.0, 6.0], "ms": [1.0, 3.0]}}}
    found = summary(turns)
    assert found["peer"][1] == {"cpu_ms": 4.0, "p50_ms": 2.0, "p99_ms": pytest.approx(2.98), "ours_ratio": 0.5}
    assert found[OURS][1]["ours_ratio"] == 1.0
