"""Stayworth itself: as `stayworth features` does it, without the files of its reconciliation."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks.task import FEATURES, Files
from features.histories.columns import Histories
from features.ingest.build_histories import ingest
from features.ingest.log import Log
from features.snapshots.snapshot import snapshot, snapshot_chunks
from pipelines.run_folder import write_tables


def to_parquet(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """The 28 columns, written."""
    yield from _written(log, days, out, FEATURES)


def whole_catalogue(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """Every feature the log allows, written."""
    yield from _written(log, days, out, None)


def in_memory(log: Files, days: list[date], out: Path) -> Iterator[str]:  # noqa: ARG001
    """The 28 columns as an Arrow table, as training takes them."""
    histories = _histories(log)
    yield "ingest"
    snapshot(histories, as_of=days, features=FEATURES)
    yield "kernel"


def _written(log: Files, days: list[date], out: Path, features: tuple[str, ...] | None) -> Iterator[str]:
    histories = _histories(log)
    yield "ingest"
    write_tables(out / "features.parquet", snapshot_chunks(histories, as_of=days, features=features))
    yield "kernel and write"


def _histories(log: Files) -> Histories:
    tables = Log(log.orders, interactions=log.interactions, currency="EUR", gross_margin=1.0, timezone="UTC")
    return ingest(tables, now_us=None).histories
