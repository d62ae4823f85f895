"""Features at 1 and at 12 cut-offs from one log: ours beside SQL, Polars, pandas and a bare sort-and-fetch.

Every contestant reads the same two Parquet files (orders and interactions), computes the same 28 columns
(benchmarks/task.py) for every customer with an order before each cut-off, and writes Parquet; all must agree
on every value. lifetimes and pymc-marketing make four columns in whole purchase days, checked against SQL. Each runs
in a process of its own, so that its peak memory is its own, after a run on a tiny log that loads its libraries and
compiled code (not timed). The repetitions take turns. Read the ratios: seconds belong to one machine and one moment,
and on a busy machine trust the CPU seconds, of all threads, before either.

The log is clean: an order per row, no refund, nothing to reject. That favours the peers, which assume it; ours
judges every row, reconciles every cent and would net refunds.
"""

import argparse
import os
import tempfile
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.alone import alone
from benchmarks.contestants import AGAIN, CONTESTANTS, FLOOR, OURS, SQL, named, run
from benchmarks.environments import Unavailable, make, requirements
from benchmarks.table import save, show
from benchmarks.task import CUT_OFFS, FEATURES


def race(names: list[str], days: list[date], folder: Path, *, repetitions: int) -> dict[str, Any]:
    """Run the contestants in turns on the logs in `folder`; raises AssertionError if one disagrees."""
    outs = {name: folder / f"{len(days)} cut-offs" / name for name in names}
    busy = os.getloadavg()[0]
    turns = [
        {name: alone(run, name, folder / "tiny", folder / "log", days, out) for name, out in outs.items()}
        for _ in range(repetitions)
    ]
    agreed = alone(judge, outs, days, folder / "log")
    return {"cut_offs": len(days), "load_before": busy, **agreed, "turns": turns}


def judge(outs: dict[str, Path], days: list[date], log: Path) -> dict[str, Any]:
    """Number of rows, and of each contestant's columns; raises AssertionError if one disagrees with the first."""
    from benchmarks.agreement import columns_in, compare, compare_days

    kinds = {name: CONTESTANTS[name].gives for name in outs}
    first = next((outs[name] for name in outs if kinds[name] == "features"), None)
    agreed: dict[str, Any] = {"rows": 0, "columns": {}}
    for name, out in outs.items():
        if kinds[name] == "features" and first:
            agreed["rows"] = compare(first, out, days)
            agreed["columns"][name] = columns_in(out)
        elif kinds[name] == "day summaries":
            agreed["rows"] = compare_days(log, first, out, *days)
            agreed["columns"][name] = columns_in(out)
        elif kinds[name] == "features in memory":
            agreed["columns"][name] = len(FEATURES)
    return agreed


def lines(race: dict[str, Any]) -> list[list[str]]:
    """Table of a race, our phases below our total; in "a (b)", a is of the fastest runs, b the median over turns."""
    runs = {name: [turn[name] for turn in race["turns"]] for name in race["turns"][0]}
    totals = {name: [measurement["total"] for measurement in many] for name, many in runs.items()}
    best_sql = min((name for name in SQL if name in totals), key=lambda name: min(totals[name]), default="")

    def line(name: str, seconds: list[float], *rest: str) -> list[str]:
        against = [
            f"{min(seconds) / min(peer):.2f} ({median(a / b for a, b in zip(seconds, peer, strict=True)):.2f})"
            if (peer := totals.get(other))
            else "–"
            for other in (FLOOR, best_sql)
        ]
        return [name, f"{min(seconds):.2f} ({median(seconds):.2f})", *against, *rest]

    table_rows = []
    for name, many in runs.items():
        rows, speed, cost = race["rows"], "", ""
        if rows and name in race["columns"]:
            speed = f"{rows / min(totals[name]):,.0f}"
            cost = f"{1e9 * min(totals[name]) / (rows * race['columns'][name]):,.0f}"
        cpu = f"{min(measurement['cpu_seconds'] for measurement in many):.2f}"
        table_rows.append(
            line(name, totals[name], cpu, speed, cost, f"{max(measurement['peak_mb'] for measurement in many):,.0f}")
        )
        for phase in many[0]["seconds"] if name == OURS else ():
            table_rows.append(
                line(f"  {phase}", [measurement["seconds"][phase] for measurement in many], "", "", "", "")
            )
    return table_rows


def able(names: list[str]) -> tuple[list[str], dict[str, str]]:
    """The contestants whose environment exists or could be made now, and why the others are missing."""
    skipped = {}
    for name in names:
        environment = CONTESTANTS[name].environment
        try:
            if environment:
                make(environment)
        except Unavailable as error:
            skipped[name] = str(error)
    return [name for name in names if name not in skipped], skipped


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks features", description=__doc__)
    parser.add_argument("--orders", type=int, default=1_000_000, help="rows of the log of orders")
    parser.add_argument("--interactions", type=int, help="rows of the log of interactions; default: twice the orders")
    parser.add_argument("--customers", type=int, help="number of customers; default: a twentieth of the orders")
    parser.add_argument("--repetitions", type=int, default=3, help="how often each contestant runs, in turns")
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=[""], help="only contestants whose names start with NAME"
    )
    parser.add_argument(
        "--skip", nargs="+", metavar="NAME", default=[], help="leave out contestants whose names start with NAME"
    )
    arguments = parser.parse_args(options)
    sizes = {
        "orders": arguments.orders,
        "interactions": arguments.interactions or 2 * arguments.orders,
        "customers": arguments.customers or arguments.orders // 20,
    }
    try:
        left_out = named(arguments.skip)
        names, skipped = able([name for name in named(arguments.only) if name not in left_out])
    except ValueError as error:
        parser.error(str(error))
    races = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        alone(log_into, folder / "tiny", orders=1000, interactions=2000, customers=50)
        alone(log_into, folder / "log", **sizes)
        if AGAIN in names:
            for log in ("tiny", "log"):
                alone(read_before, folder / log)
        for days in (CUT_OFFS[-1:], CUT_OFFS):
            racing = [name for name in names if len(days) == 1 or not CONTESTANTS[name].one_day]
            if racing:
                races.append(race(racing, days, folder, repetitions=arguments.repetitions))
    logged = ", ".join(f"{count:,} {what}" for what, count in sizes.items())
    for result in races:
        cut_offs = "1 cut-off" if result["cut_offs"] == 1 else f"{result['cut_offs']} cut-offs"
        size = f"{cut_offs}, {result['rows']:,} rows, equal values from all"
        note = f"fastest (median) of {arguments.repetitions} turns; ÷: time divided by that peer's, lower is better"
        note += f"; load before: {result['load_before']:.1f} on {os.cpu_count()} cores"
        header = ["", "seconds", "÷ sort-and-fetch", "÷ best SQL", "CPU s", "rows/s", "ns/value", "peak MB"]
        show(f"{logged}\n{size}\n{note}", header, lines(result))
    for name, why in skipped.items():
        print(f"{name}: not measured, {why}")
    print(save("features", {**sizes, "peers": requirements(), "skipped": skipped, "races": races}))


def read_before(folder: Path) -> None:
    """Have Stayworth read a log, for its second command."""
    from benchmarks.measure import log_in
    from benchmarks.peers import ours

    ours.read_before(log_in(str(folder)))


def log_into(folder: Path, *, orders: int, interactions: int, customers: int) -> None:
    """Write the log, the same one every time."""
    from benchmarks.logs import make_log

    folder.mkdir()
    make_log(folder, orders=orders, interactions=interactions, customers=customers, seed=7)
