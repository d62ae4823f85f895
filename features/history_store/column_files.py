"""The columns of histories as files, a file a column: written part by part, and mapped into memory."""

import hashlib
import mmap
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np

from features.histories.chosen_customers import GROUPS
from features.histories.columns import Columns

SAME = {
    "known_at": "at",
    "adjustment_known_at": "adjusted_at",
    "line_known_at": "line_at",
    "interaction_known_at": "interaction_at",
}
"""Columns that are not written where every row of the table was known at once, and those they equal."""


class ColumnWriter:
    """Writes the columns of histories, customers after customers, and hashes them meanwhile."""

    def __init__(self, folder: Path, *, known_at_once: Iterable[str]):
        """known_at_once: the names in `SAME` that equal their other column throughout."""
        self.folder, self.same = folder, {name: SAME[name] for name in known_at_once}
        self.names = [name for name in Columns._fields if name not in self.same]
        self.digests = {name: hashlib.sha256() for name in self.names}
        self.types: dict[str, str] = {}
        self.rows = dict.fromkeys(GROUPS, 0)
        self.stack = ExitStack()

    def __enter__(self) -> Self:
        self.files = {name: self.stack.enter_context(column_file(self.folder, name).open("wb")) for name in self.names}
        self.pool = self.stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def add(self, columns: Columns) -> None:
        """Write the columns of the next customers."""
        list(self.pool.map(self._write, self.names, (getattr(columns, name) for name in self.names)))
        self.rows = {group: rows + int(getattr(columns, group)[-1]) for group, rows in self.rows.items()}

    def _write(self, name: str, values: np.ndarray) -> None:
        if name in GROUPS:
            values = values + self.rows[name]
            values = values[1:] if name in self.types else values  # the first is the last of the part before
        elif name == "adjusted_order":
            values = np.where(values < 0, values, values + self.rows["starts"])
        self.types[name] = values.dtype.str
        data = np.ascontiguousarray(values).data.cast("B") if len(values) else b""
        self.digests[name].update(data)
        self.files[name].write(data)

    def described(self) -> dict[str, Any]:
        """The types of the columns, and which are not written, for `MappedColumns`."""
        return {"types": self.types, "same": self.same}

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file."""
        return {column_file(self.folder, name).name: digest.hexdigest() for name, digest in self.digests.items()}


class MappedColumns:
    """The columns in a folder, mapped: they take no memory but what the system can take back at any time."""

    def __init__(self, folder: Path, described: dict[str, Any]):
        arrays = {name: _mapped(column_file(folder, name), kind) for name, kind in described["types"].items()}
        bases: list[object] = [array.base for array in arrays.values()]
        self.maps = [base for base in bases if isinstance(base, mmap.mmap)]
        plain = {name: np.asarray(array) for name, array in arrays.items()}
        self.columns = Columns(**plain, **{name: plain[other] for name, other in described["same"].items()})

    def release(self) -> None:
        """Let go of the memory that pages read so far take; they are read again when they are asked for."""
        for mapped in self.maps:
            mapped.madvise(mmap.MADV_DONTNEED)


def _mapped(path: Path, kind: str) -> np.ndarray:
    """A column, mapped so that no write reaches the file (writable, as the compiled pass is compiled for that)."""
    return np.memmap(path, kind, "c") if path.stat().st_size else np.empty(0, kind)


def column_file(folder: Path, name: str) -> Path:
    """The file of a column."""
    return folder / f"{name}.bin"
