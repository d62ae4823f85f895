"""Browsers as clients: the token is in a cookie, a page without a token redirects to the login, a refusal is a page.

The cookie is HttpOnly and SameSite=Strict, and ends with the session of the browser. Without a cookie the header
`Authorization: Bearer` is accepted too, so that a script can fetch an export. Requests that are not for a whole page
get JSON: paths that begin with /export/ or /data/, and requests made by a page's script.
"""

import base64
import binascii
from functools import partial
from typing import Any
from urllib.parse import quote

from serving.console import pages, static_files
from serving.guard.client_kinds import OTHER, ClientKind, Headers, Rejection, bearer_token, refuse_in_json

COOKIE = "stayworth"
LOGIN = "/login"
NOT_PAGES = ("/export/", "/data/")
DATA_TIMEOUT_S = 600.0
"""Timeout under `NOT_PAGES`: a long export, or the log of a large shop."""


def token_cookie(token: str, *, origin: str | None) -> str:
    """The Set-Cookie header that hands a browser its token; restricted to TLS if the page came over TLS."""
    return _cookie(base64.urlsafe_b64encode(token.encode()).decode(), origin=origin)


def expired_cookie(*, origin: str | None = None) -> str:
    """The Set-Cookie header that removes the token."""
    return _cookie("", origin=origin) + "; Max-Age=0"


def token_of(headers: Headers) -> bytes:
    """The token of a request; empty if there is none."""
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


def is_same_site(scope: Any, headers: Headers) -> bool:
    """True if one of our pages or the user made the request; links from other sites are allowed.

    Browsers send Sec-Fetch-Site, older ones Origin; a program that sends neither has no cookie that can be abused.
    """
    site, navigates = headers.get(b"sec-fetch-site"), headers.get(b"sec-fetch-mode") == b"navigate"
    if site is not None and site not in (b"same-origin", b"none") and not (navigates and scope["method"] == "GET"):
        return False
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower()


def is_page(scope: Any, headers: Headers) -> bool:
    """True if the response will be shown as a page of its own."""
    return (
        scope["method"] in ("GET", "HEAD")
        and not scope["path"].startswith(NOT_PAGES)
        and headers.get(b"sec-fetch-mode", b"navigate") == b"navigate"
    )


def refuse(status: int, error: str, reason: str, scope: Any, headers: Headers) -> Rejection:
    """A redirect to the login or an error page; JSON where no page was requested."""
    if reason == "token":
        error = "log in: this request has no token, or its token is no longer valid"
    if not is_page(scope, headers):
        return refuse_in_json(status, error, reason, scope, headers)
    if reason != "token":
        content = pages.text("refused.html.j2", **NO_CALLER, status=status, error=error, path=scope["path"])
        page_headers = pages.HEADERS | {"content-type": "text/html; charset=utf-8"}
        return Rejection(
            status, [(name.encode(), value.encode()) for name, value in page_headers.items()], content.encode()
        )
    target = quote(scope["path"], safe="/") + ("?" + scope["query_string"].decode("latin-1")) * bool(
        scope.get("query_string")
    )
    login = f"{LOGIN}?next={quote(target, safe='')}"
    if COOKIE.encode() not in headers.get(b"cookie", b""):
        return Rejection(303, [(b"location", login.encode())], b"")
    ended = [(b"location", f"{login}&why=ended".encode()), (b"set-cookie", expired_cookie().encode())]
    return Rejection(303, ended, b"")


NO_CALLER: dict[str, Any] = {"batch": None, "currency": "", "caller": None}


def route_of(routes: frozenset[str], path: str) -> str:
    """The name of a path in the access log: without the id of a customer."""
    if path in routes:
        return path
    first = "/" + path.lstrip("/").partition("/")[0]
    return f"{first}/…" if f"{first}/…" in routes else OTHER


def browser_clients(routes: frozenset[str]) -> ClientKind:
    """The client kind of browsers for these routes; routes with a parameter end in /…"""
    return ClientKind(
        open_paths=frozenset({"/livez", LOGIN}) | static_files.PATHS,
        login_paths=frozenset({LOGIN}),
        read_token=token_of,
        is_same_site=is_same_site,
        refuse=refuse,
        route_name=partial(route_of, routes),
        timeout_s=lambda path: DATA_TIMEOUT_S if path.startswith(NOT_PAGES) else 0.0,
    )


def _cookie(value: str, *, origin: str | None) -> str:
    secure = "; Secure" if origin and origin.startswith("https://") else ""
    return f"{COOKIE}={value}; Path=/; HttpOnly; SameSite=Strict{secure}"
