"""The console as an ASGI application: its rooms behind the guard of the service.

A room is a file with a `router` and templates that extend `page.html.j2`. What answers in JSON or sends a file is under
/data/ or /export/: without a token it says 401, where a page leads to the log-in.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as NoAnswer

from features.errors import StayworthError
from serving import settings
from serving.console import (
    at_risk,
    browsers,
    campaigns,
    customer,
    export,
    health,
    login,
    pages,
    plan_files,
    planner,
    static_files,
)
from serving.console.customer_index import Ranked
from serving.console.history_reader import Busy, Reader
from serving.guard.access_policy import of_environment
from serving.guard.guard import Guard
from serving.hot_reload import kept_fresh
from serving.responses import Unavailable

ROOMS = (
    static_files.router,
    login.router,
    at_risk.router,
    export.router,
    customer.router,
    planner.router,
    plan_files.router,
    campaigns.router,
    health.router,
)
THREADS = 4
"""Pages made at once; whoever asks beyond them waits for a moment."""


def app() -> Guard:
    """The guard in front of all pages there are."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_fresh, redirect_slashes=False)
    inner.state.door = of_environment(os.environ)
    inner.state.ranked = Ranked(settings.answers().scores)
    inner.state.reader = Reader(shop) if (shop := settings.shop()) else None
    for room in ROOMS:
        inner.include_router(room)
    inner.add_exception_handler(NoAnswer, _no_answer)
    inner.add_exception_handler(HTTPException, _no_answer)
    inner.add_exception_handler(RequestValidationError, _not_understood)
    inner.add_exception_handler(StayworthError, _told)
    inner.add_exception_handler(Exception, _failed)
    return Guard(inner, inner.state.door, callers=browsers.callers(routes()))


def routes() -> frozenset[str]:
    """The paths of all pages as the journal names them: a customer's id is not a part of one."""
    paths = [str(one.path) for room in ROOMS for one in room.routes if isinstance(one, APIRoute)]
    return frozenset(f"/{path.split('/')[1]}/…" if "{" in path else path for path in paths)


@asynccontextmanager
async def _fresh(inner: FastAPI) -> AsyncIterator[None]:
    """Look for newer scores and a newer model as long as it runs."""
    current_default_thread_limiter().total_tokens = THREADS
    answers = settings.answers()
    held = (answers.model, answers.scores, inner.state.ranked)
    for one in held:
        one.look()
    with kept_fresh(held):
        yield
    if inner.state.reader:
        inner.state.reader.close()


def _no_answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, NoAnswer)
    return _say(request, error.status_code, str(error.detail))


def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
    return _say(request, 422, f"this cannot be understood ({wrong[:500]})")


def _told(request: Request, error: Exception) -> Response:
    return _say(request, 503 if isinstance(error, Unavailable) else 429 if isinstance(error, Busy) else 422, str(error))


def _failed(request: Request, _: Exception) -> Response:
    return _say(request, 500, "this page failed; the console's journal says where")


def _say(request: Request, status: int, error: str) -> Response:
    """A page or JSON that says what is wrong."""
    headers = {name.lower().encode(): value.encode("latin-1") for name, value in request.headers.items()}
    if not browsers.is_page(request.scope, headers):
        return JSONResponse({"error": error}, status)
    if status == 404:
        error = "there is no such page"
    return pages.render(request, "refused.html.j2", status=status, error=error)
