"""The BentoML service: scores by customer id. The only file that knows BentoML.

One service without `depends` (BentoML's inner services take pickle), no files and no URLs as input. What it
serves and who may ask come by environment, set by serving/launch.py: STAYWORTH_SCORES, STAYWORTH_TOKEN.
"""

import logging
import os
from pathlib import Path
from typing import Any

import bentoml
from pydantic import ValidationError

from serving.contract import ScoreRequest, ScoreResponse
from serving.guard import Guard
from serving.lookup import load


@bentoml.service(
    name="stayworth",
    workers=1,
    traffic={"timeout": 10, "max_concurrency": 64},
    # BentoML's metrics and access log stand before the guard and keep every path a stranger asks for.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
class Scoring:
    """Who is about to leave, and what they are worth."""

    def __init__(self) -> None:
        logging.getLogger("bentoml._internal.server.http_app").addFilter(_is_ours)
        self.lookup = load(Path(os.environ["STAYWORTH_SCORES"]))

    @bentoml.api(route="/v1/score")
    async def score(self, request: ScoreRequest, /) -> ScoreResponse:
        """The scores of these customers from the last batch; ids it does not hold are listed, not refused."""
        scores, unknown = self.lookup.find(request.customer_ids)
        return ScoreResponse.model_validate({"scores": scores, "unknown": unknown})


def app() -> Any:
    """The ASGI application, the guard in front of all its routes."""
    return Scoring.to_asgi()  # type: ignore[attr-defined]  # the decorator made it a Service


def _guarded(app: Any) -> Guard:
    return Guard(app, token=os.environ["STAYWORTH_TOKEN"])


def _is_ours(record: logging.LogRecord) -> bool:
    """A caller's mistake is told to the caller; it is no error of the service."""
    return not (record.exc_info and isinstance(record.exc_info[1], ValidationError))


Scoring.add_asgi_middleware(_guarded)  # type: ignore[attr-defined]
