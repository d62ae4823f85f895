"""Feature rows written to a file, whatever the size of the log."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.clock import microseconds
from features.errors import InputError
from features.snapshots.rfm_quintiles import QUINTILES, RANKED, quintile_cuts, quintiles
from features.snapshots.snapshot import feature_columns, snapshot_chunks
from pipelines import run_folder
from pipelines.config import Config
from pipelines.order_log import read_orders, refuse_input_as_output, refuse_too_early, write_reconciliation


@dataclass(frozen=True)
class FeatureRequest:
    """The days of the feature rows, and the moments that bound the log."""

    as_of: list[date]
    known_at: date | None
    now: datetime
    """Rows after it are in the future."""
    before_us: int | None
    """The end of the log, if rows that became known after it are wanted too."""


def write_features(
    config: Config,
    *,
    as_of: list[date],
    known_at: date | None,
    output: Path,
    engine: str,
    rfm: bool,
    now: datetime,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """Write one row per customer and day; returns the number of rows, the days, the features and the file.

    known_at: only what was recorded before that day counts; if it is after `as_of`, which must then be one day, facts
    from before `as_of` that became known later count as well. engine: duckdb, on this machine, where a log larger
    than the config's memory is split on disk, or spark, which has settings of its own. rfm: add each customer's
    quintiles among all customers of the day.
    """
    run_folder.refuse_unwritable(output, kinds=run_folder.TABLES)
    output.parent.mkdir(parents=True, exist_ok=True)
    refuse_input_as_output(config, [output])
    request = FeatureRequest(
        as_of=as_of,
        known_at=known_at,
        now=now,
        before_us=_before_us(as_of=as_of, known_at=known_at),
    )
    write = _write_by_spark if engine == "spark" else _write_here
    say("reading the log")
    if rfm:
        with tempfile.TemporaryDirectory(prefix=".stayworth-", dir=output.parent) as staging:
            rows, names = write(config, Path(staging) / "features.parquet", request, say)
            say("adding RFM quintiles")
            run_folder.write_tables(output, _with_quintiles(Path(staging) / "features.parquet"))
            names = [*names, *QUINTILES]
    else:
        rows, names = write(config, output, request, say)
    days = [day.isoformat() for day in sorted(set(as_of))]
    return {"rows": rows, "days": days, "features": len(names), "written": str(output)}


def _write_here(
    config: Config, output: Path, request: FeatureRequest, say: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Write the rows on this machine; returns their number, and the features."""
    orders = read_orders(config, now=request.now, before_us=request.before_us, say=say)
    histories = orders.histories
    refuse_too_early(histories.first_day, histories.end, as_of=min(request.as_of))
    names = feature_columns(histories, as_of=request.as_of, known_at=request.known_at)
    say("computing features")
    tables = (
        table
        for part in orders.parts()
        for table in snapshot_chunks(part, features=names, as_of=request.as_of, known_at=request.known_at)
    )
    written = run_folder.write_tables(output, tables)
    if request.before_us is None:
        write_reconciliation(config, orders.account, orders.quarantine())
    return written, names


def _write_by_spark(
    config: Config, output: Path, request: FeatureRequest, say: Callable[[str], None]
) -> tuple[int, list[str]]:
    """Write the rows by Spark, which has memory settings of its own; returns their number, and the features."""
    from features.large_logs.spark import stage_snapshot

    with tempfile.TemporaryDirectory(prefix=".stayworth-", dir=output.parent) as staging:
        staged = stage_snapshot(
            config.log,
            features=None,
            staging=Path(staging),
            master=config.spark.master,
            as_of=request.as_of,
            known_at=request.known_at,
            now_us=int(request.now.timestamp() * 1_000_000),
            before_us=request.before_us,
        )
        refuse_too_early(staged.first_day, staged.end, as_of=min(request.as_of))
        say("writing features")
        written = run_folder.write_tables(output, staged.rows())
        if request.before_us is None:
            write_reconciliation(config, staged.account, staged.quarantine())
    return written, staged.features


def _with_quintiles(path: Path) -> Iterator[pa.Table]:
    """The rows of a file of features, each with its RFM quintiles among all rows of its day."""
    file = pq.ParquetFile(path)
    base = file.read(["as_of", *RANKED])
    by_day = {day: quintile_cuts(base.filter(pc.equal(base["as_of"], day))) for day in pc.unique(base["as_of"])}
    del base
    for number in range(file.num_row_groups):
        rows = file.read_row_group(number)
        values = np.full((rows.num_rows, len(QUINTILES)), np.nan)
        for day, day_cuts in by_day.items():
            of_day = pc.equal(rows["as_of"], day)
            values[of_day.to_numpy()] = np.column_stack(quintiles(rows.filter(of_day), day_cuts).columns)
        for name, column in zip(QUINTILES, values.T, strict=True):
            rows = rows.append_column(name, pa.array(column))
        yield rows


def _before_us(*, as_of: list[date], known_at: date | None) -> int | None:
    """The moment at which the log is cut if facts that became known later count too: the one day of the rows."""
    if known_at is None or known_at <= min(as_of):
        return None
    if len(set(as_of)) > 1:
        raise InputError(
            f"{known_at} is after several days of --as-of, each of which needs a run of its own",
            where="--known-at",
            next="Name one --as-of at a time.",
        )
    return microseconds(as_of[0])
