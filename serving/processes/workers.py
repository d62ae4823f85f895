"""Worker processes: one in the current process, or several on one listening socket.

uvicorn has a supervisor of its own, but its workers outlive it when it is killed, and hold the port. Ours end with
it: each reads a pipe that closes when the supervisor ends. A worker that dies is replaced; the others take its clients.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from time import sleep

import uvicorn

from features.errors import StayworthError
from serving import access_log
from serving.processes import socket_sharing
from serving.processes.http_connection import Connection

DRAIN_S = 10
POLL_S = 0.2
LISTEN_BACKLOG = 2048
"""Connections that may wait to be accepted."""

Tls = tuple[str, str] | None


def serve_in_process(
    app: str,
    listener: socket.socket,
    *,
    tls: Tls,
    ready: Callable[[], None],
    counts: socket_sharing.ConnectionCounts | None = None,
) -> None:
    """Serve on `listener` in this process until SIGINT or SIGTERM, then drain for up to 10 s.

    app: "module:function", where the function makes the ASGI application. tls: the files of the certificate and of its
    key. ready: called once, when requests are answered. counts: if other processes accept on the same socket.
    """
    access_log.write_to(sys.stderr)
    server = _Server(
        uvicorn.Config(
            app,
            factory=True,
            http=Connection,
            lifespan="on",
            ws="none",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_S,
            ssl_certfile=tls[0] if tls else None,
            ssl_keyfile=tls[1] if tls else None,
        )
    )
    server.listener, server.ready, server.counts = listener, ready, counts
    server.run(sockets=[])
    if not server.started:
        raise StayworthError("the service did not start", next="The reason is printed above.")


class _Server(uvicorn.Server):
    """uvicorn's server, with its own way to accept connections (serving/processes/socket_sharing.py)."""

    listener: socket.socket
    ready: Callable[[], None]
    counts: socket_sharing.ConnectionCounts | None
    acceptor: socket_sharing.ConnectionAcceptor

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.listener.listen(LISTEN_BACKLOG)
            open_ = self.server_state.connections
            self.acceptor = socket_sharing.ConnectionAcceptor(
                self.listener, self._connection, open_count=lambda: len(open_), tls=self.config.ssl, counts=self.counts
            )
            self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.acceptor.close()
        self.listener.close()
        await super().shutdown(sockets)

    def _connection(self) -> Connection:
        return Connection(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def supervise(app: str, listener: socket.socket, count: int, *, tls: Tls, ready: Callable[[], None]) -> None:
    """Keep `count` workers on `listener` until a KeyboardInterrupt; `ready` is called when all of them serve."""
    running: list[_Worker] = []
    memory = socket_sharing.shared_memory(count)
    try:
        for place in range(count):
            running.append(_Worker(app, listener, memory, place, tls))
        if not all(worker.is_ready() for worker in running):
            raise StayworthError("the service did not start", next="The reason is printed above.")
        ready()
        while True:
            sleep(POLL_S)
            for place, worker in enumerate(running):
                if (code := worker.process.poll()) is not None:
                    access_log.write_event({"event": "worker replaced", "exit_code": code})
                    running[place] = _Worker(app, listener, memory, place, tls)
                    sleep(POLL_S)
    finally:
        listener.close()
        os.close(memory)
        for worker in running:
            worker.process.terminate()
        try:
            for worker in running:
                worker.process.wait(DRAIN_S + 5)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            for worker in running:
                worker.process.kill()


class _Worker:
    """A process that serves on `listener`; it ends when the pipe that is its standard input closes."""

    def __init__(self, app: str, listener: socket.socket, memory: int, place: int, tls: Tls) -> None:
        self.ready_pipe, ready_end = os.pipe()
        inherited = (listener.fileno(), ready_end, memory)
        # -P: nothing is imported from the folder that the service happens to be started in.
        command = [
            sys.executable,
            "-P",
            "-m",
            "serving.processes.workers",
            app,
            *map(str, (*inherited, place)),
            *(tls or ()),
        ]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=inherited)
        os.close(ready_end)

    def is_ready(self) -> bool:
        """Wait until it serves; False if it ends before."""
        with os.fdopen(self.ready_pipe, "rb") as pipe:
            return pipe.read(1) == b"+"


def _end_with_supervisor() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main(app: str, listener_fd: str, ready_fd: str, memory_fd: str, place: str, *tls: str) -> None:
    """Run a worker.

    Usage: `python -m serving.processes.workers APP LISTENER_FD READY_FD MEMORY_FD PLACE [CERTIFICATE KEY]`
    """
    threading.Thread(target=_end_with_supervisor, daemon=True).start()

    def ready() -> None:
        os.write(int(ready_fd), b"+")
        os.close(int(ready_fd))

    counts = socket_sharing.ConnectionCounts(int(memory_fd), int(place))
    with socket.socket(fileno=int(listener_fd)) as listener:
        try:
            serve_in_process(app, listener, tls=(tls[0], tls[1]) if tls else None, ready=ready, counts=counts)
        except KeyboardInterrupt:
            pass
        except StayworthError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main(*sys.argv[1:])
