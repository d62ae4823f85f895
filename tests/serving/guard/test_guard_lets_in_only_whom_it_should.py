"""The guard, called as an ASGI application, in front of one that writes down what reaches it."""

import asyncio
import json

import pytest

from features.errors import InputError
from serving.guard import tokens
from serving.guard.access_policy import AccessPolicy, host_names, policy_from_environment
from serving.guard.guard import Guard

TOKEN = "a-token"
DOOR = AccessPolicy(tokens.single_token(TOKEN), hosts=host_names(["Scores.example.", "10.0.0.5"]))
MOST_BYTES = DOOR.most_bytes
SIGNED = {"host": "127.0.0.1:3000", "authorization": f"Bearer {TOKEN}", "content-type": "application/json"}


def ask(method="POST", path="/v1/score", headers=SIGNED, chunks=(b"{}",), kind="http"):
    """What was sent back, and the bodies that reached the application behind the guard."""
    reached, sent, parts = [], [], iter(chunks)

    async def behind(_, receive, send):
        reached.append((await receive())["body"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"Server", b"x")]})
        await send({"type": "http.response.body", "body": b"{}"})

    async def receive():
        part = next(parts, None)
        return {"type": "http.request", "body": part or b"", "more_body": part is not None}

    async def send(message):
        sent.append(message)

    pairs = headers if isinstance(headers, list) else list(headers.items())
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "headers": [(name.encode(), value.encode()) for name, value in pairs],
    }
    asyncio.run(Guard(behind, DOOR)(scope, receive, send))
    return sent, reached


def status(**request):
    """The status; a refused request must not have reached the application, and says why in JSON."""
    sent, reached = ask(**request)
    if sent[0]["status"] == 200:
        assert len(reached) == 1
    else:
        assert reached == []
        assert list(json.loads(sent[1]["body"])) == ["error"]
    return sent[0]["status"]


def test_a_signed_json_request_passes_with_its_whole_body():
    sent, reached = ask(chunks=(b'{"customer_ids"', b': ["1"]}'))
    assert sent[0]["status"] == 200
    assert reached == [b'{"customer_ids": ["1"]}']


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        TOKEN,
        f"Basic {TOKEN}",
        "Bearer",
        "Bearer ",
        "Bearer  ",
        "Bearer a-toke",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN} {TOKEN}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        "Bearer a-tokeñ",
        "Bearer " + "x" * 60_000,
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/score"),
        ("GET", "/readyz"),
        ("GET", "/docs.json"),
        ("GET", "/livez/x"),
        ("GET", "/livez/../metrics"),
        ("GET", "//livez"),
        ("GET", "/LIVEZ"),
        ("HEAD", "/metrics"),
        ("OPTIONS", "/v1/score"),
        ("POST", "/livez"),
    ],
)
def test_without_the_token_every_route_but_livez_is_closed(header, method, path):
    headers = {name: value for name, value in SIGNED.items() if name != "authorization"}
    if header is not None:
        headers["authorization"] = header
    assert status(method=method, path=path, headers=headers) == 401


def test_a_refusal_for_want_of_a_token_names_the_scheme():
    sent, _ = ask(headers={"host": "localhost"})
    assert (b"www-authenticate", b"Bearer") in sent[0]["headers"]


def test_two_tokens_are_none():
    assert status(headers=[*SIGNED.items(), ("authorization", f"Bearer {TOKEN}")]) == 401


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_livez_is_open(method):
    assert status(method=method, path="/livez", headers={"host": "localhost"}) == 200


@pytest.mark.parametrize("header", [{"transfer-encoding": "chunked"}, {"content-length": "5"}])
def test_livez_is_not_open_to_a_body(header):
    assert status(method="GET", path="/livez", headers={"host": "localhost"} | header) == 401


@pytest.mark.parametrize(
    "host",
    [
        *["localhost", "LOCALHOST:80", "localhost.", "127.0.0.1", "127.0.0.1:3000", "[::1]", "[::1]:3000"],
        *["scores.example", "SCORES.EXAMPLE.:443", "10.0.0.5:3000"],
    ],
)
def test_loopback_and_listed_names_are_ours(host):
    assert status(headers=SIGNED | {"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    [
        *["", "evil.example", "evil.example:3000", "localhost.evil.example", "127.0.0.1.evil.example", "0.0.0.0"],
        *["localhost:3000@evil.example", "localhost:", "localhost..", "::1", "[::1", "locälhost", "x.scores.example"],
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/score"), ("GET", "/livez")])
def test_any_other_host_name_is_refused_even_with_the_token(host, method, path):
    assert status(method=method, path=path, headers=SIGNED | {"host": host}) == 403


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
        "application/vnd.bentoml+pickle",
        "application/json-patch+json",
    ],
)
def test_a_body_that_is_not_json_is_refused(kind):
    assert status(headers=SIGNED | {"content-type": kind}) == 415


