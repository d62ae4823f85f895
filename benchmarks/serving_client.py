"""A client with little overhead: requests built in advance, persistent sockets, answers read to their length."""

import json
import selectors
import socket
from collections.abc import Sequence
from contextlib import ExitStack, closing
from itertools import cycle
from time import perf_counter
from typing import Any

TOKEN = "a-token-of-the-benchmark"
PATIENCE_S = 60.0


def request(path: str, content: Any = None) -> bytes:
    """A request as bytes: POST with JSON, GET without content."""
    body = b"" if content is None else json.dumps(content).encode()
    lines = [f"{'GET' if content is None else 'POST'} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"Authorization: Bearer {TOKEN}"]
    lines += [] if content is None else ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Line:
    """A persistent connection."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.read = bytearray()

    def ask(self, content: bytes) -> tuple[int, bytes]:
        """Send a request; returns status and body of the answer."""
        self.socket.sendall(content)
        while (answer := self.answer()) is None:
            pass
        return answer

    def answer(self) -> tuple[int, bytes] | None:
        """Read what has arrived; returns the answer once it is complete."""
        received = self.socket.recv(1 << 20)
        if not received:
            raise ConnectionError(f"the server hung up after {bytes(self.read[:200])!r}")
        self.read += received
        end = self.read.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.read[:end]).lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(self.read) < end + 4 + length:
            return None
        body, self.read = bytes(self.read[end + 4 :]), bytearray()
        return int(head[9:12]), body

    def close(self) -> None:
        self.socket.close()


def flood(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> float:
    """Answers per second to one client per connection, each sending its next request once answered."""
    contents, answered = cycle(requests), 0
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(connections):
            line = stack.enter_context(closing(Line(port)))
            selector.register(line.socket, selectors.EVENT_READ, line)
            line.socket.sendall(next(contents))
        start = perf_counter()
        while perf_counter() - start < seconds:
            for key, _ in selector.select(1):
                if (answer := key.data.answer()) is not None:
                    if answer[0] != 200:
                        raise RuntimeError(f"status {answer[0]}: {answer[1][:200]!r}")
                    answered += 1
                    key.data.socket.sendall(next(contents))
        return answered / (perf_counter() - start)
