"""The newest good version of something on disk: noticed when it changes, loaded, checked, swapped in between requests.

Whoever answers a request takes `current` once and works with that, so nobody waits and nobody sees half of two. What
cannot be used is said and passed over: the last good one serves on.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from features.errors import StayworthError

T = TypeVar("T")
REFRESH_INTERVAL_S = 1.0
"""How often a change is looked for: one `stat` per file."""
RETRY_AFTER_REFRESHES = 60
"""Until one that could not be used is tried again: it may be good, and there was no room to open it."""


class Refreshable(Protocol):
    """What is to be kept fresh."""

    def refresh(self) -> None:
        """Take what is new."""


class HotReload(Generic[T]):
    """What `load` makes of the file `place`, whose change says that there is something new."""

    def __init__(
        self, name: str, path: Path, load: Callable[[Path], T], *, log_event: Callable[[dict[str, Any]], None]
    ) -> None:
        self.name, self.path, self._load, self._log_event = name, path, load, log_event
        self.current: T | None = None
        self._seen: tuple[int, ...] | None = None
        self._looks_left: int | None = None

    def refresh(self) -> None:
        """Load what is new; an unusable one is told once, and tried again when it changes or a minute has passed."""
        seen = _signature(self.path)
        is_new = seen != self._seen
        if not is_new and self._looks_left is not None:
            self._looks_left -= 1
        if seen is None or not (is_new or self._looks_left == 0):
            return
        self._seen, self._looks_left = seen, RETRY_AFTER_REFRESHES
        try:
            loaded = self._load(self.path)
        except Exception as error:  # noqa: BLE001  # who looks for changes must outlive whatever lies there
            why = str(error) if isinstance(error, StayworthError) else f"cannot be read ({type(error).__name__})"
            if is_new:
                self._log_event({"event": f"{self.name} refused", "why": why, "serving": self.current is not None})
            return
        self._looks_left = None
        self.current = loaded
        self._log_event({"event": f"{self.name} loaded"})


@contextmanager
def refreshing(held: Sequence[Refreshable]) -> Iterator[None]:
    """Look for changes beside the requests while the block lasts."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(REFRESH_INTERVAL_S):
            for one in held:
                one.refresh()

    thread = threading.Thread(target=watch, name="stayworth-look", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=10)


def _signature(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is replaced; None while there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns, stat.st_size
