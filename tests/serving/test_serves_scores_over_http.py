"""The real server, in a process of its own on a free port, asked over HTTP."""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from datetime import date
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest

from features.errors import InputError
from features.snapshot import snapshot
from models import scoring
from pipelines.score import with_segment
from pipelines.store import write_table
from serving.launch import serve

TOKEN = "a-token-of-this-test"
SECRET_ID = "customer-nobody-may-read-in-a-log"
SERVE = "from pathlib import Path; from serving.launch import serve; serve(Path({!r}), port=0, token={!r})"


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "scores.parquet"
    ids = [f"{number:05d}" for number in range(1_000)] + [SECRET_ID]
    pd.DataFrame(
        {
            "customer_id": ids,
            "as_of": pd.Timestamp("1998-04-02"),
            "horizon_days": 90,
            "churn_probability": 0.25,
            "expected_orders": 1.5,
            "expected_value": [number / 7 for number in range(1_001)],
            "value_p10": 0.0,
            "value_p90": 200.0,
            "clv": 300.0,
            "segment": "loyal",
            "reason_1": "62 days since the last order",
            "reason_2": "3 orders so far",
            "reason_3": None,
            "model_version": "7",
        }
    ).to_parquet(path, index=False)
    return path


def start(scores, home, token):
    """The server's process and its address, read from what it says when it listens."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE.format(str(scores), token)],
        cwd=home,
        env=os.environ | {"HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = process.stdout.readline() + process.stdout.readline()
    url = re.search(r"http://127\.0\.0\.1:\d+", said)
    assert url, said + process.communicate(timeout=20)[0]
    return process, url[0], said


def stop(process, with_signal):
    """Its exit code and what it said since it listened."""
    process.send_signal(with_signal)
    try:
        rest, _ = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return process.returncode, rest


@pytest.fixture(scope="module")
def service(scores, tmp_path_factory):
    """A client with the token; afterwards: a clean end, nothing said, nothing written."""
    home = tmp_path_factory.mktemp("home")
    process, url, said = start(scores, home, TOKEN)
    try:
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20) as client:
            client.process = psutil.Process(process.pid)
            yield client
    finally:
        code, rest = stop(process, signal.SIGINT)
    assert code == 0
    assert TOKEN not in said + rest
    assert rest == "", "nothing is logged for a caller's request, right or wrong"
    assert list(home.iterdir()) == []


def test_known_unknown_and_repeated_ids(service):
    answer = service.post("/v1/score", json={"customer_ids": ["00007", "7", "00007"]})
    assert answer.status_code == 200
    score = {
        "customer_id": "00007",
        "as_of": "1998-04-02",
        "horizon_days": 90,
        "churn_probability": 0.25,
        "expected_orders": 1.5,
        "expected_value": 1.0,
        "value_p10": 0.0,
        "value_p90": 200.0,
        "clv": 300.0,
        "segment": "loyal",
        "reasons": ["62 days since the last order", "3 orders so far"],
        "model_version": "7",
    }
    assert answer.json() == {"scores": [score, score], "unknown": ["7"]}


def test_a_thousand_at_once_equal_the_file_to_the_last_bit(service, scores):
    written = pd.read_parquet(scores).head(1_000)
    answer = service.post("/v1/score", json={"customer_ids": list(written["customer_id"])}).json()
    assert [one["expected_value"] for one in answer["scores"]] == list(written["expected_value"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("", "missing"),
        ("{", "json_invalid"),
        (f'{{"customer_ids": ["{SECRET_ID}"', "json_invalid"),
        ("NaN", "model_type"),
        ('["00007"]', "model_type"),
        ("{}", "missing"),
        ('{"customer_ids": null}', "list_type"),
        ('{"customer_ids": "00007"}', "list_type"),
        ('{"customer_ids": []}', "too_short"),
        ('{"customer_ids": [""]}', "string_too_short"),
        (f'{{"customer_ids": ["{SECRET_ID}", 7]}}', "string_type"),
        ('{"customer_ids": [NaN]}', "string_type"),
        ('{"customer_ids": [1e308]}', "string_type"),
        ('{"customer_ids": ["\\ud800"]}', "json_invalid"),
        (f'{{"customer_ids": ["{"x" * 129}"]}}', "string_too_long"),
        ('{"customer_ids": [' + ",".join(['"x"'] * 1_001) + "]}", "too_long"),
        ('{"customer_ids": ["00007"], "as_of": "2020-01-01"}', "extra_forbidden"),
        ('{"request": {"customer_ids": ["00007"]}}', "missing"),
        ("[" * 100_000, "json_invalid"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(service, body, says):
    answer = service.post("/v1/score", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["detail"][0]["type"] == says
    assert SECRET_ID not in answer.text


def test_only_livez_is_open(service):
    for path in ("/", "/readyz", "/healthz", "/docs.json", "/schema.json", "/metrics", f"/v1/{SECRET_ID}"):
        assert service.get(path, headers={"Authorization": "Bearer x"}).status_code == 401
    assert service.get("/livez", headers={"Authorization": ""}).status_code == 200
    assert service.get("/readyz").status_code == 200
    assert service.post("/v1/score", json={}, headers={"Authorization": f"Bearer {TOKEN}x"}).status_code == 401


def test_other_doors_are_shut(service):
    assert service.get("/livez", headers={"Host": "evil.example"}).status_code == 403
    assert service.post("/v1/score", data={"a": "b"}).status_code == 415
    assert service.get("/v1/score").status_code == 405
    assert service.get(f"/v1/{SECRET_ID}").status_code == 404
    assert service.get("/static_content/..%2f..%2f..%2fetc/passwd").status_code == 404


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_refused_and_the_service_lives(service, chunked):
    body = b" " * 20_000_000
    content = (body[at : at + 65_536] for at in range(0, len(body), 65_536)) if chunked else body
    answer = service.post("/v1/score", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert service.get("/readyz").status_code == 200


def test_one_socket_listens_and_it_is_loopback(service):
    family = [service.process, *service.process.children(recursive=True)]
    listening = [c.laddr for one in family for c in one.net_connections("all") if c.status == psutil.CONN_LISTEN]
    assert [address.ip for address in listening] == ["127.0.0.1"]


def test_without_a_token_one_is_made_and_the_line_to_paste_works(scores, tmp_path):
    process, _, said = start(scores, tmp_path, None)
    try:
        curl, url, *options = shlex.split(re.search(r"curl .*", said)[0])
        given = dict(zip(options[::2], options[1::2], strict=True))
        headers = [option.split(": ") for option in re.findall(r'-H "([^"]*)"', said)]
        answer = httpx.post(url, headers=headers, content=given["-d"], timeout=20)
    finally:
        code, rest = stop(process, signal.SIGTERM)
    assert (curl, answer.status_code, answer.json()["scores"][0]["customer_id"]) == ("curl", 200, "00001")
    assert (code, rest) == (0, "")


def test_a_port_in_use_is_an_input_error(scores):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} .*in use.*\n.*--port"):
            serve(scores, port=port, token=TOKEN)


def test_what_cannot_be_served_is_said_before_anything_starts(scores):
    with pytest.raises(InputError, match="no such file of scores"):
        serve(Path("nowhere.parquet"), port=0, token=TOKEN)
    with pytest.raises(InputError, match="STAYWORTH_TOKEN"):
        serve(scores, port=0, token="not a token")


def test_ten_thousand_ids_come_unchanged_from_csv_to_the_answer(read, model, odd_ids, tmp_path):
    """CHECKS 1: leading zeros, Unicode, 20 digits, spreadsheet formulas; CSV → features → scores → HTTP."""
    orders = pd.DataFrame({"customer_id": odd_ids, "ordered_at": "2020-01-01", "amount": "10.00"})
    orders["quantity"] = 1
    orders.to_csv(tmp_path / "orders.csv", index=False)
    features = snapshot(read(tmp_path / "orders.csv").histories, as_of=[date(2020, 3, 1)]).to_pandas()
    write_table(tmp_path / "scores.parquet", with_segment(scoring.score(model, features), features))
    process, url, _ = start(tmp_path / "scores.parquet", tmp_path, TOKEN)
    try:
        answered = []
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
            for first in range(0, len(odd_ids), 1000):
                answer = client.post("/v1/score", json={"customer_ids": odd_ids[first : first + 1000]}).json()
                assert answer["unknown"] == []
                answered += [one["customer_id"] for one in answer["scores"]]
        assert answered == odd_ids
    finally:
        stop(process, signal.SIGTERM)
