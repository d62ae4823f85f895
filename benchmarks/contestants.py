"""The contestants of the feature benchmark; benchmarks/measure.py runs each in its own environment and process."""

import json
import subprocess
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from benchmarks.environments import python_of


@dataclass(frozen=True)
class Contestant:
    module: str
    """The file below benchmarks/peers."""
    function: str
    gives: Literal["features", "features in memory", "day summaries", "nothing"] = "features"
    environment: str | None = None
    """A line of benchmarks/peers.txt; None is our own environment."""
    one_day: bool = False
    """Too slow, or not designed, for many cut-offs: it runs with one only."""


FLOOR, OURS, IN_MEMORY, CATALOGUE = "sort-and-fetch", "stayworth", "stayworth, in memory", "stayworth, whole catalogue"
AGAIN = "stayworth, second command"
"""On a log that an earlier command has read."""
SQL = ("duckdb, prepared", "duckdb, plain", "ibis on duckdb")

CONTESTANTS = {
    FLOOR: Contestant("duckdb_sql", "sort_and_fetch", gives="nothing"),
    OURS: Contestant("ours", "to_parquet"),
    AGAIN: Contestant("ours", "again"),
    IN_MEMORY: Contestant("ours", "in_memory", gives="features in memory"),
    CATALOGUE: Contestant("ours", "whole_catalogue"),
    SQL[0]: Contestant("duckdb_sql", "prepared"),
    SQL[1]: Contestant("duckdb_sql", "plain"),
    SQL[2]: Contestant("ibis_on_duckdb", "on_duckdb", environment="ibis"),
    "polars": Contestant("polars_lazy", "lazy", environment="polars"),
    "pandas": Contestant("pandas_groupby", "groupby", one_day=True),
    "lifetimes": Contestant("day_summaries", "lifetimes", gives="day summaries", environment="lifetimes", one_day=True),
    "pymc-marketing": Contestant(
        "day_summaries", "pymc_marketing", gives="day summaries", environment="pymc_marketing", one_day=True
    ),
}


def named(starts: list[str]) -> list[str]:
    """The contestants whose names start with one of `starts`, in table order; ValueError if a start matches none."""
    for start in starts:
        if not any(name.startswith(start) for name in CONTESTANTS):
            raise ValueError(f"no contestant's name starts with {start!r}; there are: {'; '.join(CONTESTANTS)}")
    return [name for name in CONTESTANTS if name.startswith(tuple(starts))]


def run(name: str, tiny: Path, log: Path, days: list[date], out: Path) -> dict[str, Any]:
    """Run a contestant; returns the seconds of each phase, after a run on the tiny log, and the peak memory.

    tiny, log: folders with the two files; `out` receives the output. Raises RuntimeError with the end of the
    contestant's error output if it fails.
    """
    contestant = CONTESTANTS[name]
    out.mkdir(parents=True, exist_ok=True)
    written_days = ",".join(map(str, days))
    arguments = [contestant.module, contestant.function, str(tiny), str(log), written_days, str(out)]
    command = [str(python_of(contestant.environment)), "-W", "ignore", "-m", "benchmarks.measure", *arguments]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, check=False, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{name} failed with exit code {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
