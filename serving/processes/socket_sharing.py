"""How connections are taken from the door, by one process or shared out evenly among several.

asyncio takes connections as they come, so of several processes at one door the first to wake takes most of them, and
keeps them: with 16 callers we saw 16 and 0. Here each process tells the others how many it has, in memory they share;
one that has more than another leaves it a moment's start. A process that is gone, or busy, delays nobody by more.
"""

import asyncio
import mmap
import os
import socket
import ssl
from collections.abc import Callable

ACCEPTED_AT_ONCE = 64
"""Connections taken at once, so that callers beyond what is answered are told so and do not wait."""
HEAD_START_S = 0.002
HANDSHAKE_S = 10.0
"""For which we wait until TLS is agreed on; asyncio would for a minute."""
RETRY_S = 1.0
"""Until we look again where the machine gives us no more descriptors."""


class ConnectionCounts:
    """How many connections each process has: a number each in memory that all of them see."""

    def __init__(self, memory: int, place: int) -> None:
        """memory: the file descriptor that `shared_memory` gave; place: which of the numbers is ours."""
        self._all = memoryview(mmap.mmap(memory, os.fstat(memory).st_size)).cast("i")
        self._place = place
        self.set(0)

    def set(self, count: int) -> None:
        """Tell the others how many we have."""
        self._all[self._place] = count

    @property
    def least(self) -> int:
        """The fewest that any has."""
        return min(self._all)


def shared_memory(processes: int) -> int:
    """Memory for `Counts` of so many processes; a file descriptor that they inherit."""
    memory = os.memfd_create("stayworth-connections", 0)
    os.ftruncate(memory, 4 * processes)
    return memory


class ConnectionAcceptor:
    """Takes connections until it is closed; `counts` where other processes stand at the same door."""

    def __init__(
        self,
        door: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        *,
        has: Callable[[], int],
        tls: ssl.SSLContext | None,
        counts: ConnectionCounts | None,
    ) -> None:
        """protocol: makes that of one connection; has: how many are open."""
        self._door, self._protocol, self._has, self._tls, self._counts = door, protocol, has, tls, counts
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None
        door.setblocking(False)
        self._loop.add_reader(door, self._look)

    def close(self) -> None:
        """Take no more."""
        self._loop.remove_reader(self._door)
        if self._later:
            self._later.cancel()

    def _look(self) -> None:
        if self._is_ahead():
            self._wait(HEAD_START_S)
        else:
            self._take()

    def _is_ahead(self) -> bool:
        return self._counts is not None and self._tell(self._counts) > self._counts.least

    def _wait(self, seconds: float) -> None:
        self._loop.remove_reader(self._door)
        self._later = self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._later = None
        self._loop.add_reader(self._door, self._look)
        self._take()

    def _take(self) -> None:
        """One, and as many more as it is our turn for."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._door.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._wait(RETRY_S)
                return
            task = self._loop.create_task(self._open(connection))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
            if self._is_ahead():
                return

    def _tell(self, counts: ConnectionCounts) -> int:
        """How many there are, those being opened with them; the other processes are told."""
        count = self._has() + len(self._opening)
        counts.set(count)
        return count

    async def _open(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            handshake_s = HANDSHAKE_S if self._tls else None
            await self._loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=handshake_s
            )
        except OSError:  # no TLS, none in time, or gone already
            connection.close()
