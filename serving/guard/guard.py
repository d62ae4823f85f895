"""The door: who is let in, under which host name, with how much. Pure ASGI, in front of every route there is.

    reason     status
    host       403     a host name not on the list: a web page that rebinds its name to us gets nothing
    target     400     no path of this server: an absolute address, or *
    token      401     no token, or none of ours; only a bodiless GET or HEAD of /livez needs none
    site       403     a request that another web site made a browser send
    framing    400     a body with two lengths
    type       415     a body that is not JSON, or is compressed
    size       413     a body above the limit, counted as it streams, whatever its length header says
    busy       429     as many requests in flight as the door takes; nobody waits here
    slow       408     a body that does not end in time
    timeout    504     no answer in time; what runs in a thread runs on
    error      500     the service failed

The body is read here, to its end, before the framework sees the request. What differs between programs and browsers,
the token's place and the words of a refusal, is in `Callers`.
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
    "target": (400, "ask for a path of this server, which starts with /"),
    "token": (401, "send the header 'Authorization: Bearer TOKEN' with a token of this service"),
    "site": (403, "this request was made by another web site"),
    "framing": (400, "send one Content-Length, or Transfer-Encoding: chunked, not both"),
    "type": (415, "send JSON, not compressed, with the header 'Content-Type: application/json'"),
    "size": (413, "the body is larger than {policy.most_bytes:,} bytes"),
    "busy": (429, "{policy.most_in_flight:,} requests are in flight; try again in a second"),
    "slow": (408, "the body did not end within {policy.timeout_s:g} seconds"),
    "timeout": (504, "no answer within {policy.timeout_s:g} seconds"),
    "error": (500, "the service failed; its journal says where"),
}

REFUSAL_HEADERS = {"token": (b"www-authenticate", b"Bearer"), "busy": (b"retry-after", b"1")}

DEFAULT_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
"""Headers, where the answer has none of its own of that name."""

LINGER_S = 2.0
LINGER_BYTES = 32 * 1024 * 1024
"""What is still read, and thrown away, of a body we refuse: a connection closed under a caller who is sending takes
our answer with it."""


class Guard:
    """ASGI middleware. `told` gets every request at its end: for the journal, and for whoever counts refusals.

    `callers` says what kind comes.
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
        request = access_log.begin_request(scope.get("method", ""), self.client_kind.route(scope["path"]))
        try:
            if scope["type"] != "http":
                request.refusal = "websocket"
                await send({"type": "websocket.close", "code": 1008})
                return
            send = _with_default_headers(send, request)
            headers = _unrepeated(scope["headers"])
            is_open = scope["path"] in self.client_kind.open and scope["method"] in BODILESS and not _has_body(headers)
            request.refusal = self._refusal(scope, headers, request, is_open=is_open, now_s=began_s)
            if not request.refusal:
                until_s = began_s + max(self.policy.timeout_s, self.client_kind.patience_s(scope["path"]))
                await (self._pass_on if is_open else self._let_in)(scope, receive, send, request, until_s=until_s)
            if request.refusal and not request.status:
                await self._turn_away(scope, headers, receive, send, request.refusal)
        finally:
            request.ms = round((now() - began_s) * 1000, 2)
            self.record(request)

    def _refusal(
        self, scope: Any, headers: dict[bytes, bytes], request: RequestRecord, *, is_open: bool, now_s: float
    ) -> str | None:
        """The reason, if the line and the headers of the request are enough to say no."""
        if _host(headers.get(b"host", b"")) not in self.hosts:
            return "host"
        if not scope["path"].startswith("/"):
            return "target"
        if is_open:
            return None
        if token := self.client_kind.token(headers):
            request.caller = self.policy.tokens.name_of(token, now_s=now_s)
        if not request.caller and not (scope["method"] == "POST" and scope["path"] in self.client_kind.signing_in):
            return "token"
        if not self.client_kind.is_from_here(scope, headers):
            return "site"
        if b"transfer-encoding" in headers and b"content-length" in headers:
            return "framing"
        if scope["method"] in BODILESS and not _has_body(headers):
            return None
        is_json = headers.get(b"content-type", b"").partition(b";")[0].strip().lower() == b"application/json"
        if not is_json or headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            return "type"
        return "size" if _length(headers) > self.policy.most_bytes else None

    async def _let_in(self, scope: Any, receive: Any, send: Any, request: RequestRecord, *, until_s: float) -> None:
        if self.in_flight >= self.policy.most_in_flight:
            request.refusal = "busy"
            return
        self.in_flight += 1
        try:
            # All that came in at the same moment are counted before the first of them is worked on.
            await asyncio.sleep(0)
            await self._pass_on(scope, receive, send, request, until_s=until_s)
        finally:
            self.in_flight -= 1

    async def _pass_on(self, scope: Any, receive: Any, send: Any, request: RequestRecord, *, until_s: float) -> None:
        body, gone = bytearray(), False
        try:
            async with asyncio.timeout_at(until_s) as limit:
                request.refusal = "slow"
                more = True
                while more and not gone and len(body) <= self.policy.most_bytes:
                    message = await receive()
                    body += message.get("body", b"")
                    more, gone = message.get("more_body", False), message["type"] == "http.disconnect"
                request.refusal = "size" if len(body) > self.policy.most_bytes else None
                if not request.refusal and not gone:
                    request.refusal = "timeout"
                    await self.app(scope, _replay(bytes(body), receive), send)
                    request.refusal = None
        except Exception as error:  # noqa: BLE001  # whatever it is, its text may hold a customer id
            if not (isinstance(error, TimeoutError) and limit.expired()):
                request.refusal = "error"
                access_log.write_event({"event": "error", "type": type(error).__name__, "at": _stack_places(error)})

    async def _turn_away(self, scope: Any, asked: Headers, receive: Any, send: Any, reason: str) -> None:
        status, error = REFUSALS[reason]
        said = self.client_kind.refused(status, error.format(policy=self.policy), reason, scope, asked)
        headers = [*said.headers, (b"content-length", str(len(said.body)).encode())]
        if reason in REFUSAL_HEADERS:
            headers.append(REFUSAL_HEADERS[reason])
        # A short body the server reads over by itself; an endless one ends with the connection.
        hang_up = _has_body(asked) and (reason == "slow" or not 0 <= _length(asked) <= self.policy.most_bytes)
        if hang_up:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": said.status, "headers": headers})
        await send({"type": "http.response.body", "body": said.body, "more_body": hang_up})
        if hang_up:
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    await _drain(receive)
            await send({"type": "http.response.body", "body": b""})


