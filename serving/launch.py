"""Starting the service on this machine, for callers on this machine.

The service's application runs under uvicorn, in this process. `bentoml serve` would put its process manager
above it, and that listens on a second port for commands from anyone on the machine, without a token
(BentoML 1.4.39: `circusctl --endpoint tcp://127.0.0.1:PORT add --start any "any command"` runs it as us).
"""

import os
import re
import secrets
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from features.errors import InputError, StayworthError
from serving import lookup

HOST = "127.0.0.1"


def serve(scores: Path, *, port: int, token: str | None) -> None:
    """Answer for `scores` on 127.0.0.1 until ctrl-C or SIGTERM; port 0 takes a free one.

    Without a token one is made, and told once.
    """
    lookup.load(scores)
    if token and not re.fullmatch(r"[!-~]+", token):
        raise InputError(
            "the token cannot be sent in a header",
            where="STAYWORTH_TOKEN",
            next="Use printable ASCII characters without spaces.",
        )
    key = token or secrets.token_urlsafe(24)
    with _listening(port) as door, _stopped_by_signals():
        os.environ |= {
            "STAYWORTH_SCORES": str(scores),
            "STAYWORTH_TOKEN": key,
            "BENTOML_DO_NOT_TRACK": "true",
            "OTEL_SDK_DISABLED": "true",
        }
        from serving.service import app

        server = _Server(
            uvicorn.Config(
                app(),
                lifespan="on",
                ws="none",
                log_config=None,
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=10,
            )
        )
        server.welcome = _welcome(door.getsockname()[1], token=key if not token else "$STAYWORTH_TOKEN")
        server.run(sockets=[door])
        if not server.started:
            raise StayworthError("the service did not start", next="What it said stands above.")


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    welcome = ""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(self.welcome, flush=True)


def _welcome(port: int, *, token: str) -> str:
    url = f"http://{HOST}:{port}"
    return (
        f"Scores are served on {url} (ctrl-C ends it). Ask for some:\n"
        f"""  curl {url}/v1/score -H "Authorization: Bearer {token}" -H "Content-Type: application/json" """
        """-d '{"customer_ids": ["00001"]}'"""
    )


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    # Named as TCP, or asyncio leaves Nagle's delay on: 40 ms an answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind((HOST, port))
            door.listen()
        except (OSError, OverflowError) as error:
            raise InputError(
                f"cannot listen on port {port} ({error})", next="Choose another with --port, or 0 for a free one."
            ) from error
        yield door


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Ctrl-C and SIGTERM end the block once the server has drained, and are no error."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
