"""An HTTP connection before the guard sees a request: the time limit for request heads, and the answer to non-HTTP."""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from serving.guard.guard import DEFAULT_HEADERS

HEAD_TIMEOUT_S = 10.0
"""Seconds that a client may take for the head of a request."""


class Connection(H11Protocol):
    """uvicorn's connection, closed if a client takes longer than 10 s for the head of a request.

    The limit also applies to the rest of a short body that was refused. Between requests uvicorn closes after 5 s.
    """

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_waiting()

    def send_400_response(self, msg: str) -> None:
        """Answer that this is not HTTP, unless a response has already started."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = json.dumps({"error": msg}).encode()
            headers = [(b"content-type", b"application/json"), (b"connection", b"close"), *DEFAULT_HEADERS]
            length = (b"content-length", str(len(body)).encode())
            for event in (
                h11.Response(status_code=400, headers=[*headers, length], reason=b"Bad Request"),
                h11.Data(data=body),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle:  # its body ended too early: it has been answered, and the client is gone
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE and self.conn.our_state is not h11.DONE:
            self._stop_waiting()
        elif self._timer is None:
            self._timer = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = None
