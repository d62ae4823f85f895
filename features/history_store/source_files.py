"""The files that a log is read from, as they were when it was read: whether they are the same, or some were added."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from features.ingest.log import Log
from features.ingest.object_store import object_url
from features.ingest.table_source import Files, Objects

BLOCK = 1 << 16
BLOCKS = 16
"""Blocks of a file that its sample has: all of a file of up to 1 MiB, the same places in a larger one."""
BESIDE = ("-wal", ".wal")
"""Endings of the files beside a database that hold its latest rows."""


class SourceFile(NamedTuple):
    """A file as it was when it was read."""

    name: str
    """Its path, or the URL of an object."""
    size: int
    """Bytes."""
    modified_ns: int
    changed_ns: int
    """When its contents or its inode changed, which no program can set back; 0 for an object."""
    sample: str
    """SHA-256 of its size and of blocks of it."""


Sources = dict[str, tuple[SourceFile, ...]]
"""Table → its files, in the order in which they are read."""


def source_files(log: Log, tables: Sequence[str]) -> Sources | None:
    """The files of some tables of a log; None where one comes from a database or a frame, which say nothing of change.

    Raises InputError where there is no file.
    """
    sources: Sources = {}
    for table in tables:
        source = (log.tables | log.books).get(table)
        if source is None:
            continue
        if not isinstance(source, Files | Objects):
            return None
        files = source.paths()
        beside = [path for file in files for ending in BESIDE if (path := Path(f"{file}{ending}")).is_file()]
        sources[table] = (*map(_described, files), *(_latest_rows(file) for file in beside if file.stat().st_size))
    return sources


def limited_to_files(log: Log, sources: Sources) -> Log:
    """A log that is read from these files alone, whatever comes to its folders meanwhile."""
    limited = {}
    for table, files in sources.items():
        names = [file.name for file in files if not file.name.endswith(BESIDE)]
        limited[table] = log.source(table).limited_to(names)
    return replace(log, **limited)  # type: ignore[arg-type]


def _described(file: Path) -> SourceFile:
    stat, name = file.stat(), object_url(file)
    changed_ns = stat.st_ctime_ns if name == str(file) else 0
    return SourceFile(name, stat.st_size, stat.st_mtime_ns, changed_ns, _sample(file, stat.st_size))


def _latest_rows(file: Path) -> SourceFile:
    """A file beside a database, whose times change whenever the database is opened."""
    size = file.stat().st_size
    return SourceFile(str(file), size, 0, 0, _sample(file, size))


def _sample(file: Path, size: int) -> str:
    digest = hashlib.sha256(size.to_bytes(8, "little"))
    with file.open("rb") as bytes_:
        step = max(BLOCK, (size - BLOCK) // (BLOCKS - 1))
        for place in range(0, size, step):
            bytes_.seek(place)
            digest.update(bytes_.read(BLOCK))
    return digest.hexdigest()


class Added(NamedTuple):
    """What came to a table since it was read."""

    names: list[str]
    """New files."""
    grown: dict[str, int]
    """Files with more rows at their end → the bytes they had before."""


def added_files(
    before: Sources, now: Sources, has_grown: Callable[[SourceFile, SourceFile], bool]
) -> dict[str, Added] | None:
    """Table → what came to it, where all else is as it was; None where anything else changed, or nothing came.

    has_grown: whether a file, as it was and as it is, only has more rows at its end.
    """
    if before.keys() != now.keys():
        return None
    added = {}
    for table, files in now.items():
        old = {file.name: file for file in before[table]}
        if not old.keys() <= {file.name for file in files}:
            return None
        changed = [file for file in files if file.name in old and file != old[file.name]]
        if not all(has_grown(old[file.name], file) for file in changed):
            return None
        new = [file.name for file in files if file.name not in old]
        if any(name.endswith(BESIDE) for name in new):
            return None
        added[table] = Added(new, {file.name: old[file.name].size for file in changed})
    return added if any(new or grown for new, grown in added.values()) else None
