"""Scores by customer id from a file: ours beside SQLite, LMDB, dense float32 and a dict, all of the same customers.

Warm: every page has been read before. Ids are drawn uniformly from all customers, so that hardly any is in the caches
of the processor. The contestants take turns in one process; all must return the same six numbers. Private memory is
what opening a file took in this process alone: the pages of mapped files belong to the system, and workers share them.
Read the ratios, medians over turns: microseconds belong to one machine.
"""

import argparse
import gc
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, perf_counter_ns
from typing import Any

import numpy as np

from benchmarks.alone import alone
from benchmarks.environments import Unavailable, beside, requirements
from benchmarks.lookup_contestants import PEERS, Answer, opened, ours
from benchmarks.lookup_customers import SHOPS, Customers, ids
from benchmarks.table import save, show
from serving.store import score_store as store

FIND, BARE = "Stayworth, find", "Stayworth, bare"
BATCH = 1_000


def private_mb() -> float:
    """Memory of this process that is not mapped from a file, MB (Linux)."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))[1]) / 1024


def write_ours(shop: str, count: int, path: Path) -> dict[str, float]:
    """Write our store; returns its seconds, without those of making customers, and its peak memory besides them."""
    customers = Customers(shop, count)
    seconds, most, before = 0.0, 0.0, private_mb()
    start = perf_counter()
    with store.writing(path, customers.about) as writer:
        seconds += perf_counter() - start
        for scores, rows in customers:
            start = perf_counter()
            writer.add(scores, rows)
            seconds += perf_counter() - start
            most = max(most, private_mb() - before)
        start = perf_counter()
    return {"write_seconds": seconds + perf_counter() - start, "writer_mb": most, "features": len(customers.features)}


def write_peer(name: str, source: Path, path: Path) -> float:
    opened_store = store.open_store(source)
    start = perf_counter()
    PEERS[name][0](opened_store, path)
    return perf_counter() - start


def measured(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """The result of a call, its seconds, and the private memory it took, MB."""
    gc.collect()
    before, start = private_mb(), perf_counter()
    result = call()
    return result, perf_counter() - start, private_mb() - before


def turns(answers: dict[str, Answer], numbers: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Microseconds per id of each contestant for `size` ids at a time, in turns, each time with begin ids."""
    took: dict[str, list[float]] = {name: [] for name in answers}
    begins = range(0, len(numbers), size)
    for turn in range(len(begins)):
        for place, (name, answer) in enumerate(answers.items()):
            begin = begins[(turn + place * len(begins) // len(answers)) % len(begins)]
            wanted_ids = ids(numbers[begin : begin + size])
            start = perf_counter_ns()
            answer(wanted_ids)
            took[name].append((perf_counter_ns() - start) / 1000 / size)
    return {name: np.array(times) for name, times in took.items()}


def race(shop: str, count: int, folder: Path, peers: list[str], *, lookups: int) -> dict[str, Any]:
    path = folder / "ours"
    written = alone(write_ours, shop, count, path)
    opened_store, seconds, private = measured(lambda: store.open_store(path))
    results: dict[str, Any] = {
        FIND: written | {"bytes": path.stat().st_size, "open_seconds": seconds, "private_mb": private}
    }
    answers: dict[str, Answer] = {
        FIND: lambda wanted_ids: opened_store.find(wanted_ids)[0],
        BARE: lambda wanted_ids: ours(opened_store, wanted_ids),
    }
    results[BARE] = {}
    rng = np.random.default_rng(7)
    for place, name in enumerate(peers):
        file = folder / str(place)
        took = alone(write_peer, name, path, file)
        answers[name], seconds, private = measured(lambda name=name, file=file: opened(name, file, opened_store))
        results[name] = {
            "bytes": file.stat().st_size,
            "write_seconds": took,
            "open_seconds": seconds,
            "private_mb": private,
        }
    agree(answers, ids(rng.integers(count, size=BATCH)))
    for size, key in ((1, "one"), (BATCH, "thousand")):
        rounds = lookups if size == 1 else lookups * 10
        turns(answers, rng.integers(count, size=rounds // 10), size)
        took = turns(answers, rng.integers(count, size=rounds), size)
        for name, times in took.items():
            results[name] |= {f"{key}_us": float(np.median(times)), f"{key}_p99_us": float(np.quantile(times, 0.99))}
            results[name] |= {f"{key}_ratio": float(np.median(times / took[BARE]))}
    rows = turns(
        {"rows": lambda wanted_ids: list(opened_store.rows(wanted_ids))}, rng.integers(count, size=lookups * 10), BATCH
    )["rows"]
    results[FIND] |= {"rows_us": float(np.median(rows))}
    everybody, seconds, _ = measured(opened_store.scores)
    results[FIND] |= {"all_scores_seconds": seconds, "customers": len(everybody)}
    return results


def agree(answers: dict[str, Answer], wanted_ids: list[str]) -> None:
    """Raise AssertionError if a contestant returns begin numbers than ours."""
    expected = answers[BARE](wanted_ids)
    for name, answer in answers.items():
        result = answer(wanted_ids)
        result = [tuple(list(record.values())[3:9]) for record in result] if name == FIND else result
        assert result == expected, f"{name} returns other numbers"


def lines(results: dict[str, Any]) -> list[list[str]]:
    table_rows = []
    for name, values in results.items():
        file_cells = ["", "", "", ""]
        if "bytes" in values:
            file_cells = [
                f"{values['bytes'] / 1e9:.2f}",
                f"{values['write_seconds']:,.0f}",
                f"{values['open_seconds']:.1f}",
            ]
            file_cells.append(f"{values['private_mb']:,.0f}")
        table_rows.append(
            [
                name,
                *file_cells,
                f"{values['one_us']:.1f}",
                f"{values['one_p99_us']:.1f}",
                f"{values['one_ratio']:.1f}",
                f"{values['thousand_us']:.2f}",
                f"{values['thousand_ratio']:.1f}",
            ]
        )
    return table_rows


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks lookups", description=__doc__)
    parser.add_argument("--customers", type=int, default=5_000_000)
    parser.add_argument(
        "--shops",
        nargs="+",
        choices=list(SHOPS),
        default=list(SHOPS),
        help="shops whose customers are used; default: both",
    )
    parser.add_argument(
        "--lookups", type=int, default=20_000, help="lookups of one id; ten times as many of a thousand"
    )
    arguments = parser.parse_args(options)
    peers, skipped = list(PEERS), {}
    try:
        beside("lmdb")
    except Unavailable as error:
        peers.remove("LMDB")
        skipped["LMDB"] = str(error)
    results = {}
    for shop in arguments.shops:
        with tempfile.TemporaryDirectory() as folder:
            values = results[shop] = alone(
                race, shop, arguments.customers, Path(folder), peers, lookups=arguments.lookups
            )
        header = ["", "GB", "write s", "open s", "own MB", "1 id µs", "p99", "÷ bare", "1,000: µs each", "÷ bare"]
        features = values[FIND]["features"]
        show(
            f"{arguments.customers:,} customers of {shop}, {features} features, ids of 36 characters",
            header,
            lines(values),
        )
        ours = values[FIND]
        print(
            f"feature rows of 1,000: {ours['rows_us']:.1f} µs each; scores of all: {ours['all_scores_seconds']:.1f} s; "
            f"writing took {ours['writer_mb']:,.0f} MB"
        )
    for name, why in skipped.items():
        print(f"{name}: not measured: {why}")
    print(save("lookups", {"peers": requirements(are_beside=True), "skipped": skipped, "shops": results}))
