"""The BentoML service: its routes, and what keeps them fast. The only file that imports BentoML.

One service without `depends` (BentoML's inner services accept pickle), no files and no URLs as input. Its settings and
access policy come from the environment (serving/settings.py). Responses are serialised to JSON here, by pydantic's own
serialiser, and passed on as bytes: BentoML would first build a model of each and its schema. Other parts of BentoML
that are left out for speed: docs/decisions/0012.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from inspect import cleandoc
from typing import Any, get_type_hints

import bentoml
from fastapi import FastAPI, Request, Response
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.exceptions import HTTPException
from starlette.routing import Route

from features.errors import InputError, StayworthError
from serving import access_log, openapi, prometheus, settings
from serving.access_log import RequestRecord
from serving.contract import (
    ExplainRequest,
    ExplainResponse,
    HistoriesRequest,
    ModelResponse,
    PlanRequest,
    PlanResponse,
    ScoreRequest,
    ScoreResponse,
)
from serving.guard.access_policy import policy_from_environment
from serving.guard.guard import REFUSALS, Guard
from serving.hot_reload import refreshing
from serving.responses import ResponseContent, Unavailable
from serving.row_contract import RowsRequest, RowsResponse

JSON = "application/json"
UNUSED_MIDDLEWARE = ("OpenTelemetryMiddleware", "TimeoutMiddleware")
"""BentoML middleware that costs a third and a twentieth of a request: tracing is off, and the guard has timeouts."""

get_routes = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
"""Routes for GET, which BentoML's own routes do not support."""


@get_routes.get("/v1/model")
async def model() -> ModelResponse:
    """The model and the batch of scores in service."""
    return ModelResponse.model_validate(settings.responses().describe())


