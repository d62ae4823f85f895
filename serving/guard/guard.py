"""The guard: checks every request before any route sees it: host, token, body, load, time. Pure ASGI.

    reason     status
    host       403     a host name that is not on the list, so that DNS rebinding by a web page achieves nothing
    target     400     not a path of this server: an absolute address, or *
    token      401     no token, or an unknown one; only a GET or HEAD of /livez without a body needs none
    site       403     a request that another web site made a browser send
    framing    400     a body with two lengths
    type       415     a body that is not JSON, or is compressed
    size       413     a body above the limit, counted as it streams, whatever its length header says
    busy       429     as many requests in flight as the policy allows; requests do not queue
    slow       408     a body that does not end in time
    timeout    504     no answer in time; work in a thread continues
    error      500     the service failed

The body is read here, to its end, before the framework sees the request. Differences between programs and browsers,
such as the place of the token and the form of a refusal, are in `ClientKind`.
"""

import asyncio
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from serving import access_log
from serving.access_log import RequestRecord
from serving.guard.access_policy import AccessPolicy
from serving.guard.client_kinds import API_CLIENTS, ClientKind, Headers

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})

BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})

REFUSALS = {
    "host": (403, "this service does not answer to this host name"),
    "target": (400, "request a path of this server, which starts with /"),
    "token": (401, "send the header 'Authorization: Bearer TOKEN' with a token of this service"),
    "site": (403, "this request was made by another web site"),
    "framing": (400, "send one Content-Length, or Transfer-Encoding: chunked, not both"),
    "type": (415, "send JSON, not compressed, with the header 'Content-Type: application/json'"),
    "size": (413, "the body is larger than {policy.most_bytes:,} bytes"),
    "busy": (429, "{policy.most_in_flight:,} requests are in flight; try again in a second"),
    "slow": (408, "the body did not end within {policy.timeout_s:g} seconds"),
    "timeout": (504, "no answer within {policy.timeout_s:g} seconds"),
    "error": (500, "the service failed; its log says where"),
}

REFUSAL_HEADERS = {"token": (b"www-authenticate", b"Bearer"), "busy": (b"retry-after", b"1")}

