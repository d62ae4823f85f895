"""A console in a process of its own for as long as a block lasts, and a browser that is logged in."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Page

from tests.serving.child import child

TOKEN = "a-token-of-this-test"
SERVE = """
import json, sys
from pathlib import Path
from features.ingest.log import Log
from pipelines.screens.console import welcome
from retention.economics.offers import Offer
from serving import settings
from serving.responses import CampaignSettings
from serving.processes.launch import serve

told = json.loads(sys.argv[1])
offers = (Offer(name="voucher", contact_cost=0.5, incentive_cost=5.0, save_rate=0.1, redeem_rate=0.3),)
folder = Path(told["folder"])
shop = Log(told["orders"], currency="USD", gross_margin=0.4, timezone="UTC", interactions=told["interactions"])
environment = settings.worker_environment(
    scores=Path(told["scores"]),
    model=Path(told["model"]),
    campaigns=CampaignSettings(offers, 0.1, "salt", plans=str(folder / "plans")),
    order_log=shop if told["orders"] else None,
    folder=folder,
)
serve(
    port=0,
    token=told["token"],
    tokens_file=Path(told["tokens"]) if told["tokens"] else None,
    processes=told["processes"],
    environment=environment,
    app="serving.console.app:app",
    welcome=welcome,
)
"""


@dataclass
class Opened:
    """A console."""

    url: str
    said: str
    """What it printed."""
    client: httpx.Client
    """Has the token in its header."""
    folder: Path
    """The output folder."""
    process: subprocess.Popen
    journal: list[dict] = field(default_factory=list)
    """Its lines, once it has ended."""


@contextmanager
def opened(
    home: Path,
    *,
    scores: Path,
    model: Path,
    orders: Path | None = None,
    interactions: Path | None = None,
    token: str | None = TOKEN,
    tokens: Path | None = None,
    processes: int = 1,
) -> Iterator[Opened]:
    """A console for the block; it must end well and say nothing but its journal. home: an empty folder."""
    folder = home / "runs"
    folder.mkdir(exist_ok=True)
    told = {"scores": scores, "model": model, "orders": orders, "interactions": interactions, "folder": folder}
    told |= {"token": token, "tokens": tokens, "processes": processes}
    content = json.dumps({name: str(one) if isinstance(one, Path) else one for name, one in told.items()})
    lines, journal = 1 if token or tokens else 2, []
    with (
        child(SERVE, content, home=home, lines=lines, journal=journal) as (process, url, said),
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client,
    ):
        yield Opened(url, said, client, folder, process, journal)


@contextmanager
def logged_in(browser: Browser, console: Opened, *, token: str = TOKEN, **how: object) -> Iterator[Page]:
    """A page of a browser that holds the token; no error of a script or of the page's policy may occur on it."""
    with watched(browser, **how) as page:
        page.goto(f"{console.url}/login")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{console.url}/")
        yield page


@contextmanager
def watched(browser: Browser, **how: object) -> Iterator[Page]:
    """An empty page of a browser of its own; no error of a script or of the page's policy may occur on it."""
    context = browser.new_context(**how)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "console",
        lambda line: wrong.append(line.text) if line.type == "error" and "status of 4" not in line.text else None,
    )
    try:
        yield page
    finally:
        context.close()
    assert wrong == []
