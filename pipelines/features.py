"""Feature rows to a file, whatever the size of the log."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.clock import microseconds
from features.errors import InputError
from features.ingest.reading import reading
from features.ingest.reconciliation import Tally, account_of, quarantine
from features.large_logs.buckets import buckets, database_bytes
from features.snapshots.rfm_quintiles import QUINTILES, RANKED, cells, cuts
from features.snapshots.snapshot import chunks, columns_of
from pipelines import run_folder
from pipelines.config import Config
from pipelines.memory import machine_memory
from pipelines.order_log import extent, refuse_input_as_output, refuse_too_early, write_reconciliation


def write_features(
    config: Config,
    *,
    as_of: list[date],
    known_at: date | None,
    output: Path,
    engine: str,
    memory_bytes: int | None,
    rfm: bool,
    now: datetime,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """One row per customer and day; returns what was written.

    known_at: only what was recorded before that day; after `as_of`, which is then one day, it adds what became known
    since of what came before. engine: duckdb, on this machine, or spark. memory_bytes: what the run may take, all in
    all; a larger log is split on disk (Spark has settings of its own). rfm: add each customer's quintiles among all of
    the day.
    """
    run_folder.refuse_unwritable(output, kinds=run_folder.TABLES)
    output.parent.mkdir(parents=True, exist_ok=True)
    refuse_input_as_output(config, [output])
    asked: dict[str, Any] = {"as_of": as_of, "known_at": known_at}
    times = {"now_us": int(now.timestamp() * 1_000_000), "before_us": _before_us(**asked)}
    write = _by_spark if engine == "spark" else _on_this_machine
    how: dict[str, Any] = {"asked": asked, "times": times, "memory_bytes": memory_bytes or machine_memory(), "say": say}
    say("reading the log")
    if rfm:
        with tempfile.TemporaryDirectory(prefix=".stayworth-", dir=output.parent) as staging:
            rows, names = write(config, Path(staging) / "features.parquet", **how)
            say("comparing each customer with all")
            run_folder.write_tables(output, _with_quintiles(Path(staging) / "features.parquet"))
            names = [*names, *QUINTILES]
    else:
        rows, names = write(config, output, **how)
    days = [day.isoformat() for day in sorted(set(as_of))]
    return {"rows": rows, "days": days, "features": len(names), "written": str(output)}


def _on_this_machine(
    config: Config,
    output: Path,
    *,
    asked: dict[str, Any],
    times: dict[str, Any],
    memory_bytes: int,
    say: Callable[[str], None],
) -> tuple[int, list[str]]:
    """The number of rows written, and the features."""
    with reading(config.log, memory_bytes=database_bytes(memory_bytes), **times) as opened:
        refuse_too_early(*extent(opened), as_of=min(asked["as_of"]))
        names = columns_of(opened, **asked)
        tallies: list[Tally] = []

        def rows() -> Iterator[pa.Table]:
            for histories, tally in buckets(opened, memory_bytes=memory_bytes):
                tallies.append(tally)
                say(f"computing features{f', part {len(tallies)}' if len(tallies) > 1 else ''}")
                yield from chunks(histories, features=names, **asked)

        written = run_folder.write_tables(output, rows())
        if times["before_us"] is None:
            write_reconciliation(config, account_of(opened, Tally.total(tallies)), quarantine(opened))
    return written, names


def _by_spark(
    config: Config,
    output: Path,
    *,
    asked: dict[str, Any],
    times: dict[str, Any],
    memory_bytes: int,  # noqa: ARG001  (Spark has settings of its own)
    say: Callable[[str], None],
) -> tuple[int, list[str]]:
    """The number of rows written, and the features."""
    from features.large_logs.spark import snapshot_to

    with tempfile.TemporaryDirectory(prefix=".stayworth-", dir=output.parent) as staging:
        staged = snapshot_to(
            config.log, features=None, staging=Path(staging), master=config.spark.master, **asked, **times
        )
        refuse_too_early(staged.first_day, staged.end, as_of=min(asked["as_of"]))
        say("writing features")
        written = run_folder.write_tables(output, staged.rows())
        if times["before_us"] is None:
            write_reconciliation(config, staged.account, staged.quarantine())
    return written, staged.features


def _with_quintiles(path: Path) -> Iterator[pa.Table]:
    """The rows of a file of features as they are, each with its quintiles among all of its day."""
    file = pq.ParquetFile(path)
    base = file.read(["as_of", *RANKED])
    by_day = {day: cuts(base.filter(pc.equal(base["as_of"], day))) for day in pc.unique(base["as_of"])}
    del base
    for number in range(file.num_row_groups):
        rows = file.read_row_group(number)
        found = np.full((rows.num_rows, len(QUINTILES)), np.nan)
        for day, day_cuts in by_day.items():
            of_day = pc.equal(rows["as_of"], day)
            found[of_day.to_numpy()] = np.column_stack(cells(rows.filter(of_day), day_cuts).columns)
        for name, column in zip(QUINTILES, found.T, strict=True):
            rows = rows.append_column(name, pa.array(column))
        yield rows


def _before_us(*, as_of: list[date], known_at: date | None) -> int | None:
    """Where the log is cut, if what became known later is wanted too: at the one day asked for."""
    if known_at is None or known_at <= min(as_of):
        return None
    if len(set(as_of)) > 1:
        raise InputError(
            f"what became known up to {known_at} of days before it takes a reading per day",
            where="--known-at",
            next="Name one --as-of at a time.",
        )
    return microseconds(as_of[0])
