"""What a training run learns from, within the memory it may take.

A lesson that fits is made of all customers. Of a larger one, customers drawn by a hash of the id teach all that is
learnt in memory, and where `train.rows` asks for more rows than they have, those are written to disk for the trees:
labelled feature rows of the cut-offs of both lessons, those as of the test day and as of the end. With Spark the rows
for the trees are always those on disk, and Spark writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from features.clock import microseconds
from features.histories.columns import Histories
from features.ingest.build_histories import histories_of, no_order
from features.ingest.reading import Reading, reading
from features.ingest.reconciliation import Account, Tally, account_of, quarantine
from features.large_logs.buckets import FIXED_BYTES, ROW_BYTES, buckets, database_bytes
from features.large_logs.partitions import pieces_of
from features.large_logs.spark import Session, labelled_to
from features.snapshots.labels import LABELS, labelled
from features.snapshots.snapshot import columns_of
from models.training.temporal_splits import test_day, timeline
from models.trees.training_rows import Stream
from pipelines import run_folder
from pipelines.config import Config
from pipelines.order_log import extent
from pipelines.training.training_set import mask_unknown_year, training_features

CELL_BYTES = 45
"""Memory that a value of a lesson takes at the peak of becoming a model, all copies together: an estimate; a run of a
million customers kept to it."""
STREAMED_BYTES = 60
"""Memory that a row on disk takes while trees are grown on it: what it is to learn, and how far it is learnt."""
MILLION = 1_000_000


@dataclass(frozen=True)
class TrainingData:
    """The log, read."""

    histories: Histories
    """Of all customers, or of those drawn."""
    customers: int
    """How many the log has."""
    account: Account
    """Where every row and cent of the whole log went."""
    quarantine: Iterable[pa.Table]
    """The rows that cannot be used; may be read once, while the folder is there."""
    more: Stream | None
    """Labelled rows of all customers for the trees, where those drawn have too few or Spark is to grow them."""


class TrainingSize(NamedTuple):
    """How large the lessons of a log are."""

    customers: int
    lesson_rows: int
    """Customers × cut-offs of the larger lesson, at most."""
    share: float
    """The share of the customers whose lesson fits into memory; 1 or more: of all."""


def read_training_data(
    config: Config,
    *,
    now_us: int,
    memory_bytes: int,
    folder: Path,
    say: Callable[[str], None],
    spark: Session | None = None,
) -> TrainingData:
    """Read the log of a config; raises InputError, having written nothing but to `folder`, which is to be empty.

    now_us: rows after it are in the future. memory_bytes: what the run may take, all in all. spark: who makes the rows
    for the trees, whatever fits, and then grows these on them; it must reach `folder`.
    """
    if spark:
        pieces_of(config.log)
    with reading(config.log, now_us=now_us, memory_bytes=database_bytes(memory_bytes)) as opened:
        first_day, end = extent(opened)
        horizon_days = config.terms.horizon_days
        ends = (test_day(first_day, end, horizon_days=horizon_days), end)
        lines = [timeline(first_day, as_of=day, horizon_days=horizon_days) for day in ends]
        features = training_features(columns_of(opened, as_of=[end]))
        size = _size(opened, [line.matured for line in lines], features, memory_bytes=memory_bytes, config=config)
        how: dict[str, Any] = {
            "whole": (first_day, end),
            "as_of": sorted({day for line in lines for day in line.matured}),
            "features": features,
            "horizon_days": horizon_days,
            "share": config.train.rows / size.lesson_rows,
            "seed": config.train.seed,
        }
        staged = None
        if spark:
            say("Spark walks the log")
            staged = labelled_to(spark, config.log, staging=folder, now_us=now_us, **how)
        if size.share >= 1:
            histories, tally = histories_of(opened, "usable_orders", "usable_interactions")
            if histories.customers == 0:
                raise no_order(opened)
            set_aside = pa.concat_tables(quarantine(opened))
            more = _stream(staged.parts, first_day, spark) if staged else None
            return TrainingData(histories, histories.customers, account_of(opened, tally), [set_aside], more)

        say(f"the lesson of {size.customers:,} customers is larger than memory: {size.share:.0%} of them are drawn")
        is_streamed = how["share"] > size.share
        if staged:
            parts, account = staged.parts, staged.account
        else:
            rows = partial(labelled, **how) if is_streamed else None
            parts, tally = _parts(opened, rows, memory_bytes=memory_bytes, folder=folder)
            account = account_of(opened, tally)
        run_folder.write_tables(folder / run_folder.QUARANTINE, quarantine(opened))
        drawn = (_of_drawn(f"usable_{table}", size.share) for table in ("orders", "interactions", "customers"))
        sample, _ = histories_of(opened, *drawn)
        return TrainingData(
            replace(sample, whole=(first_day, end)),
            size.customers,
            account,
            _tables(folder / run_folder.QUARANTINE),
            _stream(parts, first_day, spark) if parts else None,
        )


def _parts(
    opened: Reading, rows: Callable[[Histories], Iterator[pa.Table]] | None, *, memory_bytes: int, folder: Path
) -> tuple[list[Path], Tally]:
    """What `rows` makes of every part of the log (None: nothing), in files, and what became of the log's rows."""
    tallies: list[Tally] = []
    parts: list[Path] = []
    for histories, tally in buckets(opened, memory_bytes=memory_bytes):
        tallies.append(tally)
        if rows and histories.customers:
            parts.append(folder / f"rows-{len(parts):04d}.parquet")
            _write(parts[-1], rows(histories))
        del histories  # before the next part is read
    return parts, Tally.total(tallies)


def _size(
    opened: Reading, cut_offs: Sequence[Sequence[date]], features: list[str], *, memory_bytes: int, config: Config
) -> TrainingSize:
    """From the day of each customer's first order; who has left since is counted as well."""
    lessons = [" + ".join(f"count(*) filter (first < {microseconds(day)})" for day in days) for days in cut_offs]
    customers, *rows = opened.rows(f"""
        select count(first), {", ".join(lessons)} from
        (select min("at") filter (cents >= 0) as first from usable_orders group by customer_id)""")[0]
    log_rows = sum(one.rows for judged in opened.judged.values() for one in judged if one.reason is None)
    room = memory_bytes - FIXED_BYTES - min(config.train.rows, max(rows)) * STREAMED_BYTES
    needed = log_rows * ROW_BYTES + max(rows) * (len(features) + len(LABELS)) * CELL_BYTES
    return TrainingSize(customers, max(rows), max(room, memory_bytes // 10) / needed)


def _of_drawn(relation: str, share: float) -> str:
    """The rows of so many of the customers, whatever the table."""
    return f"(select * from {relation} where hash(customer_id, 'drawn') % {MILLION} < {int(share * MILLION)})"


def _stream(parts: list[Path], first_day: date, spark: Session | None) -> Stream:
    rows = sum(pq.read_metadata(part).num_rows for part in parts)
    known = partial(mask_unknown_year, first_day=first_day)
    return Stream(tuple(parts), rows, LABELS, (known,), spark)


def _write(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write tables to a Parquet file."""
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="lz4") as file:
        file.write_table(first)
        for table in tables:
            file.write_table(table)


def _tables(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        yield file.schema_arrow.empty_table()
        yield from (pa.Table.from_batches([batch]) for batch in file.iter_batches())