@pytest.mark.parametrize(("coding", "expected"), [("gzip", 415), ("", 415), ("gzip, identity", 415), ("Identity", 200)])
def test_a_compressed_body_is_refused(coding, expected):
    assert status(headers=SIGNED | {"content-encoding": coding}) == expected


def test_json_may_name_its_charset():
    assert status(headers=SIGNED | {"content-type": "Application/JSON; charset=utf-8"}) == 200


@pytest.mark.parametrize(("surplus", "expected"), [(0, 200), (1, 413)])
@pytest.mark.parametrize("declared", [None, "3"])
def test_the_body_is_counted_as_it_streams_whatever_its_length_header_says(surplus, expected, declared):
    headers = SIGNED if declared is None else SIGNED | {"content-length": declared}
    chunks = [b" " * (MOST_BYTES // 16)] * 16 + [b" " * surplus]
    assert status(headers=headers, chunks=chunks) == expected


def test_an_endless_body_is_not_read_to_its_end():
    def endless():
        yield from (b" " * MOST_BYTES for _ in range(2))
        raise AssertionError("read on after the limit")

    assert status(chunks=endless()) == 413


def test_websockets_are_closed():
    sent, reached = ask(kind="websocket")
    assert sent == [{"type": "websocket.close", "code": 1008}]
    assert reached == []


def test_two_hosts_are_none():
    assert status(headers=[*SIGNED.items(), ("host", "localhost")]) == 403


@pytest.mark.parametrize(
    "path", ["http://localhost/v1/score", "http://evil.example/livez", "*", "evil.example:443", ""]
)
def test_only_a_path_of_ours_is_a_target(path):
    assert status(path=path) == 400


def test_a_body_has_one_length():
    assert status(headers=SIGNED | {"content-length": "2", "transfer-encoding": "chunked"}) == 400


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_body_nobody_expects_is_guarded_like_any_other(method):
    chunked = {"host": "localhost", "authorization": f"Bearer {TOKEN}", "transfer-encoding": "chunked"}
    assert status(method=method, headers=chunked) == 415
    chunks = [b" " * (MOST_BYTES + 1)]
    assert status(method=method, headers=chunked | {"content-type": "application/json"}, chunks=chunks) == 413


@pytest.mark.parametrize("headers", [SIGNED, {}, {"host": "localhost"}, SIGNED | {"content-type": "text/plain"}])
def test_every_answer_bears_our_headers_and_no_servers_name(headers):
    sent, _ = ask(headers=headers)
    given = {name.lower(): value for name, value in sent[0]["headers"]}
    assert given[b"x-content-type-options"] == b"nosniff"
    assert given[b"cache-control"] == b"no-store"
    assert given[b"referrer-policy"] == b"no-referrer"
    assert given[b"content-security-policy"].startswith(b"default-src 'none'")
    assert b"server" not in given


def test_a_page_may_have_its_own_policy():
    async def page(_, __, send):
        own = [(b"Content-Security-Policy", b"default-src 'self'")]
        await send({"type": "http.response.start", "status": 200, "headers": own})

    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": "/console", "headers": [(b"host", b"localhost")]}
    scope["headers"].append((b"authorization", f"Bearer {TOKEN}".encode()))
    asyncio.run(Guard(page, DOOR)(scope, receive, send))
    policies = [value for name, value in sent[0]["headers"] if name.lower() == b"content-security-policy"]
    assert policies == [b"default-src 'self'"]


def test_there_is_no_door_without_a_token():
    with pytest.raises(InputError, match="STAYWORTH_TOKEN"):
        policy_from_environment({})


@pytest.mark.parametrize("name", ["*", "*.example", "http://x", "x:80", "a b", "::1", "x/y", ".", "a..b"])
def test_a_host_list_holds_names_only(name):
    with pytest.raises(InputError, match="not a host name"):
        host_names([name])
