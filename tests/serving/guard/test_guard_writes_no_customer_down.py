"""The journal: one line of JSON for each request, with nothing in it that a caller made up."""

import asyncio
import io
import json
from datetime import UTC, datetime

import pytest

from serving import access_log
from serving.guard import tokens
from serving.guard.access_policy import AccessPolicy
from serving.guard.guard import Guard

SECRET = "customer-nobody-may-read-in-a-log"
TOKEN = "a-token-nobody-may-read-either"
SIGNED = {"host": "localhost", "authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


@pytest.fixture
def lines():
    """What the journal wrote, as objects; the raw text must not hold what is secret."""
    stream = io.StringIO()
    before = access_log.LOG.handlers, access_log.LOG.level, access_log.LOG.propagate
    access_log.write_to(stream)

    def read():
        assert SECRET not in stream.getvalue()
        assert TOKEN not in stream.getvalue()
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield read
    access_log.LOG.handlers, level, access_log.LOG.propagate = before
    access_log.LOG.setLevel(level)


def ask(app, *, method="POST", path="/v1/score", headers=SIGNED):
    async def receive():
        return {"type": "http.request", "body": json.dumps([SECRET]).encode(), "more_body": False}

    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": SECRET.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    asyncio.run(Guard(app, AccessPolicy(tokens.single_token(TOKEN)))(scope, receive, send))
    return sent


async def scoring(_, receive, send):
    await receive()
    access_log.note_answer(rows=3, model_version="7")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": SECRET.encode()})


def test_a_line_says_who_asked_what_and_how_it_went(lines):
    ask(scoring)
    [line] = lines()
    assert abs((datetime.fromisoformat(line.pop("time")) - datetime.now(UTC)).total_seconds()) < 60
    assert 0 <= line.pop("ms") < 5000
    assert line == {
        "event": "request",
        "caller": "default",
        "method": "POST",
        "route": "/v1/score",
        "status": 200,
        "rows": 3,
        "model_version": "7",
        "refusal": None,
    }


def test_what_runs_in_a_thread_may_note_its_rows(lines):
    async def threaded(_, __, send):
        await asyncio.to_thread(access_log.note_answer, rows=5)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    ask(threaded)
    assert lines()[0]["rows"] == 5


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"path": f"/v1/{SECRET}"}, ("POST", "other", 200, None)),
        ({"path": f"/v1/score/{SECRET}", "method": SECRET}, ("other", "other", 200, None)),
        ({"headers": {"host": SECRET}}, ("POST", "/v1/score", 403, "host")),
        ({"headers": {"host": "localhost", "authorization": f"Bearer {SECRET}"}}, ("POST", "/v1/score", 401, "token")),
        ({"headers": SIGNED | {"content-type": SECRET}}, ("POST", "/v1/score", 415, "type")),
    ],
)
def test_nothing_a_caller_made_up_is_written(lines, request_, expected):
    ask(scoring, **request_)
    [line] = lines()
    assert (line["method"], line["route"], line["status"], line["refusal"]) == expected


def test_a_failure_is_told_by_its_kind_and_place_only(lines):
    async def failing(_, __, ___):
        raise KeyError(SECRET)

    sent = ask(failing)
    error, line = lines()
    assert (error["event"], error["type"]) == ("error", "KeyError")
    assert error["at"][0].startswith("test_guard_writes_no_customer_down.py:")
    assert error["at"][0].endswith(" failing")
    assert (line["status"], line["refusal"]) == (500, "error")
    assert sent[0]["status"] == 500
    assert SECRET.encode() not in sent[1]["body"]


def test_a_note_outside_a_request_is_nobodys():
    access_log.note_answer(rows=1)
