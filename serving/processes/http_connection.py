"""A connection as long as there is no request to guard: how long we wait for one, and what we say to what is none."""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from serving.guard.guard import DEFAULT_HEADERS

HEAD_TIMEOUT_S = 10.0


class Connection(H11Protocol):
    """uvicorn's, but it hangs up on a caller who takes longer than 10 s for the head of a request.

    So too for the rest of a short body that was refused. Between two requests uvicorn hangs up after 5 s by itself.
    """

    _patience: asyncio.TimerHandle | None = None

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
        """Say that this is no HTTP, unless an answer is on its way already."""
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
        if self.cycle:  # its body broke off here: it is answered, and nobody listens
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _wait(self) -> None:
        if self.conn.their_state is not h11.IDLE and self.conn.our_state is not h11.DONE:
            self._stop_waiting()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_TIMEOUT_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._patience:
            self._patience.cancel()
        self._patience = None
