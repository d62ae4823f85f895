"""The BentoML service: routes and what they need to be fast. The only file that knows BentoML.

One service without `depends` (BentoML's inner services take pickle), no files and no URLs as input. What it serves and
who may ask come by environment (serving/settings.py). An answer is made into JSON here, by pydantic's own serialiser,
and handed over as bytes: BentoML would build a model of it and its schema first. What else of BentoML's is left out for
speed: docs/decisions/0012.
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

JSON = "application/json"
UNUSED_MIDDLEWARE = ("OpenTelemetryMiddleware", "TimeoutMiddleware")
"""Of BentoML's, a third and a twentieth of a request's work: tracing is off, and the guard keeps time."""

get_routes = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
"""What is asked for with GET, which BentoML's own routes are not."""


@get_routes.get("/v1/model")
async def model() -> ModelResponse:
    """The model that answers, and the batch of scores that is looked up."""
    return ModelResponse.model_validate(settings.responses().describe())


@get_routes.get("/metrics", include_in_schema=False)
def metrics() -> Response:
    """Prometheus metrics."""
    return Response(prometheus.metrics_text(settings.responses()), media_type=prometheus.CONTENT_TYPE)


@bentoml.service(
    name="stayworth",
    workers=1,
    # BentoML's metrics and access log stand before the guard and keep every path a stranger asks for.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
)
@bentoml.asgi_app(get_routes, path="/")
class Scoring:
    """Who is about to leave, and what they are worth."""

    is_guarded = False
    """Whether it is `app` that runs it."""

    def __init__(self) -> None:
        if not self.is_guarded:
            self.refuse()
        self.answers = settings.responses()
        self.running = ExitStack()
        # A thread each: several that compute keep the one that answers "busy" waiting for its turn.
        self.of_model, self.of_plans = (self.running.enter_context(ThreadPoolExecutor(1)) for _ in range(2))
        for name in Scoring.apis:  # type: ignore[attr-defined]  # BentoML binds each anew at every request
            setattr(self, name, getattr(self, name))

    @bentoml.on_deployment
    def refuse() -> None:
        """Called by `bentoml serve` before it opens a port: no guard would stand in front of it there."""
        raise InputError(
            "this service starts only behind its guard",
            where="bentoml serve",
            next="Start it with `stayworth serve`, or with `python -m serving` where the code is (docs/deployment.md).",
        )

    @bentoml.on_startup
    def begin(self) -> None:
        """Have a model and scores before anybody asks, and look for newer ones from now on."""
        held = (self.answers.model, self.answers.scores)
        for one in held:
            one.refresh()
        self.running.enter_context(refreshing(held))

    @bentoml.on_shutdown
    def end(self) -> None:
        """Look no more."""
        self.running.close()

    def __is_ready__(self) -> bool:
        return self.answers.is_ready

    @bentoml.api(route="/v1/score")
    async def score(self, request: ScoreRequest, /) -> ScoreResponse:
        """The scores of these customers from the last batch; ids it does not hold are listed, not refused."""
        return _respond(lambda: self.answers.score(request.customer_ids))

    @bentoml.api(route="/v1/score_histories")
    async def score_histories(self, request: HistoriesRequest, /) -> ScoreResponse:
        """Scores from raw orders and interactions, by the code that scores a batch; nothing is stored."""
        return await _respond_in(self.of_model, lambda: self.answers.score_histories(request))

    @bentoml.api(route="/v1/explain")
    async def explain(self, request: ExplainRequest, /) -> ExplainResponse:
        """What adds up to the scores of these customers, in probability and in money."""
        return await _respond_in(self.of_model, lambda: self.answers.explain(request.customer_ids))

    @bentoml.api(route="/v1/plan")
    async def plan(self, request: PlanRequest, /) -> PlanResponse:
        """Whom to contact under a budget, and what that is expected to earn. Nothing is written."""
        return await _respond_in(self.of_plans, lambda: self.answers.plan(request))


def app() -> Guard:
    """The ASGI application: the guard in front of all routes there are."""
    logging.getLogger("bentoml._internal.server.http_app").addFilter(_log_framework_error)
    Scoring.inner.is_guarded = True  # type: ignore[attr-defined]
    routes = Scoring.to_asgi()  # type: ignore[attr-defined]
    for one in (routes, get_routes):
        one.add_exception_handler(HTTPException, _no_route)
    policy = policy_from_environment(os.environ)
    contract = to_json(
        openapi.openapi_document(
            _documented_routes(), refusals={status: text.format(policy=policy) for status, text in REFUSALS.values()}
        )
    )
    # Before BentoML's own, which names no error, no token and no unit.
    routes.router.routes.insert(0, Route("/docs.json", lambda _: Response(contract, media_type=JSON)))
    routes.user_middleware = [one for one in routes.user_middleware if one.cls.__name__ not in UNUSED_MIDDLEWARE]
    return Guard(routes, policy, record=_record_request)


def _documented_routes() -> Iterator[openapi.DocumentedRoute]:
    """The ways to ask, off the functions that answer."""
    for one in Scoring.apis.values():  # type: ignore[attr-defined]
        kinds = get_type_hints(one.func)
        yield openapi.DocumentedRoute(one.route, cleandoc(one.doc), kinds["request"], kinds["return"])
    yield openapi.DocumentedRoute("/v1/model", cleandoc(model.__doc__ or ""), None, ModelResponse)


async def _respond_in(thread: ThreadPoolExecutor, make: Callable[[], ResponseContent]) -> Any:
    """`_said` in that thread, by what the journal knows of the visit."""
    return await asyncio.get_running_loop().run_in_executor(thread, copy_context().run, _respond, make)


def _respond(make: Callable[[], ResponseContent]) -> Any:
    """An answer as JSON; one that cannot be given says why."""
    try:
        answer = make()
    except StayworthError as error:
        status = 503 if isinstance(error, Unavailable) else 422
        return Response(to_json({"error": str(error)}), status, media_type=JSON)
    access_log.note_answer(rows=answer.rows, model_version=answer.model_version)
    if log := settings.score_log():
        log.note(answer.content.get("scores", ()))
    return Response(to_json(answer.content), media_type=JSON)


def _no_route(request: Request, error: Exception) -> Response:
    """What has no route, or not by this method; in words like every other no."""
    assert isinstance(error, HTTPException)
    said = {404: "there is no such route", 405: f"this route does not take {request.method}"}.get(error.status_code)
    content = {"error": f"{said}; GET /docs.json names what there is" if said else error.detail}
    return Response(to_json(content), error.status_code, error.headers, media_type=JSON)


def _record_request(visit: RequestRecord) -> None:
    """Every request, whatever became of it."""
    access_log.write_request(visit)
    prometheus.count_request(visit)


def _log_framework_error(record: logging.LogRecord) -> bool:
    """BentoML's own line about an error may hold what a caller sent: only its type is written, and the line is not."""
    error = record.exc_info[1] if record.exc_info else None
    if error and not isinstance(error, ValidationError):  # which is the caller's mistake, and told to the caller
        access_log.write_event({"event": "error", "type": type(error).__name__})
    return False
