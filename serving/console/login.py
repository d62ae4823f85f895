"""Logging in and out: a token of the service against a cookie; nothing is kept here."""

import asyncio
import re
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from serving.console import browsers, pages
from serving.guard.access_policy import AccessPolicy

router = APIRouter()


class TokenForm(BaseModel):
    """A token somebody brings."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    token: str = Field(max_length=1024)


@router.get("/login")
def form(request: Request, next: str = "/", why: str = "") -> HTMLResponse:
    """Where a token is asked for."""
    nobody = browsers.NO_CALLER | {"path": "/login"}
    return pages.render(request, "login.html.j2", next=local_path(next), ended=why == "ended", **nobody)


@router.post("/login")
async def log_in(request: Request, shown: TokenForm) -> Response:
    """204 with the cookie, or 401."""
    policy: AccessPolicy = request.app.state.policy
    if not policy.tokens.name_of(shown.token.encode(), now_s=asyncio.get_running_loop().time()):
        return JSONResponse({"error": "This is no valid token. Check that it was copied whole."}, 401)
    given = browsers.token_cookie(shown.token, origin=request.headers.get("origin"))
    return Response(status_code=204, headers={"set-cookie": given})


@router.get("/livez")
def livez() -> Response:
    """That the process lives; open to everybody."""
    return Response("ok\n")


@router.get("/data/session")
def session() -> Response:
    """204 where the cookie is good: behind the guard nobody else arrives."""
    return Response(status_code=204)


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Take the cookie away."""
    gone = browsers.expired_cookie(origin=request.headers.get("origin"))
    return Response(status_code=204, headers={"set-cookie": gone})


def local_path(place: str) -> str:
    """The place if it is a path of ours, else the first page.

    >>> local("/customers/7?x=1"), local("//evil.example"), local("https://evil.example"), local("/\\\\evil.example")
    ('/customers/7?x=1', '/', '/', '/')
    """
    ours = re.fullmatch(r"/(?!/)[!-\[\]-~]*", place) is not None
    return place if ours and not urlsplit(place).netloc and not place.startswith("/login") else "/"
