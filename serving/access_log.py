"""What the service writes down: one line of JSON for each request and each event, on standard error.

    {"time": "2026-05-02T09:30:00.123Z", "event": "request", "caller": "billing", "method": "POST",
     "route": "/v1/score", "status": 200, "rows": 3, "ms": 1.42, "model_version": "7", "refusal": null}

No customer id, no body, no token, no query and no path a stranger made up: a path that is none of ours is "other".
"""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TextIO

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
OTHER = "other"

LOG = logging.getLogger("stayworth.journal")


@dataclass(slots=True)
class RequestRecord:
    """One request, filled in while it is answered; `refusal` is the guard's reason, if it said no."""

    method: str
    route: str
    caller: str | None = None
    status: int | None = None
    rows: int | None = None
    ms: float | None = None
    model_version: str | None = None
    refusal: str | None = None


FIELDS = [field.name for field in fields(RequestRecord)]
TO_JSON = json.JSONEncoder(default=str).encode

_CURRENT: ContextVar[RequestRecord | None] = ContextVar("visit", default=None)


def begin_request(method: str, route: str) -> RequestRecord:
    """The visit that `note` speaks of from now on, in this task and in the threads it starts."""
    visit = RequestRecord(method if method in METHODS else OTHER, route)
    _CURRENT.set(visit)
    return visit


def note_answer(*, rows: int, model_version: str | None = None) -> None:
    """How many customers the request at hand asks for, and of which model the answer is; called by the service."""
    if visit := _CURRENT.get():
        visit.rows, visit.model_version = rows, model_version


def current_caller() -> str | None:
    """Whose request is at hand, by the name of the token."""
    visit = _CURRENT.get()
    return visit.caller if visit else None


def write_request(visit: RequestRecord) -> None:
    """Write the visit down."""
    if LOG.isEnabledFor(logging.INFO):
        LOG.info("request", extra={"said": {"event": "request"} | {name: getattr(visit, name) for name in FIELDS}})


def write_event(said: Mapping[str, object]) -> None:
    """Write down something that is no request: `event` says what, the other keys what belongs to it."""
    LOG.warning(said["event"], extra={"said": said})


class JsonLines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return TO_JSON({"time": time} | record.__dict__["said"])


def write_to(stream: TextIO) -> None:
    """From now on the journal is written to `stream`, and nowhere else."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    LOG.handlers = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
