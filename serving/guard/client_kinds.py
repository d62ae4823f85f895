"""What a guard knows of the kind of caller at its door: how one shows a token, what needs none, how one is told no.

`PROGRAMS` send a bearer token and read JSON. Browsers are described in serving/console/browsers.py.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Headers = Mapping[bytes, bytes]
"""By name in lower case; one that is there more than once is empty."""

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
"""Paths that the journal names."""
OTHER = "other"


@dataclass(frozen=True)
class Refusal:
    """An answer that says no."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def bearer_token(headers: Headers) -> bytes:
    """The token of the header Authorization; empty where there is none."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""


def refuse_in_json(status: int, error: str, reason: str, scope: Any, headers: Headers) -> Refusal:  # noqa: ARG001
    """{"error": …}"""
    return Refusal(status, [(b"content-type", b"application/json")], json.dumps({"error": error}).encode())


def route_of(path: str) -> str:
    """The path where it is one of ours, else `other`."""
    return path if path in ROUTES else OTHER


@dataclass(frozen=True)
class ClientKind:
    """One kind of callers."""

    open: frozenset[str] = frozenset({"/livez"})
    """Paths that need no token, asked for with GET or HEAD and no body."""
    signing_in: frozenset[str] = frozenset()
    """Paths to which a token is brought in a body: all but the token is guarded there."""
    token: Callable[[Headers], bytes] = bearer_token
    is_from_here: Callable[[Any, Headers], bool] = lambda scope, headers: True  # noqa: ARG005
    """Whether no other web site made the caller ask."""
    refused: Callable[[int, str, str, Any, Headers], Refusal] = refuse_in_json
    """Status, words, the guard's reason, the scope and the headers → what is answered."""
    route: Callable[[str], str] = route_of
    """What the journal calls a path: nothing a stranger made up."""
    patience_s: Callable[[str], float] = lambda path: 0.0  # noqa: ARG005
    """Seconds that a path may take where they are more than the door's."""


PLAN_TIMEOUT_S = 60.0
"""Seconds that a plan may take: one of a thousand customers, decided to the last, is seconds of a free core."""

API_CLIENTS = ClientKind(patience_s=lambda path: PLAN_TIMEOUT_S if path == "/v1/plan" else 0.0)
