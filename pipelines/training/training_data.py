"""The data of a training run, within the memory it may take.

A training set that fits into memory is made of all customers. Of a larger one, customers drawn by a hash of the id are
used for everything that is learned in memory, and where `train.rows` asks for more rows than they have, those are
written to disk for the trees: labelled feature rows of the cut-offs of both training sets, as of the test day and as of
the end. With Spark, the rows for the trees are always on disk, and Spark writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.clock import microseconds
from features.errors import InputError
from features.histories.chosen_customers import take_customers
from features.histories.columns import Histories
from features.history_store.build_rows import write_tables
from features.history_store.parts import FIXED_BYTES
from features.history_store.stored_log import StoredLog
from features.ingest.duckdb_connection import connect
from features.ingest.reconciliation import Reconciliation
from features.large_logs.merge import StagedFeatures
from features.large_logs.partitions import partitions_of
from features.large_logs.spark import Session, stage_labelled_rows
from features.snapshots.labels import LABELS, labelled_rows
from features.snapshots.snapshot import feature_columns
from models.training.temporal_splits import WINDOWS, judged_window, learned_horizon, timeline
from models.trees.training_rows import Stream
from pipelines.config import Config
from pipelines.order_log import read_orders
from pipelines.training.training_set import mask_unknown_year, training_features

CELL_BYTES = 45
"""Memory that a value of a training set takes at the peak of fitting, all copies together: an estimate; a run of a
million customers kept to it."""
STREAMED_BYTES = 60
"""Memory that a row on disk takes while trees are grown on it: its label and its current prediction."""
MILLION = 1_000_000


@dataclass(frozen=True)
class TrainingData:
    """The log as a training run uses it."""

    histories: Histories
    """Of all customers, or of those drawn."""
    customers: int
    """The number in the whole log."""
    account: Reconciliation
    """The reconciliation of every row and cent of the whole log."""
    quarantine: Iterable[pa.Table]
    """The rows that cannot be used; can be read once, while the folder exists."""
    stream: Stream | None
    """Labelled rows of all customers for the trees, where the drawn customers have too few or Spark grows them."""
    attribute_notes: list[str] = field(default_factory=list)
    """What became of the declared attributes, in sentences."""


class TrainingSize(NamedTuple):
    """Size of the training sets of a log."""

    customers: int
    rows: int
    """Customers × cut-offs of the larger training set, at most."""
    share: float
    """The share of the customers whose training set fits into memory; 1 or more: all of them."""


@dataclass(frozen=True)
class RowRequest:
    """Labelled rows to make for the trees: the arguments of `features.snapshots.labels.labelled_rows`."""

    whole: tuple[date, date]
    """The first day and the end of the whole log."""
    as_of: list[date]
    features: list[str]
    horizon_days: int
    share: float
    """The share of the rows, drawn at random; 1 or more: all."""
    seed: int

    def labelled_rows(self, histories: Histories) -> Iterator[pa.Table]:
        """The rows of some of the log's customers, in tables of bounded size."""
        return labelled_rows(
            histories,
            whole=self.whole,
            as_of=self.as_of,
            features=self.features,
            horizon_days=self.horizon_days,
            share=self.share,
            seed=self.seed,
        )


def read_training_data(
    config: Config,
    *,
    now: datetime,
    folder: Path,
    say: Callable[[str], None],
    spark: Session | None = None,
) -> TrainingData:
    """Read the log of a config; raises InputError, having written nothing but to `folder`, which is to be empty.

    now: rows after it are in the future. spark: the session that makes the rows for the trees, even if they fit into
    memory, and then grows these on them; it must reach `folder`.
    """
    if spark:
        partitions_of(config.log)
    orders = read_orders(config, now=now, say=say)
    first_day, end = orders.histories.first_day, orders.histories.end
    learned_days, cut_offs = _cut_offs(first_day, end, horizon_days=config.terms.horizon_days)
    features = training_features(feature_columns(orders.histories, as_of=[end]))
    size = _size(orders.histories, cut_offs, features, config)
    drawn = _drawn(orders.histories, size, say)
    request = RowRequest(
        whole=(first_day, end),
        as_of=sorted({day for days in cut_offs for day in days}),
        features=features,
        horizon_days=learned_days[-1],
        share=config.train.rows / size.rows,
        seed=config.train.seed,
    )
    staged = None
    is_one_length = len(set(learned_days)) == 1
    if spark:
        if not is_one_length:
            raise _windows_of_two_lengths(learned_days, (end - first_day).days)
        say("Spark is reading the log")
        staged = _staged_by_spark(spark, config, request, now_us=int(now.timestamp() * 1_000_000), folder=folder)
    data = partial(
        TrainingData,
        customers=size.customers,
        account=orders.account,
        quarantine=orders.quarantine(),
        attribute_notes=[*orders.described, *orders.warnings],
    )
    if size.share >= 1:
        return data(drawn, stream=_stream(staged.parts, first_day, spark) if staged else None)

    parts = staged.parts if staged else []
    if not staged and is_one_length and request.share > size.share:
        parts = _parts(orders, request.labelled_rows, folder=folder)
    return data(drawn, stream=_stream(parts, first_day, spark) if parts else None)


