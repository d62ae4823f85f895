"""Style sheets and scripts; served without a token, since they hold no data of the shop."""

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request, Response

from retention.presentation import theme

HERE = Path(__file__).parent
GENERATED = {"plotly.js": theme.script, "draws.js": lambda: theme.DRAW_SCRIPT}
KINDS = {".css": "text/css", ".js": "text/javascript"}
NAMES = frozenset({*GENERATED, *(file.name for file in HERE.iterdir() if file.suffix in KINDS)})
PATHS = frozenset(f"/static/{name}" for name in NAMES)

router = APIRouter()


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    """Send a style sheet or a script, gzipped if the browser accepts it; browsers keep it for a year (see `asset`)."""
    if name not in NAMES:
        return Response("there is no such file", 404)
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}
    kind = KINDS[Path(name).suffix]
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(_packed(name), headers=headers | {"content-encoding": "gzip"}, media_type=kind)
    return Response(_content(name), headers=headers, media_type=kind)


def asset(name: str) -> str:
    """The address of a file, which changes whenever its content changes."""
    return f"/static/{name}?v={_version(name)}"


@cache
def _content(name: str) -> bytes:
    return GENERATED[name]().encode() if name in GENERATED else (HERE / name).read_bytes()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_content(name), 6, mtime=0)


@cache
def _version(name: str) -> str:
    return sha256(_content(name)).hexdigest()[:12]
