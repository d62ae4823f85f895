"""The audit log: who changed which model serves, when, and to which bundle. One JSON line per change, never rewritten.

    {"at": "2026-03-01T09:00:00+00:00", "who": "ann", "what": "promote", "version": "4", "bundle": "0f3a9c…",
     "from": "3", "why": "passed the gate"}

what: promote, rollback, or refuse (the gate said no, and nothing changed). A line is on disk before its change is
made, so that there is no change without a line; where the change then failed, a second line with "failed" says so.
"""

import fcntl
import json
import os
import pwd
from datetime import datetime
from pathlib import Path
from typing import Literal

from features.errors import InputError

FILE = "audit.jsonl"
"""In the output folder."""

What = Literal["promote", "rollback", "refuse"]


def write(
    path: Path,
    *,
    at: datetime,
    what: What,
    version: str,
    bundle: str,
    before: str | None,
    why: str,
    failed: str | None = None,
) -> None:
    """Append one line and wait until it is on disk; raises InputError, with the log as it was, if it cannot be."""
    entry = {
        "at": at.isoformat(timespec="seconds"),
        "who": who(),
        "what": what,
        "version": version,
        "bundle": bundle,
        "from": before,
        "why": why,
    } | ({"failed": failed} if failed else {})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _append(path, json.dumps(entry, ensure_ascii=False) + "\n")
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            f"cannot be written: {reason}", where=str(path), next="No model changes without its audit line: make room."
        ) from None


def who() -> str:
    """The account this process runs under, which a variable of the environment cannot change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _append(path: Path, line: str) -> None:
    """All of the line or nothing; after a line that a crash cut short, on a line of its own."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        try:
            _all_of(descriptor, (("\n" if torn else "") + line).encode())
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)


def _all_of(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
