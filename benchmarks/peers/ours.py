"""Stayworth itself: as `stayworth features` does it, without the files of its reconciliation."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from benchmarks.task import FEATURES, Files
from features.histories.columns import Histories
from features.history_store.open_histories import open_histories
from features.ingest.log import Log
from features.snapshots.snapshot import snapshot, snapshot_chunks
from pipelines.run_folder import write_tables
from pipelines.shop_files.project_config import machine_memory


def to_parquet(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """The 28 columns, written, of a log that is read and kept."""
    yield from _written(_histories(log, out / "histories", is_fresh=True), "ingest", days, out, FEATURES)


def again(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """The 28 columns, written, of a log that was read before; see `read_before`."""
    yield from _written(_histories(log, _kept(log)), "open", days, out, FEATURES)


def whole_catalogue(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """Every feature the log allows, written."""
    yield from _written(_histories(log, out / "histories", is_fresh=True), "ingest", days, out, None)


def in_memory(log: Files, days: list[date], out: Path) -> Iterator[str]:
    """The 28 columns as an Arrow table, as training takes them."""
    histories = _histories(log, out / "histories", is_fresh=True)
    yield "ingest"
    snapshot(histories, as_of=days, features=FEATURES)
    yield "kernel"


def read_before(log: Files) -> None:
    """Read a log as a first command does, for `again`."""
    _histories(log, _kept(log))


def _kept(log: Files) -> Path:
    return Path(log.orders).parent / "histories"


def _written(
    histories: Histories, read: str, days: list[date], out: Path, features: tuple[str, ...] | None
) -> Iterator[str]:
    yield read
    write_tables(out / "features.parquet", snapshot_chunks(histories, as_of=days, features=features))
    yield "kernel and write"


def _histories(log: Files, home: Path, *, is_fresh: bool = False) -> Histories:
    tables = Log(log.orders, interactions=log.interactions, currency="EUR", gross_margin=1.0, timezone="UTC")
    memory = machine_memory()
    return open_histories(tables, home=home, now_us=None, memory_bytes=memory, is_fresh=is_fresh).histories