def draw_within_memory(histories: Histories, config: Config, *, say: Callable[[str], None]) -> Histories:
    """The customers whose training set fits into the config's memory: all of them, or those that `train` would draw."""
    first_day, end = histories.first_day, histories.end
    _, cut_offs = _cut_offs(first_day, end, horizon_days=config.terms.horizon_days)
    features = training_features(feature_columns(histories, as_of=[end]))
    return _drawn(histories, _size(histories, cut_offs, features, config), say)


def _cut_offs(first_day: date, end: date, *, horizon_days: int) -> tuple[list[int], list[list[date]]]:
    """The days of the windows of both training sets, as of the test day and of the end, and their labelled cut-offs."""
    window = judged_window(first_day, end, horizon_days=horizon_days)
    learned = [window.learned_days, learned_horizon(first_day, as_of=end, horizon_days=horizon_days)]
    return learned, [
        timeline(first_day, as_of=day, horizon_days=days).matured
        for day, days in zip((window.as_of, end), learned, strict=True)
    ]


def _windows_of_two_lengths(learned_days: Sequence[int], have: int) -> InputError:
    return InputError(
        f"makes rows of one horizon, but {have} days teach windows of {learned_days[0]} and {learned_days[1]} days",
        where="--engine spark",
        next=f"Leave it out, or set time.horizon_days to {have // WINDOWS} or less.",
    )


def _staged_by_spark(
    spark: Session, config: Config, request: RowRequest, *, now_us: int, folder: Path
) -> StagedFeatures:
    return stage_labelled_rows(
        spark,
        config.log,
        staging=folder,
        now_us=now_us,
        whole=request.whole,
        as_of=request.as_of,
        features=request.features,
        horizon_days=request.horizon_days,
        share=request.share,
        seed=request.seed,
    )


def _parts(orders: StoredLog, rows: Callable[[Histories], Iterator[pa.Table]], *, folder: Path) -> list[Path]:
    """Write what `rows` makes of every part of the log to files; returns them."""
    parts: list[Path] = []
    for histories in orders.parts():
        parts.append(folder / f"rows-{len(parts):04d}.parquet")
        write_tables(parts[-1], rows(histories))
    return parts


def _size(
    histories: Histories,
    cut_offs: Sequence[Sequence[date]],
    features: list[str],
    config: Config,
) -> TrainingSize:
    """Count rows from the day of each customer's first order; customers who have left since are counted as well."""
    columns = histories.columns
    first = np.sort(columns.at[columns.starts[:-1]])
    rows = [sum(int(np.searchsorted(first, microseconds(day))) for day in days) for days in cut_offs]
    room = config.memory_bytes - FIXED_BYTES - min(config.train.rows, max(rows)) * STREAMED_BYTES
    mapped = sum(column.nbytes for column in columns)
    needed = mapped + max(rows) * (len(features) + len(LABELS)) * CELL_BYTES
    return TrainingSize(histories.customers, max(rows), max(room, config.memory_bytes // 10) / needed)


def _drawn(histories: Histories, size: TrainingSize, say: Callable[[str], None]) -> Histories:
    """As many customers as fit into memory, the same ones in every run."""
    if size.share >= 1:
        return histories
    say(f"the log is larger than memory: training on {size.share:.0%} of {size.customers:,} customers")
    with connect() as db:
        ids = histories.customer_ids
        db.register("customers", pa.table({"id": ids, "number": np.arange(len(ids))}))
        drawn = f"hash(id, 'drawn') % {MILLION} < {int(size.share * MILLION)}"
        table = db.sql(f"select number from customers where {drawn} order by number").to_arrow_table()
    return take_customers(histories, table["number"].to_numpy())


def _stream(parts: list[Path], first_day: date, spark: Session | None) -> Stream:
    rows = sum(pq.read_metadata(part).num_rows for part in parts)
    masked = partial(mask_unknown_year, first_day=first_day)
    return Stream(tuple(parts), rows, LABELS, (masked,), spark)
