"""The smallest application behind the guard: it answers with the number of its process; /slow takes two seconds."""

import asyncio
import os

from features.errors import InputError
from serving.guard.access_policy import policy_from_environment
from serving.guard.guard import Guard


async def behind(scope, receive, send):
    if scope["type"] == "lifespan":
        for done in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{done}.complete"})
        return
    await receive()
    if scope["path"] == "/slow":
        await asyncio.sleep(2)
    body = str(os.getpid()).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


def app():
    return Guard(behind, policy_from_environment(os.environ))


def failing():
    raise InputError("these scores are torn", where="scores.parquet")