DEFAULT_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Headers of every response that does not set them itself."""

LINGER_S = 2.0
LINGER_BYTES = 32 * 1024 * 1024
"""Time and bytes for which a refused body is still read, and discarded: closing the connection while the client sends
would lose the response."""


class Guard:
    """ASGI middleware that checks every request.

    record: gets the record of each request at its end, for the access log and the metrics. client_kind: programs or
    browsers.
    """

    def __init__(
        self,
        app: Any,
        policy: AccessPolicy,
        *,
        record: Callable[[RequestRecord], None] = access_log.write_request,
        client_kind: ClientKind = API_CLIENTS,
    ) -> None:
        self.app = app
        self.policy = policy
        self.hosts = LOOPBACK | self.policy.hosts
        self.record = record
        self.client_kind = client_kind
        self.in_flight = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        now = asyncio.get_running_loop().time
        began_s = now()
        request = access_log.begin_request(scope.get("method", ""), self.client_kind.route_name(scope["path"]))
        try:
            if scope["type"] != "http":
                request.refusal = "websocket"
                await send({"type": "websocket.close", "code": 1008})
                return
            send = _with_default_headers(send, request)
            headers = _unrepeated(scope["headers"])
            is_open = (
                scope["path"] in self.client_kind.open_paths and scope["method"] in BODILESS and not _has_body(headers)
            )
            request.refusal = self._refusal(scope, headers, request, is_open=is_open, now_s=began_s)
            if not request.refusal:
                until_s = began_s + max(self.policy.timeout_s, self.client_kind.timeout_s(scope["path"]))
                await (self._pass_on if is_open else self._admit)(scope, receive, send, request, until_s=until_s)
            if request.refusal and not request.status:
                await self._refuse(scope, headers, receive, send, request.refusal)
        finally:
            request.ms = round((now() - began_s) * 1000, 2)
            self.record(request)

    def _refusal(
        self, scope: Any, headers: dict[bytes, bytes], request: RequestRecord, *, is_open: bool, now_s: float
    ) -> str | None:
        """The reason for a refusal that follows from the request line and the headers; None if there is none."""
        if _host(headers.get(b"host", b"")) not in self.hosts:
            return "host"
        if not scope["path"].startswith("/"):
            return "target"
        if is_open:
            return None
        if token := self.client_kind.read_token(headers):
            request.caller = self.policy.tokens.name_of(token, now_s=now_s)
        if not request.caller and not (scope["method"] == "POST" and scope["path"] in self.client_kind.login_paths):
            return "token"
        if not self.client_kind.is_same_site(scope, headers):
            return "site"
        if b"transfer-encoding" in headers and b"content-length" in headers:
            return "framing"
        if scope["method"] in BODILESS and not _has_body(headers):
            return None
        is_json = headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == b"application/json"
        if not is_json or headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            return "type"
        return "size" if _length(headers) > self.policy.most_bytes else None

    async def _admit(self, scope: Any, receive: Any, send: Any, request: RequestRecord, *, until_s: float) -> None:
        if self.in_flight >= self.policy.most_in_flight:
            request.refusal = "busy"
            return
        self.in_flight += 1
        try:
            # All requests that arrive at the same moment are counted before work on the first of them starts.
            await asyncio.sleep(0)
            await self._pass_on(scope, receive, send, request, until_s=until_s)
        finally:
            self.in_flight -= 1

    async def _pass_on(self, scope: Any, receive: Any, send: Any, request: RequestRecord, *, until_s: float) -> None:
        body, is_disconnected = bytearray(), False
        try:
            async with asyncio.timeout_at(until_s) as limit:
                request.refusal = "slow"
                more = True
                while more and not is_disconnected and len(body) <= self.policy.most_bytes:
                    message = await receive()
                    body += message.get("body", b"")
                    more, is_disconnected = message.get("more_body", False), message["type"] == "http.disconnect"
                request.refusal = "size" if len(body) > self.policy.most_bytes else None
                if not request.refusal and not is_disconnected:
                    request.refusal = "timeout"
                    await self.app(scope, _replay(bytes(body), receive), send)
                    request.refusal = None
        except Exception as error:  # noqa: BLE001  # whatever it is, its text may hold a customer id
            if not (isinstance(error, TimeoutError) and limit.expired()):
                request.refusal = "error"
                access_log.write_event({"event": "error", "type": type(error).__name__, "at": _stack_places(error)})

    async def _refuse(self, scope: Any, request_headers: Headers, receive: Any, send: Any, reason: str) -> None:
        status, error = REFUSALS[reason]
        refusal = self.client_kind.refuse(status, error.format(policy=self.policy), reason, scope, request_headers)
        headers = [*refusal.headers, (b"content-length", str(len(refusal.body)).encode())]
        if reason in REFUSAL_HEADERS:
            headers.append(REFUSAL_HEADERS[reason])
        # The server skips a short body by itself; an endless one ends with the connection.
        hang_up = _has_body(request_headers) and (
            reason == "slow" or not 0 <= _length(request_headers) <= self.policy.most_bytes
        )
        if hang_up:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await send({"type": "http.response.body", "body": refusal.body, "more_body": hang_up})
        if hang_up:
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await _drain(receive)
            await send({"type": "http.response.body", "body": b""})


def _unrepeated(headers: Any) -> dict[bytes, bytes]:
    """Headers by name; a repeated one is empty."""
    values: dict[bytes, bytes] = {}
    for name, value in headers:
        values[name] = b"" if name in values else value
    return values


def _has_body(headers: Headers) -> bool:
    return b"transfer-encoding" in headers or (b"content-length" in headers and _length(headers) != 0)


def _length(headers: Headers) -> int:
    """The declared length of the body; -1 if there is none to rely on."""
    value = headers.get(b"content-length", b"")
    return int(value) if value.isdigit() and len(value) <= 20 and b"transfer-encoding" not in headers else -1


def _host(header: bytes) -> str:
    """The host name in lower case, without port and final dot."""
    name, _, port = header.lower().rpartition(b":")
    return (name if port.isdigit() else header.lower()).removesuffix(b".").decode("latin-1")


async def _drain(receive: Any) -> None:
    left = LINGER_BYTES
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return


def _replay(body: bytes, receive: Any) -> Any:
    """A `receive` that returns the body once, then whatever follows, such as the client's disconnect."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return messages.pop() if messages else await receive()

    return replay


def _with_default_headers(send: Any, request: RequestRecord) -> Any:
    """A `send` that adds DEFAULT_HEADERS to the response and records its status."""

    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            request.status = message["status"]
            headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"server"]
            present = {name.lower() for name, _ in headers}
            headers += [header for header in DEFAULT_HEADERS if header[0] not in present]
            message = {**message, "headers": headers}
        await send(message)

    return send_with_headers


def _stack_places(error: BaseException) -> list[str]:
    """Places in the stack of an error, the last first: file, line and function, never a value."""
    frames = traceback.extract_tb(error.__traceback__)[:-9:-1]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