def _unrepeated(headers: Any) -> dict[bytes, bytes]:
    """The headers by name; one that is there more than once is empty."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = b"" if name in found else value
    return found


def _has_body(headers: Headers) -> bool:
    return b"transfer-encoding" in headers or (b"content-length" in headers and _length(headers) != 0)


def _length(headers: Headers) -> int:
    """The declared length of the body; -1 if there is none to rely on."""
    value = headers.get(b"content-length", b"")
    return int(value) if value.isdigit() and len(value) <= 20 and b"transfer-encoding" not in headers else -1


def _host(header: bytes) -> str:
    """The name in lower case, without the port and the dot that may end it."""
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
    """A `receive` that hands out the body once, then what else comes: that the caller left."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return messages.pop() if messages else await receive()

    return replay


def _with_default_headers(send: Any, request: RequestRecord) -> Any:
    """A `send` that gives every answer our headers, and writes its status down."""

    async def dressed(message: Any) -> None:
        if message["type"] == "http.response.start":
            request.status = message["status"]
            headers = [(name, value) for name, value in message.get("headers", ()) if name.lower() != b"server"]
            given = {name.lower() for name, _ in headers}
            headers += [header for header in DEFAULT_HEADERS if header[0] not in given]
            message = {**message, "headers": headers}
        await send(message)

    return dressed


def _stack_places(error: BaseException) -> list[str]:
    """Where it was raised, the last places first: file, line and function, never a value."""
    frames = traceback.extract_tb(error.__traceback__)[:-9:-1]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
