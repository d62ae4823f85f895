"""CHECKS 23: every route of the running application, read off its own routing table, is open or shut by decision."""

import http.client
import json
import os
import subprocess
import sys
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serving.running import TOKEN

OPEN = {"/livez": "a machine must see whether the process lives, and it says nothing else"}
SHUT = {
    "/",
    "/docs.json",
    "/healthz",
    "/metrics",
    "/readyz",
    "/schema.json",
    "/static_content",
    "/v1/explain",
    "/v1/model",
    "/v1/plan",
    "/v1/score",
    "/v1/score_histories",
    "/v1/score_rows",
}
"""What takes a token; BentoML's own routes are among them."""
ROUTES = """
import json
from serving import service

def paths(routes, before=""):
    for one in routes:
        path = before + one.path.rstrip("/")
        inner = getattr(one, "routes", None) or getattr(getattr(one, "app", None), "routes", None)
        yield from paths(inner, path) if inner else [path or "/"]

print(json.dumps(sorted(set(paths(service.app().app.routes)))))
"""
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT")


@pytest.fixture(scope="module")
def routes():
    """Every path the application behind the guard has, mounted ones with theirs."""
    environment = os.environ | {"STAYWORTH_TOKEN": TOKEN, "OTEL_SDK_DISABLED": "true", "BENTOML_DO_NOT_TRACK": "true"}
    done = subprocess.run([sys.executable, "-c", ROUTES], env=environment, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def stranger(service):
    """A client without a token; one for all requests, since making one takes longer than asking."""
    with httpx.Client(base_url=service.url) as client:
        yield client


def test_every_route_is_decided_on_and_no_decision_is_stale(routes):
    assert routes == OPEN.keys() | SHUT


def test_the_openapi_names_no_other_route(service, routes):
    assert set(service.client.get("/docs.json").json()["paths"]) <= routes


def test_a_shut_route_answers_nobody_without_a_token_by_any_method(stranger, routes):
    for path in routes - OPEN.keys():
        for method in METHODS[:-1]:
            for credentials in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}):
                answer = stranger.request(method, path, headers=credentials)
                assert answer.status_code == 401, (method, path)


def test_the_open_route_says_nothing_and_takes_nothing(stranger):
    for path in OPEN:
        answer = stranger.get(path)
        assert (answer.status_code, len(answer.content) < 10) == (200, True)
        assert stranger.post(path, json={}).status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        "/static_content/../../../../etc/passwd",
        "/static_content/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/static_content/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/static_content/....//....//etc/passwd",
        "/static_content//etc/passwd",
        "/static_content/%00/etc/passwd",
        "/static_content/..\\..\\etc\\passwd",
        "/static_content/%c0%ae%c0%ae/etc/passwd",
        "/../../etc/passwd",
        "//etc/passwd",
        "/livez/../v1/model",
        "/livez%2f..%2fmetrics",
        "/livez;/../metrics",
        "/livez/",
        "/%2e/livez/../docs.json",
        "http://127.0.0.1/docs.json",
        "*",
        "/v1/model%00.json",
    ],
)
@pytest.mark.parametrize("signed", [True, False])
def test_no_path_leads_out_of_the_service_or_past_the_door(service, target, signed):
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=10)
    connection.putrequest("GET", target, skip_accept_encoding=True)
    if signed:
        connection.putheader("Authorization", f"Bearer {TOKEN}")
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status in ({307, 400, 404} if signed else {400, 401})
    if answer.status == 307:  # a final / too many
        assert answer.headers["Location"] == service.url + target.rstrip("/")
    assert b"root:" not in content
