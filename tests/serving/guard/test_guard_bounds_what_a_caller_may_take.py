"""The guard under callers who are many, slow, endless or gone: slots, deadlines and what is still read of a body."""

import asyncio
import json

import pytest

from serving.guard import guard, tokens
from serving.guard.access_policy import AccessPolicy
from serving.guard.guard import Guard

DOOR = AccessPolicy(tokens.single_token("a-token"), most_bytes=1000, most_in_flight=3, timeout_s=0.2)
SIGNED = {"host": "localhost", "authorization": "Bearer a-token", "content-type": "application/json"}


class Caller:
    """One request of ours: `parts` are sent as a body, then nothing more comes, or the connection closes."""

    def __init__(self, parts=(b"{}",), *, ends=True, leaves=False, method="POST", path="/v1/score", headers=SIGNED):
        self.messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        if ends:
            self.messages.append({"type": "http.request", "body": b"", "more_body": False})
        if leaves:
            self.messages.append({"type": "http.disconnect"})
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.scope = {"type": "http", "method": method, "path": path, "headers": pairs}
        self.sent = []

    async def receive(self):
        if not self.messages:
            await asyncio.Event().wait()
        return self.messages.pop(0)

    async def send(self, message):
        self.sent.append(message)

    async def ask(self, at):
        await at(self.scope, self.receive, self.send)
        return self

    @property
    def status(self):
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self):
        return dict(self.sent[0]["headers"])

    @property
    def error(self):
        return json.loads(b"".join(message["body"] for message in self.sent[1:]))["error"]


async def answering(_, receive, send):
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def never(_, __, ___):
    await asyncio.Event().wait()


def guarded(app=answering):
    """A guard and the visits it told."""
    visits = []
    return Guard(app, DOOR, record=visits.append), visits


def test_more_at_once_than_the_door_takes_are_told_to_come_back():
    async def together():
        at, visits = guarded()
        callers = await asyncio.gather(*[Caller().ask(at) for _ in range(20)])
        again = await Caller().ask(at)
        return callers, again, visits

    callers, again, visits = asyncio.run(together())
    assert [one.status for one in callers] == [200] * 3 + [429] * 17
    assert callers[-1].headers[b"retry-after"] == b"1"
    assert "3 requests are in flight" in callers[-1].error
    assert again.status == 200
    assert [visit.refusal for visit in visits].count("busy") == 17


def test_livez_answers_when_all_slots_are_taken():
    async def together():
        at, _ = guarded(never)
        waiting = [asyncio.create_task(Caller().ask(at)) for _ in range(3)]
        await asyncio.sleep(0.01)
        at.app = answering
        lives = await Caller(method="GET", path="/livez", headers={"host": "localhost"}).ask(at)
        scored = await Caller().ask(at)
        await asyncio.gather(*waiting)
        return lives.status, scored.status, [task.result().status for task in waiting], at.in_flight

    assert asyncio.run(together()) == (200, 429, [504, 504, 504], 0)


def test_a_body_that_never_ends_frees_its_slot_at_the_deadline():
    async def together():
        at, visits = guarded()
        at_once = await asyncio.gather(*[Caller([b"{"], ends=False).ask(at) for _ in range(3)])
        return at_once, await Caller().ask(at), visits

    slow, after, visits = asyncio.run(together())
    assert [one.status for one in slow] == [408] * 3
    assert "did not end within 0.2 seconds" in slow[0].error
    assert after.status == 200
    assert [visit.refusal for visit in visits] == ["slow"] * 3 + [None]
    assert all(visit.ms >= 200 for visit in visits[:3])


def test_a_body_that_drips_is_given_the_same_deadline():
    class Dripping(Caller):
        async def receive(self):
            await asyncio.sleep(0.05)
            return {"type": "http.request", "body": b" ", "more_body": True}

    async def drip():
        at, _ = guarded()
        return await asyncio.wait_for(Dripping(headers=SIGNED | {"transfer-encoding": "chunked"}).ask(at), 10)

    caller = asyncio.run(drip())
    assert caller.status == 408
    assert caller.headers[b"connection"] == b"close"


def test_an_answer_that_never_comes_is_a_504():
    caller, [visit] = ask_one(never)
    assert (caller.status, visit.refusal) == (504, "timeout")
    assert "no answer within 0.2 seconds" in caller.error


def ask_one(app, **request):
    at, visits = guarded(app)
    return asyncio.run(Caller(**request).ask(at)), visits


def test_a_timeout_of_the_service_itself_is_not_taken_for_ours():
    async def failing(_, __, ___):
        raise TimeoutError

    caller, [visit] = ask_one(failing)
    assert (caller.status, visit.refusal) == (500, "error")


def test_a_caller_who_left_is_not_worked_for():
    reached = []

    async def working(scope, _, __):
        reached.append(scope)

    caller, [visit] = ask_one(working, parts=[b"{"], ends=False, leaves=True)
    assert (reached, caller.status, visit.status, visit.refusal) == ([], None, None, None)


@pytest.mark.parametrize("declared", [{"content-length": "1001"}, {"transfer-encoding": "chunked"}])
def test_a_body_too_large_is_answered_at_once_then_read_over_then_hung_up_on(declared):
    parts = [b" " * 600] * 5
    caller, [visit] = ask_one(answering, parts=parts, headers=SIGNED | declared)
    assert (caller.status, visit.refusal) == (413, "size")
    assert caller.headers[b"connection"] == b"close"
    assert [message["more_body"] for message in caller.sent[1:-1]] == [True]
    assert caller.messages == [], "read to its end"


def test_an_endless_body_is_read_over_for_a_while_only(monkeypatch):
    monkeypatch.setattr(guard, "LINGER_BYTES", 5000)
    caller, _ = ask_one(answering, parts=[b" " * 600] * 100, headers=SIGNED | {"transfer-encoding": "chunked"})
    assert caller.status == 413
    assert len(caller.messages) > 80

    monkeypatch.setattr(guard, "LINGER_S", 0.05)
    caller, _ = ask_one(answering, parts=[b" " * 1001], ends=False, headers=SIGNED | {"transfer-encoding": "chunked"})
    assert caller.status == 413
    assert caller.sent[-1] == {"type": "http.response.body", "body": b""}


@pytest.mark.parametrize(("header", "closes"), [({"content-length": "2"}, False), ({"transfer-encoding": "x"}, True)])
def test_a_refused_caller_keeps_the_connection_if_the_body_is_short(header, closes):
    headers = {name: value for name, value in SIGNED.items() if name != "authorization"}
    caller, _ = ask_one(answering, headers=headers | header)
    assert caller.status == 401
    assert (caller.headers.get(b"connection") == b"close") is closes


def test_a_cancelled_request_frees_its_slot():
    async def cancel():
        at, visits = guarded(never)
        task = asyncio.create_task(Caller().ask(at))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return at.in_flight, visits[0].ms

    in_flight, ms = asyncio.run(cancel())
    assert in_flight == 0
    assert ms > 0
