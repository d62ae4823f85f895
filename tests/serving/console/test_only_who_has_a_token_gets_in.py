"""The console's door: every route is decided on, cookies are good for their token alone, other sites get nothing."""

import base64
import json
import os
import re
import ssl
import subprocess
import sys
import time
from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from serving.console.login import local_path
from tests.serving.console.opened import TOKEN, opened

OPEN = {
    "/livez": "a machine must see whether the process lives, and it says nothing else",
    "/login": "where a token is asked for",
    "/static/{name}": "style sheets and scripts: nothing of the shop is in them",
}
PAGES = {"/", "/customers/{customer_id:path}", "/plan", "/campaigns", "/health"}
"""Without a token they lead to the log-in."""
ANSWERS = ("/data/", "/export/", "/logout")
"""Without a token they say 401."""
ROUTES = """
import json
from fastapi.routing import APIRoute
from serving.console import app

made = app.app().app
known = [one for router in app.PAGES for one in router.routes]
assert all(isinstance(one, APIRoute) for one in known)
assert len(made.routes) == len(app.PAGES), made.routes
print(json.dumps(sorted((one.path, method) for one in known for method in one.methods)))
"""
VISITS = (
    "/",
    "/?id=secret-1",
    "/customers/secret-2",
    "/customers/?id=secret-3",
    "/x/secret-4",
    "/data/history?id=secret-5",
)
TLS = ssl.create_default_context()
"""Made once: httpx would make one for each request."""


def ask(method: str, url: str, **how: object) -> httpx.Response:
    """A request by a stranger who remembers nothing."""
    return httpx.request(method, url, verify=TLS, **how)


@pytest.fixture(scope="module")
def routes():
    """(path, method) of every route behind the guard."""
    environment = os.environ | {"STAYWORTH_TOKEN": TOKEN}
    done = subprocess.run([sys.executable, "-c", ROUTES], env=environment, capture_output=True, text=True, check=True)
    return [tuple(one) for one in json.loads(done.stdout)]


def cookie(token: str = TOKEN) -> dict[str, str]:
    return {"cookie": f"stayworth={base64.urlsafe_b64encode(token.encode()).decode()}"}


def filled(path: str) -> str:
    return re.sub(r"\{.*?\}", "7", path.replace("{name}", "console.css").replace("{kind}", "csv"))


def test_every_route_is_decided_on_and_no_decision_is_stale(routes):
    paths = {path for path, _ in routes}
    assert {path for path in paths if not path.startswith(ANSWERS)} <= OPEN.keys() | PAGES
    assert OPEN.keys() <= paths


def test_without_a_token_a_page_leads_to_the_log_in_and_all_else_says_no(console, routes):
    for path, method in routes:
        for headers in (
            {},
            {"authorization": "Bearer x"},
            cookie("x"),
            {"cookie": "stayworth=%"},
            {"cookie": "other=1"},
        ):
            answer = ask(method, console.url + filled(path), headers=headers)
            if path in OPEN and method != "POST":
                assert answer.status_code == 200, path
            elif path in PAGES and method == "GET":
                assert answer.status_code == 303, path
                place = urlsplit(answer.headers["location"])
                assert (place.netloc, place.path) == ("", "/login")
                assert parse_qs(place.query)["next"] == [filled(path)]
                assert ("ended" in place.query) == ("stayworth=" in headers.get("cookie", ""))
            else:
                assert answer.status_code in (401, 415), (path, method)
            assert "customer" not in answer.text or path in OPEN or answer.status_code == 303


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/livez", "/customers/1", "/static/console.css", "/export/customers.csv"])
def test_no_other_method_opens_anything(console, method, path):
    assert ask(method, console.url + path).status_code in ({401, 405} if method == "OPTIONS" else {401})


def test_a_cookie_opens_what_the_header_opens(console):
    for headers in (cookie(), {"authorization": f"Bearer {TOKEN}"}):
        assert ask("GET", console.url + "/", headers=headers).status_code == 200
        assert ask("GET", console.url + "/data/session", headers=headers).status_code == 204
    wrong_header = cookie() | {"authorization": "Bearer x"}
    assert ask("GET", console.url + "/", headers=wrong_header).status_code == 303


def test_log_in_hands_out_a_cookie_that_scripts_and_other_sites_cannot_use(console):
    answer = ask("POST", console.url + "/login", json={"token": TOKEN})
    assert answer.status_code == 204
    said = answer.headers["set-cookie"]
    assert said == f"{cookie()['cookie']}; Path=/; HttpOnly; SameSite=Strict"


def test_the_cookie_of_a_page_that_came_by_tls_goes_by_tls_alone(console):
    host = urlsplit(console.url).netloc
    answer = ask("POST", console.url + "/login", json={"token": TOKEN}, headers={"origin": f"https://{host}"})
    assert answer.headers["set-cookie"].endswith("; Secure")


