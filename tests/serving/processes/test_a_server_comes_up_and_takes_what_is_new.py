"""How a server comes up, alone or with workers, and what it says while something is missing or new."""

import re
import shlex
import shutil
import socket
import time

import httpx
import pytest

from features.errors import InputError
from serving import settings
from serving.processes.launch import serve
from serving.responses import CampaignSettings
from serving.store import score_store as store
from tests.serving.running import TOKEN, running


@pytest.mark.slow
def test_without_a_token_one_is_made_and_the_line_to_paste_works(batch, tmp_path):
    with running(batch.folder, tmp_path, token=None) as one:
        curl, url, *options = shlex.split(re.search(r"curl .*", one.said)[0])
        given = dict(zip(options[::2], options[1::2], strict=True))
        headers = [option.split(": ") for option in re.findall(r'-H "([^"]*)"', one.said)]
        answer = httpx.post(url, headers=headers, content=given["-d"], timeout=20)
    assert (curl, answer.status_code, answer.json()["unknown"]) == ("curl", 200, ["00001"])
    assert [(line["route"], line["status"]) for line in one.journal if line["event"] == "request"] == [
        ("/v1/score", 200)
    ]


@pytest.mark.slow
def test_two_workers_answer_alike_and_add_up_their_metrics(batch, tmp_path):
    ids = batch.scores["customer_id"].head(10).tolist()
    with running(batch.folder, tmp_path, processes=2) as one:
        answers = set()
        for _ in range(20):
            with httpx.Client(base_url=one.url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
                answers.add(client.post("/v1/score", json={"customer_ids": ids}).text)
        text = one.client.get("/metrics").text
    assert len(answers) == 1
    assert 'stayworth_request_seconds_count{route="/v1/score",status="200"} 20.0' in text


@pytest.mark.slow
def test_new_scores_are_swapped_in_and_bad_ones_are_not(batch, tmp_path):
    folder = tmp_path / "served"
    shutil.copytree(batch.folder, folder)
    ids = batch.scores["customer_id"].head(2).tolist()
    with running(folder, tmp_path) as one:

        def known():
            return [
                score["customer_id"]
                for score in one.client.post("/v1/score", json={"customer_ids": ids}).json()["scores"]
            ]

        def wait_for(expected):
            for _ in range(100):
                if known() == expected:
                    return
                time.sleep(0.1)
            raise AssertionError(known())

        assert known() == ids
        held = store.open_store(folder / "scores.store")
        with store.writing(folder / "scores.store", held.info) as writer:
            writer.add(batch.scores.head(1), batch.rows.head(1))
        wait_for(ids[:1])
        content = bytearray((folder / "scores.store").read_bytes())
        content[len(content) // 2] ^= 1
        (folder / "new").write_bytes(content)
        (folder / "new").replace(folder / "scores.store")
        time.sleep(2.5)
        assert known() == ids[:1]
        assert one.client.get("/readyz").status_code == 200
    events = [line["event"] for line in one.journal if line["event"] != "request"]
    assert events.count("scores loaded") == 2
    assert events.count("scores refused") == 1


@pytest.mark.slow
def test_what_is_not_there_yet_is_said(batch, tmp_path):
    folder = tmp_path / "served"
    shutil.copytree(batch.folder, folder)
    (folder / "scores.store").unlink()
    with running(folder, tmp_path) as one:
        answer = one.client.post("/v1/score", json={"customer_ids": ["1"]})
        assert answer.status_code == 503
        assert "stayworth score" in answer.json()["error"]
        order = {"ordered_at": "1998-03-02T00:00:00Z", "amount": 5.0, "quantity": 1}
        asked = {"as_of": "1998-04-02", "customers": [{"customer_id": "new", "orders": [order]}]}
        score = one.client.post("/v1/score_histories", json=asked).json()["scores"][0]
        assert score["segment"] is None


def test_a_port_in_use_is_an_input_error(batch):
    environment = settings.worker_environment(scores=batch.folder, model=batch.folder, campaigns=CampaignSettings())
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} .*in use.*\n.*--port"):
            serve(port=port, token=TOKEN, environment=environment)


def test_a_token_that_no_header_carries_is_said_before_anything_starts():
    with pytest.raises(InputError, match="STAYWORTH_TOKEN"):
        serve(port=0, token="not a token")
