"""The server in a process of its own, for as long as a block lasts."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tests.serving.child import child

TOKEN = "a-token-of-this-test"
SECRET_ID = "customer-nobody-may-read-in-a-log"
SERVE = """
from pathlib import Path
from serving import settings
from serving.responses import CampaignSettings
from serving.processes.launch import serve
from retention.economics.offers import Offer
offers = (Offer(name="voucher", contact_cost=0.5, incentive_cost=5.0, save_rate=0.1, redeem_rate=0.3),)
folder = Path({folder!r})
campaigns, log = CampaignSettings(offers, 0.1, "salt"), {log!r}
model = folder / ("champion" if (folder / "champion").exists() else "bundle")
environment = settings.worker_environment(
    scores=folder / "scores.store", model=model, campaigns=campaigns, log=Path(log) if log else None
)
serve(port=0, token={token!r}, processes={processes}, environment=environment)
"""


@dataclass
class Running:
    """A server: its process, its address, what it said when it listened, and a client that has the token."""

    process: subprocess.Popen
    url: str
    said: str
    client: httpx.Client
    journal: list[dict]
    """The lines of its journal, once it has ended."""

    @property
    def family(self) -> list[psutil.Process]:
        """Its process and their children."""
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@contextmanager
def running(
    folder: Path,
    home: Path,
    *,
    token: str | None = TOKEN,
    processes: int = 1,
    log: Path | None = None,
    first: str = "",
) -> Iterator[Running]:
    """A server for the block; it must end well and say nothing but its journal.

    The folder holds scores.store and bundle, or a folder champion; `first` is Python that its process runs before all.
    """
    serve = SERVE.format(folder=str(folder), token=token, processes=processes, log=str(log) if log else None)
    journal: list[dict] = []
    with (
        child(first + serve, home=home, lines=2, journal=journal) as (process, url, said),
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client,
    ):
        yield Running(process, url, said, client, journal)
