"""Kinds of clients of a guard: where their token is, which paths need none, and how a refusal is written.

`API_CLIENTS` send a bearer token and read JSON. Browsers are described in serving/console/browsers.py.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Headers = Mapping[bytes, bytes]
"""Headers by name in lower case; a repeated one is empty."""

ROUTES = frozenset(
    {
        "/livez",
        "/readyz",
        "/metrics",
        "/docs.json",
        "/v1/model",
        "/v1/score",
        "/v1/score_histories",
        "/v1/explain",
        "/v1/plan",
    }
)
"""Paths that the access log names."""
OTHER = "other"


@dataclass(frozen=True)
class Rejection:
    """A response that refuses a request."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def bearer_token(headers: Headers) -> bytes:
    """The token of the header Authorization; empty if there is none."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def refuse_in_json(status: int, error: str, reason: str, scope: Any, headers: Headers) -> Rejection:  # noqa: ARG001
    """Refuse a request with {"error": …}."""
    return Rejection(status, [(b"content-type", b"application/json")], json.dumps({"error": error}).encode())


def route_of(path: str) -> str:
    """The path if it is a route, otherwise `other`."""
    return path if path in ROUTES else OTHER


@dataclass(frozen=True)
class ClientKind:
    """A kind of clients."""

    open_paths: frozenset[str] = frozenset({"/livez"})
    """Paths that need no token, for a GET or HEAD without a body."""
    login_paths: frozenset[str] = frozenset()
    """Paths that accept a token in a body: every check but that of the token applies there."""
    read_token: Callable[[Headers], bytes] = bearer_token
    is_same_site: Callable[[Any, Headers], bool] = lambda scope, headers: True  # noqa: ARG005
    """False if another web site made the client send the request."""
    refuse: Callable[[int, str, str, Any, Headers], Rejection] = refuse_in_json
    """Makes the refusal from status, error text, the guard's reason, the scope and the headers."""
    route_name: Callable[[str], str] = route_of
    """The name of a path in the access log: nothing that a client made up."""
    timeout_s: Callable[[str], float] = lambda path: 0.0  # noqa: ARG005
    """Seconds that a path may take, if more than the policy's timeout."""


PLAN_TIMEOUT_S = 60.0
"""Seconds that a plan may take: an exact plan of a thousand customers takes seconds of a free core."""

API_CLIENTS = ClientKind(timeout_s=lambda path: PLAN_TIMEOUT_S if path == "/v1/plan" else 0.0)
