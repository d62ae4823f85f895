"""Rooms of the console in this process, without the guard: what a page says of an output folder."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from retention.economics.offers import Offer
from serving import settings
from serving.console import campaigns, health, planner
from serving.console.campaign_plans import campaign_plans
from serving.responses import CampaignSettings

NOWHERE = Path("/nonexistent")


class Rooms:
    """Some rooms, without a server."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def get(self, path: str, **how: object) -> httpx.Response:
        """The answer to GET."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://rooms") as client:
                return await client.get(path, **how)

        with ThreadPoolExecutor(1) as thread:  # Playwright's loop runs in this one
            return thread.submit(lambda: asyncio.run(asked())).result()


@contextmanager
def rooms_of(
    folder: Path, *, model: Path = NOWHERE, scores: Path | None = None, offers: Sequence[Offer] = ()
) -> Iterator[Rooms]:
    """Asks the rooms for their pages while the block lasts; folder: the output folder."""
    told = settings.worker_environment(
        scores=scores or folder / "scores.store",
        model=model,
        campaigns=CampaignSettings(tuple(offers), plans=str(folder / "plans")),
        folder=folder,
    )
    cached = (settings.responses, settings.order_log, campaign_plans)
    app = FastAPI()
    for room in (planner.router, campaigns.router, health.router):
        app.include_router(room)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        for one in cached:
            one.cache_clear()
        for held in (settings.responses().model, settings.responses().scores):
            held.refresh()
        try:
            yield Rooms(app)
        finally:
            for one in cached:
                one.cache_clear()


def words(text: str) -> str:
    """What stands on a page, without its marks and its data."""
    text = re.sub(r"<(script|style|head).*?</\1>", "", text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())
