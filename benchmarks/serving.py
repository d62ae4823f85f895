"""Scores over HTTP: what a request costs the server, ours beside FastAPI, BentoML as shipped and mlflow models serve.

All serve the same batch and the same bundle (CDNOW's) with one worker each; a client in another process sends requests
in turns over persistent connections. CPU is that of all processes of the server, by the system's clock of each; latency
is the client's view with nothing else in flight. Read the ratios, medians over turns: milliseconds belong to one
machine. Ours runs behind its guard, with access log, metrics and score log; FastAPI has none of these. Then: two
workers against one, the time to the first answer, memory, and swaps of scores and model under load.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter_ns, process_time_ns
from typing import Any

import numpy as np

from benchmarks.environments import Unavailable
from benchmarks.serving_client import Line, request
from benchmarks.serving_contestants import CONTESTANTS, OURS, Contestant, Server, running
from benchmarks.serving_loads import readiness, swaps, two_workers
from benchmarks.serving_shop import Shop, make
from benchmarks.table import save, show
from models.artifacts import bundle
from models.trees import boosting
from serving.store import score_store as store

BARE = "booster in process"
SIZES = (1, 100, 1000)
REQUESTS = {1: 200, 100: 60, 1000: 20}
TURN_S = 1.0
"""Seconds after which a slow contestant's turn ends."""


def turn(port: int, requests: list[bytes]) -> list[float]:
    """Milliseconds of each request on one connection; fewer requests if they are slow."""
    took: list[float] = []
    line = Line(port)
    try:
        for content in requests:
            start = perf_counter_ns()
            status, body = line.ask(content)
            took.append((perf_counter_ns() - start) / 1e6)
            if status != 200:
                raise RuntimeError(f"status {status}: {body[:300]!r}")
            if sum(took) > TURN_S * 1000:
                break
    finally:
        line.close()
    return took


def requests(contestant: Contestant, shop: Shop, size: int, number: int) -> list[bytes]:
    """The requests of one turn."""
    count = REQUESTS[size]
    return [request(contestant.path, contestant.ask(shop, size, number * count + place)) for place in range(count)]


def bare_turn(shop: Shop) -> tuple[dict[str, int], Callable[[int], tuple[float, list[float]]]]:
    """Shape of the churn trees, and a function from a size to CPU time and latencies, ms, of `inplace_predict` here."""
    opened_store = store.open_store(shop.scores)
    scorer = bundle.read(shop.bundle)
    values = boosting.values(opened_store.rows(shop.customers[:1000])[0], scorer.inputs)
    booster = scorer.base_learners.no_order.booster
    shape = {"features": values.shape[1], "trees": booster.num_boosted_rounds()}

    def measured(size: int) -> tuple[float, list[float]]:
        took, begin = [], process_time_ns()
        for _ in range(REQUESTS[size]):
            start = perf_counter_ns()
            booster.inplace_predict(values[:size], validate_features=False)
            took.append((perf_counter_ns() - start) / 1e6)
        return (process_time_ns() - begin) / 1e6 / len(took), took

    return shape, measured


def race(shop: Shop, servers: dict[str, Server], *, rounds: int) -> dict[str, Any]:
    """Run all turns: CPU ms and latencies of requests by contestant and size (`turns`), the `shape` of the trees."""
    shape, bare = bare_turn(shop)
    racing = {name: contestant for name, contestant in CONTESTANTS.items() if contestant.server in servers}
    results: dict[str, dict[int, dict[str, Any]]] = {BARE: {size: {"cpu": [], "ms": []} for size in SIZES}}
    results |= {name: {size: {"cpu": [], "ms": []} for size in contestant.sizes} for name, contestant in racing.items()}
    for number in range(-1, rounds):  # the first turn warms up
        for size in SIZES:
            taken = {BARE: bare(size)}
            for name, contestant in racing.items():
                if size in contestant.sizes:
                    server, contents = servers[contestant.server], requests(contestant, shop, size, number + 1)
                    before = server.cpu_ns()
                    took = turn(server.port, contents)
                    taken[name] = (server.cpu_ns() - before) / 1e6 / len(took), took
            for name, (cpu, took) in taken.items() if number >= 0 else ():
                results[name][size]["cpu"].append(cpu)
                results[name][size]["ms"] += took
    return {"shape": shape, "turns": results}


def summary(turns: dict[str, dict[int, dict[str, Any]]]) -> dict[str, dict[int, dict[str, float]]]:
    """Medians over turns; `ours_ratio`: ours by id over this one in the same turn, above 1 if ours costs more."""
    return {
        name: {
            size: {
                "cpu_ms": median(values["cpu"]),
                "p50_ms": float(np.quantile(values["ms"], 0.5)),
                "p99_ms": float(np.quantile(values["ms"], 0.99)),
                "ours_ratio": median(a / b for a, b in zip(turns[OURS][size]["cpu"], values["cpu"], strict=True)),
            }
            for size, values in sizes.items()
        }
        for name, sizes in turns.items()
    }


@contextmanager
def all_running(shop: Shop) -> Iterator[tuple[dict[str, Server], dict[str, str]]]:
    """The servers that start, and why the others do not."""
    skipped: dict[str, str] = {}
    with ExitStack() as stack:
        servers = {}
        for name in dict.fromkeys(contestant.server for contestant in CONTESTANTS.values()):
            try:
                servers[name] = stack.enter_context(running(name, shop))
            except Unavailable as error:
                skipped[name] = str(error)
        yield servers, skipped


def lines(results: dict[str, dict[int, dict[str, float]]]) -> list[list[str]]:
    rows = []
    for name, sizes in results.items():
        for size, values in sizes.items():
            cells = [
                f"{values['cpu_ms']:.2f}",
                f"{values['ours_ratio']:.2f}",
                f"{values['p50_ms']:.1f}",
                f"{values['p99_ms']:.1f}",
            ]
            rows.append([f"{name}, {size:,}", *cells])
    return rows


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="turns per contestant")
    parser.add_argument(
        "--folder", type=Path, help="folder in which the shop is, or will be, made; default: a temporary one"
    )
    parser.add_argument("--only", choices=("race", "loads"), help="run only this part")
    arguments = parser.parse_args(options)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        shop = make(arguments.folder or Path(scratch) / "shop")
        if arguments.only != "loads":
            with all_running(shop) as (servers, skipped):
                raced = race(shop, servers, rounds=arguments.rounds)
                memory = {name: server.memory_mb() for name, server in servers.items()}
            medians = summary(raced["turns"])
            title = "by customers per request: medians of {} turns; {trees} trees, {features} features"
            header = ["", "server CPU ms", "ours by id ÷ this", "p50 ms", "p99 ms"]
            show(title.format(arguments.rounds, **raced["shape"]), header, lines(medians))
            for name, why in skipped.items():
                print(f"{name}: not measured, {why}")
            for name, sizes_mb in memory.items():
                print(
                    f"{name}: {sizes_mb['rss_mb']:.0f} MB in its largest process, {sizes_mb['own_mb']:.0f} MB private"
                )
            results |= {"shape": raced["shape"], "requests": medians, "memory": memory, "skipped": skipped}
        if arguments.only != "race":
            results |= {"ready": readiness(shop), "two_workers": two_workers(shop), "swaps": swaps(shop)}
            for name in ("ready", "two_workers", "swaps"):
                print(f"{name}: {results[name]}")
    print(save("serving", results))