@get_routes.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Prometheus metrics."""
    return Response(prometheus.metrics_text(settings.responses()), media_type=prometheus.CONTENT_TYPE)


@bentoml.service(
    name="stayworth",
    workers=1,
    # BentoML's metrics and access log come before the guard, and record every path that a client sends.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(get_routes, path="/")
class Scoring:
    """Churn probabilities, customer values and retention plans."""

    is_guarded = False
    """True if `app` runs it."""

    def __init__(self) -> None:
        if not self.is_guarded:
            self.refuse()
        self.responses = settings.responses()
        self.running = ExitStack()
        # One thread each: with several computing threads, the one that answers "busy" would wait for its turn.
        self.model_thread, self.plan_thread = (self.running.enter_context(ThreadPoolExecutor(1)) for _ in range(2))
        for name in Scoring.apis:  # type: ignore[attr-defined]  # BentoML binds each anew at every request
            setattr(self, name, getattr(self, name))

    @bentoml.on_deployment
    def refuse() -> None:
        """Stop `bentoml serve`, which calls this before it opens a port: there would be no guard."""
        raise InputError(
            "this service starts only behind its guard",
            where="bentoml serve",
            next="Start it with `stayworth serve`, or with `python -m serving` where the code is (docs/deployment.md).",
        )

    @bentoml.on_startup
    def begin(self) -> None:
        """Load model and scores before the first request, and refresh them from now on."""
        reloads = (self.responses.model, self.responses.scores)
        for reload in reloads:
            reload.refresh()
        self.running.enter_context(refreshing(reloads))

    @bentoml.on_shutdown
    def end(self) -> None:
        """Stop refreshing."""
        self.running.close()

    def __is_ready__(self) -> bool:
        return self.responses.is_ready

    @bentoml.api(route="/v1/score")
    async def score(self, request: ScoreRequest, /) -> ScoreResponse:
        """Look up scores of the last batch. Ids without a score are listed as unknown."""
        return _respond(lambda: self.responses.score(request.customer_ids))

    @bentoml.api(route="/v1/score_histories")
    async def score_histories(self, request: HistoriesRequest, /) -> ScoreResponse:
        """Score raw orders and interactions, with the code that scores a batch. Nothing is stored."""
        return await _respond_in(self.model_thread, lambda: self.responses.score_histories(request))

    @bentoml.api(route="/v1/score_rows")
    async def score_rows(self, request: RowsRequest, /) -> RowsResponse:
        """Score rows of a label table, one customer each, by its own columns. Nothing is stored."""
        return await _respond_in(self.model_thread, lambda: self.responses.score_rows(request))

    @bentoml.api(route="/v1/explain")
    async def explain(self, request: ExplainRequest, /) -> ExplainResponse:
        """Explain scores: the contributions to churn probability, expected value and gain."""
        return await _respond_in(self.model_thread, lambda: self.responses.explain(request.customer_ids))

    @bentoml.api(route="/v1/plan")
    async def plan(self, request: PlanRequest, /) -> PlanResponse:
        """Plan a campaign: the customers to contact under a budget, and the expected profit. Nothing is written."""
        return await _respond_in(self.plan_thread, lambda: self.responses.plan(request))


def app() -> Guard:
    """The ASGI application: the guard in front of all routes."""
    logging.getLogger("bentoml._internal.server.http_app").addFilter(_log_framework_error)
    Scoring.inner.is_guarded = True  # type: ignore[attr-defined]
    routes = Scoring.to_asgi()  # type: ignore[attr-defined]
    for application in (routes, get_routes):
        application.add_exception_handler(HTTPException, _no_route)
    policy = policy_from_environment(os.environ)
    contract = to_json(
        openapi.openapi_document(
            _documented_routes(), refusals={status: text.format(policy=policy) for status, text in REFUSALS.values()}
        )
    )
    # Before BentoML's own description, which names no errors, no token and no units.
    routes.router.routes.insert(0, Route("/docs.json", lambda _: Response(contract, media_type=JSON)))
    routes.user_middleware = [
        middleware for middleware in routes.user_middleware if middleware.cls.__name__ not in UNUSED_MIDDLEWARE
    ]
    return Guard(routes, policy, record=_record_request)


def _documented_routes() -> Iterator[openapi.DocumentedRoute]:
    """The routes to describe, read off the functions that response."""
    for api in Scoring.apis.values():  # type: ignore[attr-defined]
        types = get_type_hints(api.func)
        yield openapi.DocumentedRoute(api.route, cleandoc(api.doc), types["request"], types["return"])
    yield openapi.DocumentedRoute("/v1/model", cleandoc(model.__doc__ or ""), None, ModelResponse)


async def _respond_in(thread: ThreadPoolExecutor, make: Callable[[], ResponseContent]) -> Any:
    """Run `_respond` in a thread, with the context of the request's log record."""
    return await asyncio.get_running_loop().run_in_executor(thread, copy_context().run, _respond, make)


def _respond(make: Callable[[], ResponseContent]) -> Any:
    """A response as JSON; an error says why there is none."""
    try:
        response = make()
    except StayworthError as error:
        status = 503 if isinstance(error, Unavailable) else 422
        return Response(to_json({"error": str(error)}), status, media_type=JSON)
    access_log.note_answer(rows=response.rows, model_version=response.model_version)
    if log := settings.score_log():
        log.note(response.content.get("scores", ()))
    return Response(to_json(response.content), media_type=JSON)


def _no_route(request: Request, error: Exception) -> Response:
    """Answer a request for an unknown route or method, in JSON like every other error."""
    assert isinstance(error, HTTPException)
    reason = {404: "there is no such route", 405: f"this route does not accept {request.method}"}.get(error.status_code)
    content = {"error": f"{reason}; GET /docs.json lists all routes" if reason else error.detail}
    return Response(to_json(content), error.status_code, error.headers, media_type=JSON)


def _record_request(record: RequestRecord) -> None:
    """Log and count a request, whatever its outcome."""
    access_log.write_request(record)
    prometheus.count_request(record)


def _log_framework_error(record: logging.LogRecord) -> bool:
    """Replace BentoML's log line about an error, which may hold content of a request, by the type of the error."""
    error = record.exc_info[1] if record.exc_info else None
    if error and not isinstance(error, ValidationError):  # which is the client's mistake, and reported to the client
        access_log.write_event({"event": "error", "type": type(error).__name__})
    return False
