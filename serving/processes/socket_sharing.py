"""Accepting connections on a listening socket, in one process or shared evenly among several.

asyncio accepts connections as they arrive, so of several processes on one socket the first to wake up takes most of
them, and keeps them: with 16 clients we measured 16 and 0. Here each process publishes its number of connections in
shared memory, and a process with more connections than another gives it a short head start. A process that has ended,
or is busy, delays the others by no more than that.
"""

import asyncio
import mmap
import os
import socket
import ssl
from collections.abc import Callable

ACCEPTED_AT_ONCE = 64
"""Connections accepted at once, so that clients beyond the limit are refused instead of waiting."""
HEAD_START_S = 0.002
HANDSHAKE_S = 10.0
"""Longest wait for a TLS handshake; asyncio's default is a minute."""
RETRY_S = 1.0
"""Wait before accepting again when the machine has no more file descriptors."""


class ConnectionCounts:
    """Number of connections of each process, in memory that all of them share."""

    def __init__(self, memory: int, place: int) -> None:
        """memory: the file descriptor from `shared_memory`; place: the position of this process's number."""
        self._all = memoryview(mmap.mmap(memory, os.fstat(memory).st_size)).cast("i")
        self._place = place
        self.set(0)

    def set(self, count: int) -> None:
        """Publish the number of connections of this process."""
        self._all[self._place] = count

    @property
    def least(self) -> int:
        """Fewest connections of any process."""
        return min(self._all)


def shared_memory(processes: int) -> int:
    """Create memory for `ConnectionCounts` of several processes; returns a file descriptor that they inherit."""
    memory = os.memfd_create("stayworth-connections", 0)
    os.ftruncate(memory, 4 * processes)
    return memory


class ConnectionAcceptor:
    """Accepts connections until it is closed; `counts` if other processes accept on the same socket."""

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        *,
        open_count: Callable[[], int],
        tls: ssl.SSLContext | None,
        counts: ConnectionCounts | None,
    ) -> None:
        """protocol: creates the protocol of one connection; open_count: number of open connections."""
        self._listener, self._protocol, self._open_count, self._tls, self._counts = (
            listener,
            protocol,
            open_count,
            tls,
            counts,
        )
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._later: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._loop.add_reader(listener, self._on_readable)

    def close(self) -> None:
        """Accept no more connections."""
        self._loop.remove_reader(self._listener)
        if self._later:
            self._later.cancel()

    def _on_readable(self) -> None:
        if self._is_ahead():
            self._wait(HEAD_START_S)
        else:
            self._accept()

    def _is_ahead(self) -> bool:
        return self._counts is not None and self._publish(self._counts) > self._counts.least

    def _wait(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener)
        self._later = self._loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        self._later = None
        self._loop.add_reader(self._listener, self._on_readable)
        self._accept()

    def _accept(self) -> None:
        """Accept one connection, and more until another process has fewer."""
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
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

    def _publish(self, counts: ConnectionCounts) -> int:
        """Count and publish the connections, including those being opened."""
        count = self._open_count() + len(self._opening)
        counts.set(count)
        return count

    async def _open(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        try:
            handshake_s = HANDSHAKE_S if self._tls else None
            await self._loop.connect_accepted_socket(
                self._protocol, connection, ssl=self._tls, ssl_handshake_timeout=handshake_s
            )
        except OSError:  # not TLS, too slow, or already closed
            connection.close()
