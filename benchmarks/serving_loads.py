"""Our server under load: time to the first answer, gain from a second worker, and swaps without a failed request."""

import json
import os
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving_client import Line, flood, request
from benchmarks.serving_contestants import CONTESTANTS, OURS, OURS_FROM_ORDERS, running
from benchmarks.serving_shop import DAY, EARLIER, STAYWORTH, Shop
from features.atomic_files import replacing
from serving import active_model

CONNECTIONS = 16
SEEN_S = 20.0
"""Seconds within which a swap must have happened."""


def readiness(shop: Shop, *, times: int = 3) -> dict[str, float]:
    """Seconds from the start of `stayworth serve`, following the registry, until /readyz is 200.

    `cpu_s` is the CPU time of all its processes until then, which says more on a busy machine.
    """
    took, cpu = [], []
    for _ in range(times):
        started = [STAYWORTH, "serve", "-c", str(shop.config), "--port"]
        with running("stayworth", shop, started=started) as server:
            took.append(server.ready_seconds)
            cpu.append(server.cpu_ns() / 1e9)
    return {"median_s": median(took), "slowest_s": max(took), "cpu_s": median(cpu)}


def two_workers(shop: Shop, *, turns: int = 7, seconds: float = 2.0) -> dict[str, dict[str, float]]:
    """Answers per second of one and of two workers to 16 clients, in turns, by kind of request.

    The client uses a part of the cores that the second worker could use, the smaller the larger the requests: with one
    customer by id it takes one of two cores. `cpu_ratio` corrects for that: the CPU time of an answer by two workers
    over that by one. If it is 1, two workers on cores of their own answer twice as many requests.
    """
    results = {}
    with running("stayworth", shop) as one, running("stayworth", shop, workers=2) as two:
        for name, size in ((OURS, 1), (OURS, 100), (OURS, 1000), (OURS_FROM_ORDERS, 10)):
            contestant = CONTESTANTS[name]
            requests = [request(contestant.path, contestant.ask(shop, size, turn)) for turn in range(64)]
            rates: dict[str, list[float]] = {"one": [], "two": []}
            costs: dict[str, list[float]] = {"one": [], "two": []}
            for _ in range(turns):
                for workers, server in (("one", one), ("two", two)):
                    begun = server.cpu_ns()
                    rate = flood(server.port, requests, connections=CONNECTIONS, seconds=seconds)
                    rates[workers].append(rate)
                    costs[workers].append((server.cpu_ns() - begun) / rate)
            results[f"{name}, {size}"] = {f"{workers}_per_s": median(many) for workers, many in rates.items()} | {
                "ratio": _ratio(rates),
                "cpu_ratio": _ratio(costs),
            }
    return results


def _ratio(turns: dict[str, list[float]]) -> float:
    return median(two / one for one, two in zip(turns["one"], turns["two"], strict=True))


def swaps(shop: Shop, *, times: int = 20) -> dict[str, Any]:
    """Swap the scores and the champion while four clients send requests; returns the counts of their answers."""
    folder, stores = shop.folder, [shop.folder / "earlier.store", shop.folder / "later.store"]
    if not stores[1].exists():
        os.link(shop.scores, stores[1])
    served = folder / "served"
    pointer = json.loads((served / active_model.POINTER).read_text("utf-8"))
    started = [STAYWORTH, "serve", "-c", str(shop.config), "--bundle", str(served), "--port"]
    statuses: Counter[str] = Counter()
    requests = [
        request(contestant.path, contestant.ask(shop, 1, turn))
        for turn in range(50)
        for contestant in (CONTESTANTS[OURS], CONTESTANTS[OURS_FROM_ORDERS])
    ]
    days = [EARLIER.isoformat(), DAY.isoformat()]
    over = threading.Event()
    try:
        with running("stayworth", shop, started=started) as server:
            callers = [threading.Thread(target=_ask_on, args=(server.port, requests, over, statuses)) for _ in range(4)]
            for caller in callers:
                caller.start()
            for number in range(times):
                _put(stores[number % 2], shop.scores)
                with replacing(served / active_model.POINTER) as new:
                    new.write_text(json.dumps(pointer | {"registered": f"swap {number}"}), "utf-8")
                _seen(server.port, registered=f"swap {number}", day=days[number % 2])
            over.set()
            for caller in callers:
                caller.join()
    finally:
        over.set()
        _put(stores[1], shop.scores)
        with replacing(served / active_model.POINTER) as new:
            new.write_text(json.dumps(pointer), "utf-8")
    return {"swaps": 2 * times, "answers": dict(statuses), "failed": sum(statuses.values()) - statuses["200"]}


def _put(store: Path, where: Path) -> None:
    """Replace a batch by another in one step, as `stayworth score` does."""
    draft = where.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    os.link(store, draft)
    draft.replace(where)
    draft.unlink(missing_ok=True)  # it stays where both are one file already


def _seen(port: int, *, registered: str, day: str) -> None:
    """Wait until the service reports that it serves both."""
    begin = time.monotonic()
    with closing(Line(port)) as line:
        while time.monotonic() - begin < SEEN_S:
            about = json.loads(line.ask(request("/v1/model"))[1])
            if about["registered"] == registered and about["scores_as_of"] == day:
                return
            time.sleep(0.05)
    raise RuntimeError(f"a swap was not seen within {SEEN_S:g} s; the service says {about}")


def _ask_on(port: int, requests: list[bytes], over: threading.Event, statuses: Counter[str]) -> None:
    line = Line(port)
    while not over.is_set():
        for content in requests:
            try:
                statuses[str(line.ask(content)[0])] += 1
            except OSError as error:
                statuses[type(error).__name__] += 1
                line.close()
                line = Line(port)
    line.close()
