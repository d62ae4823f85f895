"""The door: who is let in, under which host name, with how much. Pure ASGI, in front of every route there is.

    host name not a loopback one   403   a web page that rebinds its name to us gets nothing
    /livez                         open
    no bearer token, or not ours   401
    a body that is not JSON        415
    a body above 1 MiB             413   counted as it streams, whatever its length header says

The body is read here, to its end, before the framework sees the request.
"""

import json
from hmac import compare_digest
from typing import Any

MOST_BYTES = 1024 * 1024
"""Bytes of a request body."""

LOOPBACK = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})

OPEN = frozenset({"/livez"})

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware; a caller shows `token` as `Authorization: Bearer TOKEN`."""

    def __init__(self, app: Any, *, token: str) -> None:
        if not token:
            raise ValueError("an empty token would open the door to everyone")
        self.app = app
        self.token = token.encode()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
        elif refusal := self.refusal(scope):
            await _answer(send, *refusal)
        elif scope["method"] in BODILESS:
            await self.app(scope, receive, send)
        elif (body := await _read(receive)) is None:
            await _answer(send, 413, f"the body is larger than {MOST_BYTES:,} bytes")
        else:
            await self.app(scope, _replay(body, receive), send)

    def refusal(self, scope: Any) -> tuple[int, str] | None:
        """Status and reason, if the line and the headers of the request are enough to say no."""
        if _host(_header(scope, b"host")) not in LOOPBACK:
            return 403, "this service answers to its loopback names only"
        if scope["path"] in OPEN:
            return None
        scheme, _, token = _header(scope, b"authorization").partition(b" ")
        if scheme.lower() != b"bearer" or not compare_digest(token.strip(), self.token):
            return 401, "send the header 'Authorization: Bearer TOKEN' with the token of this service"
        if scope["method"] in BODILESS:
            return None
        if _header(scope, b"content-type").partition(b";")[0].strip().lower() != b"application/json":
            return 415, "send JSON, with the header 'Content-Type: application/json'"
        return None


def _header(scope: Any, name: bytes) -> bytes:
    """The header's value; empty if it is absent, or there more than once."""
    values = [value for key, value in scope["headers"] if key == name]
    return values[0] if len(values) == 1 else b""


def _host(header: bytes) -> bytes:
    """The name without the port, in lower case."""
    name, _, port = header.lower().rpartition(b":")
    return name if port.isdigit() else header.lower()


async def _read(receive: Any) -> bytes | None:
    """The whole body, or None as soon as it is too large; what a caller who left had sent so far."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Any) -> Any:
    """A `receive` that hands out the body once, then what else comes: that the caller left."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return messages.pop() if messages else await receive()

    return replay


async def _answer(send: Any, status: int, error: str) -> None:
    body = json.dumps({"error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
