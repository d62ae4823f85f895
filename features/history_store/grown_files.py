"""Delimited text files that grow at their end, as a shop's system appends to them: only what came is read.

A file has grown where its old bytes are the same, to the last, and ended with a line.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from features.history_store.source_files import SourceFile, Sources
from features.ingest.input_files import file_format

ENDINGS = (".gz", ".zip")
"""Endings of files that do not grow at their end."""
CHUNK = 1 << 20
BEGIN_BYTES = 1 << 16
"""The most that the first line of a file may have."""


def text_hashes(sources: Sources, known: Mapping[SourceFile, str] | None = None) -> dict[str, str]:
    """SHA-256 of the delimited text files, by name, over the bytes they had when they were looked at.

    known: the hashes of some of them.
    """
    files = [file for table in sources.values() for file in table if is_text(file)]
    known = known or {}
    return {file.name: known.get(file) or hash_until(Path(file.name), file.size) for file in files}


def is_text(file: SourceFile) -> bool:
    """True for a file of delimited text that can grow; the copy of an object is none."""
    path = Path(file.name)
    return file.changed_ns > 0 and file_format(path) == "csv" and not file.name.lower().endswith(ENDINGS)


def hash_until(path: Path, size: int) -> str:
    """SHA-256 of the first `size` bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size > 0 and (chunk := file.read(min(CHUNK, size))):
            digest.update(chunk)
            size -= len(chunk)
    return digest.hexdigest()


def has_grown(before: SourceFile, now: SourceFile, hashes: Mapping[str, str]) -> bool:
    """True if a file has all the bytes it had, and more; hashes: see `text_hashes`."""
    if before.name not in hashes or not is_text(now) or now.size <= before.size:
        return False
    path = Path(now.name)
    with path.open("rb") as file:
        file.seek(before.size - 1)
        if file.read(1) != b"\n":
            return False
    return hash_until(path, before.size) == hashes[before.name]


def write_tail(path: Path, begin: int, target: Path) -> bool:
    """Write the first line of a file and what stands in it from `begin` on; False where no first line can be told."""
    with path.open("rb") as file, target.open("wb") as out:
        first = file.readline(BEGIN_BYTES)
        if not first.endswith(b"\n") or first.count(b'"') % 2:
            return False
        out.write(first)
        file.seek(begin)
        while chunk := file.read(CHUNK):
            out.write(chunk)
    return True
