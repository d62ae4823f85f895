"""The console as an ASGI application: its pages behind the guard of the service.

Each page is a module with a `router` and templates that extend `page.html.j2`. Routes that answer in JSON or send a
file are under /data/ or /export/: without a token they answer 401, where a page redirects to the login.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as HttpError

from features.errors import StayworthError
from features.history_store.entry import HISTORIES
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
"""Pages rendered at once; further requests wait."""


def app() -> Guard:
    """The application: the guard in front of all pages."""
    inner = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=_refreshed, redirect_slashes=False)
    inner.state.policy = policy_from_environment(os.environ)
    inner.state.customer_index = CurrentIndex(settings.responses().scores)
    inner.state.reader = history_reader()
    for router in PAGES:
        inner.include_router(router)
    inner.add_exception_handler(HttpError, _http_error)
    inner.add_exception_handler(HTTPException, _http_error)
    inner.add_exception_handler(RequestValidationError, _invalid_request)
    inner.add_exception_handler(StayworthError, _stayworth_error)
    inner.add_exception_handler(Exception, _server_error)
    return Guard(inner, inner.state.policy, client_kind=browsers.browser_clients(routes()))


def history_reader() -> HistoryReader | None:
    """The reader of the log; None where the environment names none."""
    log = settings.order_log()
    return HistoryReader(log, settings.output_folder() / HISTORIES) if log else None


def routes() -> frozenset[str]:
    """The paths of all pages as the access log names them: without the id of a customer."""
    paths = [str(route.path) for router in PAGES for route in router.routes if isinstance(route, APIRoute)]
    return frozenset(f"/{path.split('/')[1]}/…" if "{" in path else path for path in paths)


@asynccontextmanager
async def _refreshed(inner: FastAPI) -> AsyncIterator[None]:
    """Refresh scores and model while the application runs."""
    current_default_thread_limiter().total_tokens = PAGE_THREADS
    responses = settings.responses()
    reloads = (responses.model, responses.scores, inner.state.customer_index)
    for reload in reloads:
        reload.refresh()
    with refreshing(reloads):
        yield
    if inner.state.reader:
        inner.state.reader.close()


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpError)
    return _error_answer(request, error.status_code, str(error.detail))


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    mistakes = "; ".join(f"{'.'.join(map(str, item['loc'][1:]))}: {item['msg']}" for item in error.errors())
    return _error_answer(request, 422, f"the request is not valid ({mistakes[:500]})")


def _stayworth_error(request: Request, error: Exception) -> Response:
    return _error_answer(
        request, 503 if isinstance(error, Unavailable) else 429 if isinstance(error, Busy) else 422, str(error)
    )


def _server_error(request: Request, _: Exception) -> Response:
    return _error_answer(request, 500, "this page failed; the console's log says where")


def _error_answer(request: Request, status: int, error: str) -> Response:
    """A page, or JSON, with the error."""
    headers = {name.lower().encode(): value.encode("latin-1") for name, value in request.headers.items()}
    if not browsers.is_page(request.scope, headers):
        return JSONResponse({"error": error}, status)
    if status == 404:
        error = "there is no such page"
    sentences = ". ".join(line.strip() for line in error.splitlines())
    return pages.render(request, "refused.html.j2", status=status, error=sentences)
