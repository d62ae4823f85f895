"""What a training run learns from, within the memory it may take.

A lesson that fits is made of all customers. Of a larger one, customers drawn by a hash of the id teach all that is
learnt in memory, and where `train.rows` asks for more rows than they have, those are written to disk for the trees:
labelled feature rows of the cut-offs of both lessons, those as of the test day and as of the end.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.account import Account, Tally, account_of, quarantine
from features.buckets import FIXED_BYTES, ROW_BYTES, buckets, database_bytes
from features.clock import microseconds
from features.histories import Histories
from features.ingest import histories_of, no_order
from features.labels import with_labels
from features.reading import Reading, reading
from features.snapshot import chunks, columns_of
from models.stream import Stream
from models.timeline import test_day, timeline
from pipelines import store
from pipelines.config import Config
from pipelines.features import extent
from pipelines.learn import learnt_from, without_unknown_year

CELL_BYTES = 45
"""Memory that a value of a lesson takes at the peak of becoming a model, all copies together: an estimate; a run of a
million customers kept to it."""
STREAMED_BYTES = 60
"""Memory that a row on disk takes while trees are grown on it: what it is to learn, and how far it is learnt."""
MILLION = 1_000_000
LABELS = ("as_of", "churned", "bought", "future_orders", "future_value")
"""What trees learn of a row beside its features."""


@dataclass(frozen=True)
class Gathered:
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
    """Labelled rows of all customers for the trees, where those drawn have too few."""


class Size(NamedTuple):
    """How large the lessons of a log are."""

    customers: int
    lesson_rows: int
    """Customers × cut-offs of the larger lesson, at most."""
    share: float
    """The share of the customers whose lesson fits into memory; 1 or more: of all."""


def gather(config: Config, *, now_us: int, memory_bytes: int, folder: Path, say: Callable[[str], None]) -> Gathered:
    """Read the log of a config; raises InputError, having written nothing but to `folder`, which is to be empty.

    now_us: rows after it are in the future. memory_bytes: what the run may take, all in all.
    """
    with reading(config.log, now_us=now_us, memory_bytes=database_bytes(memory_bytes)) as opened:
        first_day, end = extent(opened)
        horizon_days = config.terms.horizon_days
        ends = (test_day(first_day, end, horizon_days=horizon_days), end)
        lines = [timeline(first_day, as_of=day, horizon_days=horizon_days) for day in ends]
        features = learnt_from(columns_of(opened, as_of=[end]))
        size = _size(opened, [line.matured for line in lines], features, memory_bytes=memory_bytes, config=config)
        if size.share >= 1:
            histories, tally = histories_of(opened, "usable_orders", "usable_interactions")
            if histories.customers == 0:
                raise no_order(opened)
            set_aside = pa.concat_tables(quarantine(opened))
            return Gathered(histories, histories.customers, account_of(opened, tally), [set_aside], None)

        days = sorted({day for line in lines for day in line.matured})
        wanted = config.train.rows / size.lesson_rows
        is_streamed = wanted > size.share
        say(f"the lesson of {size.customers:,} customers is larger than memory: {size.share:.0%} of them are drawn")
        tallies: list[Tally] = []
        parts: list[tuple[Path, int]] = []
        for histories, tally in buckets(opened, memory_bytes=memory_bytes):
            tallies.append(tally)
            if is_streamed and histories.customers:
                path = folder / f"rows-{len(parts):04d}.parquet"
                rows = _labelled(
                    replace(histories, whole=(first_day, end)), as_of=days, features=features, horizon_days=horizon_days
                )
                parts.append((path, _write(path, _drawn(rows, wanted, seed=config.train.seed + len(parts)))))
                del rows
            del histories  # before the next part is read
        store.write_tables(folder / store.QUARANTINE, quarantine(opened))
        drawn = (_of_drawn(f"usable_{table}", size.share) for table in ("orders", "interactions", "customers"))
        sample, _ = histories_of(opened, *drawn)
        return Gathered(
            replace(sample, whole=(first_day, end)),
            size.customers,
            account_of(opened, Tally.total(tallies)),
            _tables(folder / store.QUARANTINE),
            _stream(parts, first_day) if is_streamed else None,
        )


def _size(
    opened: Reading, cut_offs: Sequence[Sequence[date]], features: list[str], *, memory_bytes: int, config: Config
) -> Size:
    """From the day of each customer's first order; who has left since is counted as well."""
    lessons = [" + ".join(f"count(*) filter (first < {microseconds(day)})" for day in days) for days in cut_offs]
    customers, *rows = opened.rows(f"""
        select count(first), {", ".join(lessons)} from
        (select min("at") filter (cents >= 0) as first from usable_orders group by customer_id)""")[0]
    log_rows = sum(one.rows for judged in opened.judged.values() for one in judged if one.reason is None)
    room = memory_bytes - FIXED_BYTES - min(config.train.rows, max(rows)) * STREAMED_BYTES
    needed = log_rows * ROW_BYTES + max(rows) * (len(features) + len(LABELS)) * CELL_BYTES
    return Size(customers, max(rows), max(room, memory_bytes // 10) / needed)


def _of_drawn(relation: str, share: float) -> str:
    """The rows of so many of the customers, whatever the table."""
    return f"(select * from {relation} where hash(customer_id, 'drawn') % {MILLION} < {int(share * MILLION)})"


def _labelled(histories: Histories, *, as_of: list[date], features: list[str], horizon_days: int) -> Iterator[pa.Table]:
    """Feature rows with what the trees learn of them; all that is a measure as float32, as the trees have it."""
    first = 0
    for table in chunks(histories, as_of=as_of, features=features):
        ids = table["customer_id"].chunk(0).dictionary
        some = _span(histories, first, first + len(ids))
        first += len(ids)
        rows = table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))
        rows = with_labels(some, rows, horizon_days=horizon_days)
        rows = rows.select([*table.column_names[2:], *LABELS])
        types = [pa.float32() if pa.types.is_float64(field.type) else field.type for field in rows.schema]
        yield rows.cast(pa.schema(list(zip(rows.column_names, types, strict=True))))


def _span(histories: Histories, first: int, last: int) -> Histories:
    """The customers `first:last` alone, so that a row's customer is looked for among few; nothing is copied."""
    left_us = histories.left_us
    return replace(
        histories,
        customer_ids=histories.customer_ids[first:last],
        columns=histories.columns.span(first, last),
        left_us=None if left_us is None else left_us[first:last],
    )


def _stream(parts: list[tuple[Path, int]], first_day: date) -> Stream:
    known = partial(without_unknown_year, first_day=first_day)
    return Stream(tuple(path for path, _ in parts), sum(rows for _, rows in parts), LABELS, (known,))


def _drawn(tables: Iterator[pa.Table], share: float, *, seed: int) -> Iterator[pa.Table]:
    """So many of the rows, at random; 1 or more: all."""
    rng = np.random.default_rng(seed)
    for table in tables:
        yield table if share >= 1 else table.filter(pa.array(rng.random(len(table)) < share))


def _write(path: Path, tables: Iterator[pa.Table]) -> int:
    """Write tables to a Parquet file; returns the number of rows."""
    first = next(tables)
    written = len(first)
    with pq.ParquetWriter(path, first.schema, compression="lz4") as file:
        file.write_table(first)
        for table in tables:
            file.write_table(table)
            written += len(table)
    return written


def _tables(path: Path) -> Iterator[pa.Table]:
    with pq.ParquetFile(path) as file:
        yield file.schema_arrow.empty_table()
        yield from (pa.Table.from_batches([batch]) for batch in file.iter_batches())
