"""Logging in and out: a token of the service is exchanged for a cookie; no session is stored."""

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
    """The token sent by the login form."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)
    token: str = Field(max_length=1024)


@router.get("/login")
def form(request: Request, next: str = "/", why: str = "") -> HTMLResponse:
    """Render the login form."""
    context = browsers.NO_CALLER | {"path": "/login"}
    return pages.render(request, "login.html.j2", next=local_path(next), ended=why == "ended", **context)


@router.post("/login")
async def log_in(request: Request, submitted: TokenForm) -> Response:
    """Check a token; answer 204 with the cookie, or 401."""
    policy: AccessPolicy = request.app.state.policy
    if not policy.tokens.name_of(submitted.token.encode(), now_s=asyncio.get_running_loop().time()):
        return JSONResponse({"error": "This token is not valid. Check that you copied all of it."}, 401)
    cookie = browsers.token_cookie(submitted.token, origin=request.headers.get("origin"))
    return Response(status_code=204, headers={"set-cookie": cookie})


@router.get("/livez")
def livez() -> Response:
    """Answer that the process is alive; needs no token."""
    return Response("ok\n")


@router.get("/data/session")
def session() -> Response:
    """Answer 204 if the cookie is valid: the guard refuses all other requests."""
    return Response(status_code=204)


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Remove the cookie."""
    expired = browsers.expired_cookie(origin=request.headers.get("origin"))
    return Response(status_code=204, headers={"set-cookie": expired})


def local_path(address: str) -> str:
    """The address if it is a path of the console, otherwise the first page.

    >>> local("/customers/7?x=1"), local("//evil.example"), local("https://evil.example"), local("/\\\\evil.example")
    ('/customers/7?x=1', '/', '/', '/')
    """
    ours = re.fullmatch(r"/(?!/)[!-\[\]-~]*", address) is not None
    return address if ours and not urlsplit(address).netloc and not address.startswith("/login") else "/"
