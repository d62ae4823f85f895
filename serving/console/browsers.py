"""Browsers as callers: the token lies in a cookie, a page that may not be seen leads to the log-in, a no is a page.

The cookie is HttpOnly and SameSite=Strict, and goes with the session of the browser. Without a cookie the header
`Authorization: Bearer` is taken as well, so that a script can fetch an export. What is no page of its own answers in
JSON: paths that begin with /export/ or /data/, and whatever a script of the page asks for.
"""

import base64
import binascii
from functools import partial
from typing import Any
from urllib.parse import quote

from serving.console import pages, static_files
from serving.guard.client_kinds import OTHER, ClientKind, Headers, Refusal, bearer_token, refuse_in_json

COOKIE = "stayworth"
LOGIN = "/login"
NOT_PAGES = ("/export/", "/data/")
DATA_TIMEOUT_S = 600.0
"""For what is under `NOT_PAGES`: a long list, the log of a large shop."""


def token_cookie(token: str, *, origin: str | None) -> str:
    """The header that hands a browser its token; for TLS alone where the page came by it."""
    return _cookie(base64.urlsafe_b64encode(token.encode()).decode(), origin=origin)


def expired_cookie(*, origin: str | None = None) -> str:
    """The header that takes it away."""
    return _cookie("", origin=origin) + "; Max-Age=0"


def token_of(headers: Headers) -> bytes:
    """The token of a request; empty where there is none."""
    if b"authorization" in headers:
        return bearer_token(headers)
    for pair in headers.get(b"cookie", b"").split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name == COOKIE.encode():
            try:
                return base64.b64decode(value, altchars=b"-_", validate=True)
            except binascii.Error:
                return b""
    return b""


def is_from_here(scope: Any, headers: Headers) -> bool:
    """Whether one of our pages made the browser ask, or its user; links may lead here from anywhere.

    Browsers say so in Sec-Fetch-Site, older ones in Origin; a program that says neither has no cookie to be abused.
    """
    site, moves = headers.get(b"sec-fetch-site"), headers.get(b"sec-fetch-mode") == b"navigate"
    if site is not None and site not in (b"same-origin", b"none") and not (moves and scope["method"] == "GET"):
        return False
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower()


def is_page(scope: Any, headers: Headers) -> bool:
    """Whether the answer will stand in a window of its own."""
    return (
        scope["method"] in ("GET", "HEAD")
        and not scope["path"].startswith(NOT_PAGES)
        and headers.get(b"sec-fetch-mode", b"navigate") == b"navigate"
    )


def refuse(status: int, error: str, reason: str, scope: Any, headers: Headers) -> Refusal:
    """A page that leads on, or JSON for what is no page."""
    if reason == "token":
        error = "log in: there is no token with this request, or it is no longer valid"
    if not is_page(scope, headers):
        return refuse_in_json(status, error, reason, scope, headers)
    if reason != "token":
        content = pages.text("refused.html.j2", **NO_CALLER, status=status, error=error, path=scope["path"])
        dressed = pages.HEADERS | {"content-type": "text/html; charset=utf-8"}
        return Refusal(status, [(name.encode(), value.encode()) for name, value in dressed.items()], content.encode())
    wanted = quote(scope["path"], safe="/") + ("?" + scope["query_string"].decode("latin-1")) * bool(
        scope.get("query_string")
    )
    place = f"{LOGIN}?next={quote(wanted, safe='')}"
    if COOKIE.encode() not in headers.get(b"cookie", b""):
        return Refusal(303, [(b"location", place.encode())], b"")
    gone = [(b"location", f"{place}&why=ended".encode()), (b"set-cookie", expired_cookie().encode())]
    return Refusal(303, gone, b"")


NO_CALLER: dict[str, Any] = {"batch": None, "currency": "", "caller": None}


def route_of(routes: frozenset[str], path: str) -> str:
    """What the journal calls a path: of a customer's page no id."""
    if path in routes:
        return path
    first = "/" + path.lstrip("/").partition("/")[0]
    return f"{first}/…" if f"{first}/…" in routes else OTHER


def browser_clients(routes: frozenset[str]) -> ClientKind:
    """Browsers that visit these routes; those with a name in them end in /…"""
    return ClientKind(
        open=frozenset({"/livez", LOGIN}) | static_files.PATHS,
        signing_in=frozenset({LOGIN}),
        token=token_of,
        is_from_here=is_from_here,
        refused=refuse,
        route=partial(route_of, routes),
        patience_s=lambda path: DATA_TIMEOUT_S if path.startswith(NOT_PAGES) else 0.0,
    )


def _cookie(value: str, *, origin: str | None) -> str:
    secure = "; Secure" if origin and origin.startswith("https://") else ""
    return f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}"
