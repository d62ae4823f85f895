"""What fails is a page in the same look, or JSON for a script, and shows nothing of why; the journal says where."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from serving import access_log, settings
from serving.console import app as console
from serving.console import at_risk, customer
from tests.serving.console.opened import TOKEN

SECRET = "customer-nobody-may-read"


@pytest.fixture
def ask(monkeypatch):
    """Asks a console in this process whose pages all fail."""

    def fail(*_, **__):
        raise RuntimeError(SECRET)

    monkeypatch.setenv("STAYWORTH_TOKEN", TOKEN)
    monkeypatch.setattr(at_risk, "parse_filters", fail)
    monkeypatch.setattr(customer, "_amount", fail)
    settings.responses.cache_clear()

    def asked(path: str, **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=console.app())
            told = {"authorization": f"Bearer {TOKEN}"} | headers
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=told) as client:
                return await client.get(path)

        with ThreadPoolExecutor(1) as thread:  # a browser of another test may have a loop in this one
            return thread.submit(asyncio.run, send()).result()

    yield asked
    settings.responses.cache_clear()


def test_a_page_that_fails_says_so_in_the_look_of_the_others(ask, caplog):
    access_log.LOG.propagate, before = True, access_log.LOG.propagate
    try:
        answer = ask("/")
    finally:
        access_log.LOG.propagate = before
    assert answer.status_code == 500
    assert "This page failed; the console&#39;s log says where" in answer.text
    assert "console.css" in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert SECRET not in answer.text
    told = json.dumps([record.__dict__.get("content", {}) for record in caplog.records], default=str)
    assert "RuntimeError" in told
    assert SECRET not in told


def test_a_piece_that_fails_says_so_in_json(ask):
    answer = ask("/data/what-if?id=7&amount=1")
    assert (answer.status_code, list(answer.json())) == (500, ["error"])
    assert SECRET not in answer.text


def test_a_page_that_is_not_there_says_so(ask):
    assert "There is no such page" in ask("/nowhere").text
    assert ask("/data/nowhere").json()["error"] == "Not Found"
