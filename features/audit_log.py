"""The audit log of changes and exports: a JSON line each with time and user, never rewritten.

pipelines/registry_audit.py writes the lines of models, pipelines/report.py those of reports with names,
serving/console/export.py those of exports and serving/console/planner.py those of plans.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path

from features.errors import InputError

FILE = "audit.jsonl"
"""In the output folder."""


def append(path: Path, entry: Mapping[str, object], *, next: str) -> None:
    """Append one line and wait until it is on disk; raises InputError, with the log as it was, if it cannot be.

    next: the remedy for that error, in words.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _append(path, json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be written: {reason}", where=str(path), next=next) from None


def _append(path: Path, line: str) -> None:
    """Write all of the line or nothing; after a line that a crash cut short, start a new one."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        try:
            _write_all(descriptor, (("\n" if torn else "") + line).encode())
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