@pytest.mark.parametrize("content", [{"token": "x"}, {"token": ""}, {"token": TOKEN + "x"}, {"token": "é" * 100}])
def test_a_wrong_token_is_said_to_be_one(console, content):
    answer = ask("POST", console.url + "/login", json=content)
    assert (answer.status_code, "set-cookie" in answer.headers) == (401, False)
    assert "token is not valid" in answer.json()["error"]


@pytest.mark.parametrize("content", [{}, [], "x", {"token": 7}, {"token": "x", "more": 1}, {"token": "x" * 2000}])
def test_what_is_no_log_in_is_refused_without_showing_it(console, content):
    answer = ask("POST", console.url + "/login", json=content)
    assert answer.status_code == 422
    assert "x" * 20 not in answer.text


def test_a_form_of_another_site_logs_nobody_in_or_out(console):
    assert ask("POST", console.url + "/login", data={"token": TOKEN}).status_code == 415
    for path, content in (("/login", {"token": TOKEN}), ("/logout", {})):
        for headers in (
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"origin": "http://["},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
        ):
            answer = ask("POST", console.url + path, json=content, headers=headers | cookie())
            assert answer.status_code == 403, (path, headers)
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_may_link_here_but_not_read_or_embed(console, site):
    linked = cookie() | {"sec-fetch-site": site, "sec-fetch-mode": "navigate"}
    assert ask("GET", console.url + "/", headers=linked).status_code == 200
    read = cookie() | {"sec-fetch-site": site, "sec-fetch-mode": "no-cors"}
    assert ask("GET", console.url + "/export/customers.csv", headers=read).status_code == 403


@pytest.mark.parametrize("path", ["/", "/customers/1", "/login", "/nowhere", "/?churn_from=x"])
def test_a_page_runs_no_script_but_ours_and_stands_in_no_frame(console, path):
    answer = console.client.get(path)
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe" not in str(policy)
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert answer.headers["cache-control"] == "no-store"
    assert "style=" not in answer.text
    assert " onclick" not in answer.text


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "",
        " /",
        "/login?next=/",
        "/\n/evil.example",
        "evil.example",
        "/é",
        "data:text/html,x",
    ],
)
def test_the_log_in_leads_nowhere_else(console, place):
    assert local_path(place) == "/"
    assert 'data-then="/"' in ask("GET", console.url + "/login", params={"next": place}).text


def test_the_log_in_leads_back(console):
    place = "/customers/?id=%3Cb%3E&x=1"
    assert local_path(place) == place
    answer = ask("GET", console.url + place)
    assert parse_qs(urlsplit(answer.headers["location"]).query)["next"] == [place]


@pytest.mark.slow
def test_a_token_taken_back_is_taken_back_for_cookies_too(shop, tmp_path):
    file = tmp_path / "tokens.toml"

    def known(**tokens):
        file.write_text(
            "".join(f'{name} = "sha256:{sha256(one.encode()).hexdigest()}"\n' for name, one in tokens.items())
        )

    known(ann="a-token-of-ann-16", bob="a-token-of-bob-16")
    folder = shop.folder
    with opened(
        tmp_path, scores=folder / "scores.store", model=folder / "bundle", token=None, tokens=file, processes=2
    ) as one:
        ann, bob = cookie("a-token-of-ann-16"), cookie("a-token-of-bob-16")
        assert ask("GET", one.url + "/", headers=ann).status_code == 200
        known(bob="a-token-of-bob-16")
        time.sleep(1.2)
        answer = ask("GET", one.url + "/?sort=clv", headers=ann)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/login?next=%2F%3Fsort%3Dclv&why=ended"
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert ask("GET", one.url + "/export/customers.csv", headers=ann).status_code == 401
        assert ask("GET", one.url + "/", headers=bob).status_code == 200
    callers = {line["caller"] for line in one.journal if line["event"] == "request"}
    assert {"ann", "bob"} <= callers


@pytest.fixture(scope="module")
def visited(shop, tmp_path_factory):
    """A console with a made token after some visits: the token, the answers' status codes and the journal."""
    folder = shop.folder
    home = tmp_path_factory.mktemp("home")
    with opened(home, scores=folder / "scores.store", model=folder / "bundle", token=None) as one:
        token = one.said.split("/login#token=")[1].strip()
        codes = [ask("GET", one.url + path, headers=cookie(token)).status_code for path in VISITS]
    return token, codes, one.journal


def test_a_made_token_is_printed_as_a_link_that_logs_in(visited):
    token, codes, journal = visited
    assert codes[0] == 200
    assert token not in str(journal)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
def test_another_host_name_gets_nothing(console, host):
    assert ask("GET", console.url + "/", headers=cookie() | {"host": host}).status_code == 403


def test_the_journal_names_pages_and_no_customer(visited):
    _, _, journal = visited
    lines = [line for line in journal if line["event"] == "request"]
    assert [line["route"] for line in lines] == ["/", "/", "/customers/…", "/customers/…", "other", "/data/history"]
    assert "secret" not in json.dumps(journal)
