"""The audit log of the registry: who changed the champion, when, and to which bundle (see features/audit_log.py).

    {"at": "2026-03-01T09:00:00+00:00", "who": "ann", "what": "promote", "version": "4", "bundle": "0f3a9c…",
     "from": "3", "why": "passed the gate"}

what: promote, rollback, or refuse (the gate said no, and nothing changed). A line is on disk before its change is
made, so that there is no change without a line; if the change then fails, a second line with "failed" records that.
"""

import os
import pwd
from datetime import datetime
from pathlib import Path
from typing import Literal

from features.audit_log import FILE, append

__all__ = ["FILE", "Action", "account_name", "write"]

Action = Literal["promote", "rollback", "refuse"]


def write(
    path: Path,
    *,
    at: datetime,
    what: Action,
    version: str,
    bundle: str,
    before: str | None,
    why: str,
    failed: str | None = None,
) -> None:
    """Append one line and wait until it is on disk; raises InputError, and leaves the log unchanged, if that fails."""
    entry = {
        "at": at.isoformat(timespec="seconds"),
        "who": account_name(),
        "what": what,
        "version": version,
        "bundle": bundle,
        "from": before,
        "why": why,
    } | ({"failed": failed} if failed else {})
    append(path, entry, next="No model changes without its audit line: make room.")


def account_name() -> str:
    """The account this process runs under, which no environment variable can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
