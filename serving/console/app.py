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
from serving.console.customer_index import CurrentIndex
from serving.console.history_reader import Busy, HistoryReader
from serving.guard.access_policy import policy_from_environment
from serving.guard.guard import Guard
from serving.hot_reload import refreshing
from serving.responses import Unavailable

PAGES = (
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
PAGE_THREADS = 4
"""Pages made at once; whoever asks beyond them waits for a moment."""


def app() -> Guard:
    """The guard in front of all pages there are."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_refreshed, redirect_slashes=False)
    inner.state.policy = policy_from_environment(os.environ)
    inner.state.customer_index = CurrentIndex(settings.responses().scores)
    inner.state.reader = HistoryReader(shop) if (shop := settings.order_log()) else None
    for room in PAGES:
        inner.include_router(room)
    inner.add_exception_handler(NoAnswer, _no_answer)
    inner.add_exception_handler(HTTPException, _no_answer)
    inner.add_exception_handler(RequestValidationError, _not_understood)
    inner.add_exception_handler(StayworthError, _refused)
    inner.add_exception_handler(Exception, _failed)
    return Guard(inner, inner.state.policy, client_kind=browsers.browser_clients(routes()))


def routes() -> frozenset[str]:
    """The paths of all pages as the journal names them: a customer's id is not a part of one."""
    paths = [str(one.path) for room in PAGES for one in room.routes if isinstance(one, APIRoute)]
    return frozenset(f"/{path.split('/')[1]}/…" if "{" in path else path for path in paths)


@asynccontextmanager
async def _refreshed(inner: FastAPI) -> AsyncIterator[None]:
    """Look for newer scores and a newer model as long as it runs."""
    current_default_thread_limiter().total_tokens = PAGE_THREADS
    answers = settings.responses()
    held = (answers.model, answers.scores, inner.state.customer_index)
    for one in held:
        one.refresh()
    with refreshing(held):
        yield
    if inner.state.reader:
        inner.state.reader.close()


def _no_answer(request: Request, error: Exception) -> Response:
    assert isinstance(error, NoAnswer)
    return _error_answer(request, error.status_code, str(error.detail))


def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    wrong = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors())
    return _error_answer(request, 422, f"this cannot be understood ({wrong[:500]})")


def _refused(request: Request, error: Exception) -> Response:
    return _error_answer(
        request, 503 if isinstance(error, Unavailable) else 429 if isinstance(error, Busy) else 422, str(error)
    )


def _failed(request: Request, _: Exception) -> Response:
    return _error_answer(request, 500, "this page failed; the console's journal says where")


def _error_answer(request: Request, status: int, error: str) -> Response:
    """A page or JSON that says what is wrong."""
    headers = {name.lower().encode(): value.encode("latin-1") for name, value in request.headers.items()}
    if not browsers.is_page(request.scope, headers):
        return JSONResponse({"error": error}, status)
    if status == 404:
        error = "there is no such page"
    return pages.render(request, "refused.html.j2", status=status, error=error)
