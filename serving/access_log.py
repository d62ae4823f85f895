"""The access log of the service: one line of JSON for each request and each event, on standard error.

    {"time": "2026-05-02T09:30:00.123Z", "event": "request", "caller": "billing", "method": "POST",
     "route": "/v1/score", "status": 200, "rows": 3, "ms": 1.42, "model_version": "7", "refusal": null}

It holds no customer id, body, token or query, and no invented path: a path that is not a route is logged as "other".
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

LOG = logging.getLogger("stayworth.access_log")


@dataclass(slots=True)
class RequestRecord:
    """The log record of a request, filled in while it is answered; `refusal` is the guard's reason, if it refused."""

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

_CURRENT: ContextVar[RequestRecord | None] = ContextVar("request_record", default=None)


def begin_request(method: str, route: str) -> RequestRecord:
    """Start the record of a request; `note_answer` adds to it, in this task and in the threads it starts."""
    record = RequestRecord(method if method in METHODS else OTHER, route)
    _CURRENT.set(record)
    return record


def note_answer(*, rows: int, model_version: str | None = None) -> None:
    """Add to the current request how many customers it asks for, and the version of the model that answered."""
    if record := _CURRENT.get():
        record.rows, record.model_version = rows, model_version


def current_caller() -> str | None:
    """The name of the token of the current request."""
    record = _CURRENT.get()
    return record.caller if record else None


def write_request(record: RequestRecord) -> None:
    """Write the record of a request."""
    if LOG.isEnabledFor(logging.INFO):
        LOG.info("request", extra={"content": {"event": "request"} | {name: getattr(record, name) for name in FIELDS}})


def write_event(content: Mapping[str, object]) -> None:
    """Write an event that is not a request; `event` is its name, the other keys are its details."""
    LOG.warning(content["event"], extra={"content": content})


class JsonLines(logging.Formatter):
    """Formatter that writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return TO_JSON({"time": time} | record.__dict__["content"])


def write_to(stream: TextIO) -> None:
    """Write the access log to `stream`, and nowhere else, from now on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    LOG.handlers = [handler]
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
