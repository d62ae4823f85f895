"""`stayworth serve` all day long, and the callers who never stop asking; every answer is kept in short."""

import json
import random
import re
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from models.prediction import NUMBERS
from tests.hostile.commands import started
from tests.hostile.files import Row

TOKEN = "the-token-of-steady-callers"
PAUSE_S = 0.3
ASKED_FOR = {"no token": 401, "no json": 400, "no offer": 422, "no route": 404}
"""What is asked wrongly, and how it must be answered."""
Key = tuple[str, str, str]
"""A customer, the day and the model version of a score."""


@dataclass
class Answers:
    """What came back: how often each status, and every score as it was said."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    batch: dict[Key, set[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(set))
    """Of `score`: numbers, segment, reasons."""
    raw: dict[Key, set[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(set))
    """Of `score_histories`: numbers, reasons."""
    explained: dict[Key, set[tuple[float, float]]] = field(default_factory=lambda: defaultdict(set))
    """Of `explain`: churn probability and expected value."""
    models: set[tuple[str, str, str]] = field(default_factory=set)
    """Registered number, version and hash, as `model` named them."""


@dataclass
class Service:
    """A running service and its callers. `shown` is replaced as the day goes on: the day, and all histories."""

    process: subprocess.Popen[str]
    url: str
    journal: Path
    answers: Answers
    shown: tuple[str, dict[str, list[Row]]]

    def client(self, token: str = TOKEN) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def model(self) -> dict[str, Any]:
        """What it says of its model and its batch."""
        with self.client() as client:
            return client.get("/v1/model").json()

    def events(self, name: str) -> list[dict[str, Any]]:
        """The events of a name in the journal so far."""
        lines = self.journal.read_text("utf-8").splitlines()
        return [one for one in map(json.loads, lines) if one["event"] == name]

    def wait_for(self, so: Callable[[], bool], *, seconds: float = 30) -> None:
        """Until it is so; a file that is gone just then, because it is being replaced, makes it not so yet."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(FileNotFoundError):
                if so():
                    return
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.1)

    def taken(self) -> tuple[int, int, int]:
        """Bytes of memory, descriptors and threads of the process that answers."""
        one = psutil.Process(self.process.pid)
        return one.memory_info().rss, one.num_fds(), one.num_threads()

    def family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]


@contextmanager
def serving(folder: Path, tokens: Path, shown: tuple[str, dict[str, list[Row]]], *, seed: int) -> Iterator[Service]:
    """The service of a shop's folder under steady load while the block lasts; it must end well."""
    journal = folder / "journal.jsonl"
    with journal.open("a") as said:
        process = started(folder, "serve", "--port", "0", "--tokens", str(tokens), stderr=said)
    try:
        url = re.search(r"http://\S+", process.stdout.readline())
        assert url, journal.read_text("utf-8")
        one = Service(process, url[0], journal, Answers(), shown)
        one.wait_for(lambda: one.model()["version"] is not None)  # the first scores are there before the model
        with _asking(one, seed):
            yield one
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


@contextmanager
def _asking(one: Service, seed: int) -> Iterator[None]:
    """Callers of each kind, who ask until the block ends."""
    done = threading.Event()
    kinds = (_scores, _scores, _histories, _explanations, _plans, _wrongly)

    def ask(number: int, kind: Callable[[Service, httpx.Client, random.Random], None]) -> None:
        chance = random.Random(seed * 100 + number)
        with one.client() as client:
            while not done.wait(PAUSE_S):
                try:
                    kind(one, client, chance)
                except (AssertionError, LookupError, ValueError, httpx.HTTPError) as error:
                    one.answers.trouble.append(f"{kind.__name__}: {error!r}")

    threads = [threading.Thread(target=ask, args=each, daemon=True) for each in enumerate(kinds)]
    for thread in threads:
        thread.start()
    try:
        yield
        assert all(thread.is_alive() for thread in threads)
    finally:
        done.set()
        for thread in threads:
            thread.join(60)


def _posted(one: Service, client: httpx.Client, route: str, body: Any) -> dict[str, Any]:
    answer = client.post(route, json=body)
    one.answers.statuses[route, answer.status_code] += 1
    assert answer.status_code == 200, (route, answer.status_code, answer.text[:300])
    return answer.json()


def _some(one: Service, chance: random.Random, count: int) -> list[str]:
    return chance.sample(sorted(one.shown[1]), count)


def _scores(one: Service, client: httpx.Client, chance: random.Random) -> None:
    told = _posted(one, client, "/v1/score", {"customer_ids": [*_some(one, chance, 40), "nobody at all"]})
    assert "nobody at all" in told["unknown"]
    assert len({(score["as_of"], score["model_version"]) for score in told["scores"]}) == 1
    for score in told["scores"]:
        said = (*(score[name] for name in NUMBERS), score["segment"], tuple(score["reasons"]))
        one.answers.batch[_key(score)].add(said)


def _histories(one: Service, client: httpx.Client, chance: random.Random) -> None:
    day, histories = one.shown
    ids = chance.sample(sorted(histories), 8)
    customers = [{"customer_id": each, "orders": [_line(row) for row in histories[each]]} for each in ids]
    told = _posted(one, client, "/v1/score_histories", {"as_of": day, "customers": customers})
    assert len({score["model_version"] for score in told["scores"]}) == 1
    for score in told["scores"]:
        one.answers.raw[_key(score)].add((*(score[name] for name in NUMBERS), tuple(score["reasons"])))


def _explanations(one: Service, client: httpx.Client, chance: random.Random) -> None:
    for told in _posted(one, client, "/v1/explain", {"customer_ids": _some(one, chance, 10)})["explanations"]:
        for name in ("churn_probability", "expected_value"):
            part = told[name]
            assert abs(part["base"] + sum(part["added"].values()) - part["score"]) < 1e-6
        both = told["churn_probability"]["score"], told["expected_value"]["score"]
        one.answers.explained[_key(told)].add(both)


def _plans(one: Service, client: httpx.Client, chance: random.Random) -> None:
    budget = chance.randrange(20, 200)
    made = _posted(one, client, "/v1/plan", {"budget": budget})
    contacts = [contact for contact in made["contacts"] if contact["treated"]]
    assert sum(contact["expected_cost"] for contact in contacts) <= budget + 1e-6
    answer = client.get("/v1/model")
    one.answers.statuses["/v1/model", answer.status_code] += 1
    told = answer.json()
    one.answers.models.add((told["registered"], told["version"], told["hash"]))
    answer = client.get("/readyz")
    one.answers.statuses["/readyz", answer.status_code] += 1
    time.sleep(0.5)


def _wrongly(one: Service, client: httpx.Client, chance: random.Random) -> None:
    what = chance.choice(sorted(ASKED_FOR))
    if what == "no token":
        answer = client.post("/v1/score", json={"customer_ids": ["1"]}, headers={"Authorization": "Bearer no"})
    elif what == "no json":
        headers = {"Content-Type": "application/json"}
        answer = client.post("/v1/score_histories", content=b'{"as_of": "1998-0', headers=headers)
    elif what == "no offer":
        answer = client.post("/v1/plan", json={"budget": 10, "offers": ["none of ours"]})
    else:
        answer = client.post("/v1/../../etc/passwd", json={})
    one.answers.statuses[what, answer.status_code] += 1
    assert answer.status_code == ASKED_FOR[what], (what, answer.status_code, answer.text[:300])


def _key(score: dict[str, Any]) -> Key:
    return score["customer_id"], score["as_of"], score["model_version"]


def _line(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row._asdict().items() if name != "customer_id"} | {
        "amount": float(row.amount)
    }
