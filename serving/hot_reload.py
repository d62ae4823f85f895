"""Hot reload: the newest good version of a file, loaded and checked when the file changes, swapped in between requests.

A request takes `current` once and works with it, so it never waits and never sees parts of two versions. A version
that cannot be used is logged and skipped: the last good one stays in service.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from features.errors import StayworthError

T = TypeVar("T")
REFRESH_INTERVAL_S = 1.0
"""Seconds between two checks for a change: one `stat` per file."""
RETRY_AFTER_REFRESHES = 60
"""Checks until an unusable version is tried again: it may be good, and memory or disk may have been short."""


class Refreshable(Protocol):
    """Content that can be refreshed."""

    def refresh(self) -> None:
        """Load a new version, if there is one."""


class HotReload(Generic[T]):
    """The content that `load` reads from `path`, loaded again when the file changes."""

    def __init__(
        self, name: str, path: Path, load: Callable[[Path], T], *, log_event: Callable[[dict[str, Any]], None]
    ) -> None:
        self.name, self.path, self._load, self._log_event = name, path, load, log_event
        self.current: T | None = None
        self._signature: tuple[int, ...] | None = None
        self._refreshes_left: int | None = None

    def refresh(self) -> None:
        """Load a new version; an unusable one is logged once, and tried again when it changes or a minute later."""
        signature = _signature(self.path)
        is_new = signature != self._signature
        if not is_new and self._refreshes_left is not None:
            self._refreshes_left -= 1
        if signature is None or not (is_new or self._refreshes_left == 0):
            return
        self._signature, self._refreshes_left = signature, RETRY_AFTER_REFRESHES
        try:
            loaded = self._load(self.path)
        except Exception as error:  # noqa: BLE001  # no file, however broken, may end the thread that refreshes
            why = str(error) if isinstance(error, StayworthError) else f"cannot be read ({type(error).__name__})"
            if is_new:
                self._log_event({"event": f"{self.name} refused", "why": why, "serving": self.current is not None})
            return
        self._refreshes_left = None
        self.current = loaded
        self._log_event({"event": f"{self.name} loaded"})


@contextmanager
def refreshing(contents: Sequence[Refreshable]) -> Iterator[None]:
    """Refresh contents in a thread of its own while the block lasts."""
    done = threading.Event()

    def refresh_all() -> None:
        while not done.wait(REFRESH_INTERVAL_S):
            for content in contents:
                content.refresh()

    thread = threading.Thread(target=refresh_all, name="stayworth-look", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=10)


def _signature(path: Path) -> tuple[int, ...] | None:
    """A key that changes when a file is replaced; None while there is no file."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
