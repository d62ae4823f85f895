"""Feature rows to a file, whatever the size of the log."""

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.account import Tally, account_of, quarantine
from features.buckets import buckets, database_bytes
from features.clock import day_of, microseconds
from features.errors import InputError
from features.ingest import no_order
from features.reading import Reading, reading
from features.snapshot import chunks, columns_of
from pipelines import store
from pipelines.config import Config
from pipelines.orders import refuse_input_as_output, refuse_too_early, write_account

SHARE_OF_MEMORY = 0.6
"""How much of the machine's memory a run may take unless told."""


def write_features(
    config: Config,
    *,
    as_of: list[date],
    known_at: date | None,
    output: Path,
    memory_bytes: int | None,
    now: datetime,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """One row per customer and day; returns what was written.

    known_at: only what was recorded before that day; after `as_of`, which is then one day, it adds what became known
    since of what came before. memory_bytes: what the run may take, all in all; a larger log is
    split on disk.
    """
    store.writable(output, kinds=store.TABLES)
    refuse_input_as_output(config, [output])
    memory_bytes = memory_bytes or int(SHARE_OF_MEMORY * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    now_us = int(now.timestamp() * 1_000_000)
    before_us = None
    if known_at and known_at > min(as_of):
        if len(set(as_of)) > 1:
            raise InputError(
                f"what became known up to {known_at} of days before it takes a reading per day",
                where="--known-at",
                next="Name one --as-of at a time.",
            )
        before_us = microseconds(as_of[0])
    say("reading the log")
    room = database_bytes(memory_bytes)
    with reading(config.log, now_us=now_us, memory_bytes=room, before_us=before_us) as opened:
        refuse_too_early(*_extent(opened), as_of=min(as_of))
        names = columns_of(opened, as_of=as_of, known_at=known_at)
        tallies: list[Tally] = []

        def rows() -> Iterator[pa.Table]:
            for histories, tally in buckets(opened, memory_bytes=memory_bytes):
                tallies.append(tally)
                say(f"computing features{f', part {len(tallies)}' if len(tallies) > 1 else ''}")
                yield from chunks(histories, as_of=as_of, known_at=known_at, features=names)

        written = store.write_tables(output, rows())
        if before_us is None:
            write_account(config, account_of(opened, Tally.total(tallies)), quarantine(opened))
    days = [day.isoformat() for day in sorted(set(as_of))]
    return {"rows": written, "days": days, "features": len(names), "written": str(output)}


def _extent(opened: Reading) -> tuple[date, date]:
    """The day of the first order and the day after the last event; raises InputError where there is no order."""
    first, last = opened.rows('select min("at") filter (cents >= 0), max("at") from usable_orders')[0]
    if first is None:
        raise no_order(opened)
    return day_of(first), day_of(last) + timedelta(days=1)
