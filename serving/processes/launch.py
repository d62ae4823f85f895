"""Launch of the service: address, tokens and TLS are checked here, before anything listens.

On the loopback address a token is enough, and one is made if none is given. Any other address needs tokens and the
list of host names that clients use. The service runs under uvicorn, never under `bentoml serve` (docs/decisions/0004).
"""

import ipaddress
import os
import secrets
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from features.errors import InputError
from serving import access_log
from serving.guard import tokens
from serving.guard.access_policy import AccessPolicy, host_names
from serving.processes import workers

HOST = "127.0.0.1"
APP = "serving.service:app"


def service_welcome(url: str, token: str) -> str:
    """The text printed once the service answers; token: a new token, or the variable that holds it."""
    return (
        f"Scores are served on {url} (ctrl-C ends it). Request some, with ids of your customers:\n"
        f"""  curl {url}/v1/score -H "Authorization: Bearer {token}" -H "Content-Type: application/json" """
        """-d '{"customer_ids": ["00001"]}'"""
    )


def serve(
    *,
    port: int,
    token: str | None,
    tokens_file: Path | None = None,
    host: str = HOST,
    hosts: Sequence[str] = (),
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    processes: int = 1,
    most_in_flight: int = AccessPolicy.most_in_flight,
    environment: Mapping[str, str] = {},
    app: str = APP,
    welcome: Callable[[str, str], str] = service_welcome,
) -> None:
    """Serve on `host` until ctrl-C or SIGTERM; port 0 takes a free one.

    Without a token or a file of them one is made, and shown once. `most_in_flight` counts requests in each of the
    `processes`. `environment` holds further variables for them, `app` is what makes the application; `welcome` says
    what is printed once it answers, by its address and the token (`$NAME` where it was given).
    """
    credentials = _credentials(token, tokens_file)
    names = sorted(host_names(hosts))
    address = _address(host, is_protected=bool(credentials and names))
    if token and not address.is_loopback:
        _refuse_guessable(token)
    host_name = names[0] if not address.is_loopback else f"[{address}]" if address.version == 6 else str(address)
    tls = _tls(tls_cert, tls_key)
    new_token = {} if credentials else {"STAYWORTH_TOKEN": secrets.token_urlsafe(24)}
    shown_token = new_token.get("STAYWORTH_TOKEN") or ("$STAYWORTH_TOKEN" if token else "$TOKEN")
    with _listening(address, port) as listener, _stopped_by_signals(), _metrics_folder(processes):
        os.environ |= {
            "STAYWORTH_TOKEN": "",
            "STAYWORTH_TOKENS": "",
            **credentials,
            **new_token,
            "STAYWORTH_HOSTS": ",".join({*names, host_name}),
            "STAYWORTH_MOST_IN_FLIGHT": str(most_in_flight),
            "BENTOML_DO_NOT_TRACK": "true",
            "OTEL_SDK_DISABLED": "true",
            **environment,
        }
        access_log.write_to(sys.stderr)
        if not tls and not address.is_loopback:
            print(
                "Without --tls-cert and --tls-key, anyone on the network can read tokens and scores. "
                "Give both, or put a proxy with TLS in front.",
                file=sys.stderr,
                flush=True,
            )
        url = f"{'https' if tls else 'http'}://{host_name}:{listener.getsockname()[1]}"
        ready = partial(print, welcome(url, shown_token), flush=True)
        if processes == 1:
            workers.serve_in_process(app, listener, tls=tls, ready=ready)
        else:
            workers.supervise(app, listener, processes, tls=tls, ready=ready)


def _credentials(token: str | None, file: Path | None) -> dict[str, str]:
    """Check the tokens; returns the environment variables that pass them to the workers, empty without tokens."""
    if token and file:
        raise InputError(
            "there are two sources of tokens, STAYWORTH_TOKEN and --tokens",
            where="stayworth serve",
            next="Remove one of them.",
        )
    if file:
        tokens.tokens_from_file(file)
        return {"STAYWORTH_TOKENS": str(file.resolve())}
    if token:
        tokens.single_token(token)
        return {"STAYWORTH_TOKEN": token}
    return {}


def _refuse_guessable(token: str) -> None:
    if len(token) < tokens.MIN_TOKEN_LENGTH:
        raise InputError(
            f"the token has {len(token)} characters, and other machines can guess it",
            where="STAYWORTH_TOKEN",
            next=f"Use {tokens.MIN_TOKEN_LENGTH} or more: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )


def _address(host: str, *, is_protected: bool) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address(HOST if host == "localhost" else host.strip("[]"))
    except ValueError as error:
        raise InputError(
            f"{host[:100]!r} is not an IP address",
            where="--host",
            next="Use an address of this machine: 127.0.0.1, ::1, or 0.0.0.0 for all of them.",
        ) from error
    if not address.is_loopback and not is_protected:
        raise InputError(
            f"{address} can be reached from other machines, so it needs tokens and a list of host names",
            where="--host",
            next="Give tokens with STAYWORTH_TOKEN or --tokens FILE, and the names clients use with --hosts NAME,NAME.",
        )
    return address


def _tls(certificate: Path | None, key: Path | None) -> workers.Tls:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise InputError(
            "a certificate and its key go together",
            where="--tls-cert" if certificate is None else "--tls-key",
            next="Give --tls-cert FILE and --tls-key FILE.",
        )

    def no_password() -> bytes:
        raise InputError("the key has a password", where=str(key), next="Give a key without one, mode 600.")

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=no_password)
    except OSError as error:
        missing = next((file for file in (certificate, key) if not file.is_file()), None)
        raise InputError(
            f"there is no such file ({error.strerror})" if missing else f"not a certificate with its key ({error})",
            where=str(missing or certificate),
            next="Give PEM files: the certificate with its chain, and the key that belongs to it.",
        ) from error
    return str(certificate.resolve()), str(key.resolve())


@contextmanager
def _listening(address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    # Declared as TCP, or asyncio leaves Nagle's algorithm on, which delays each response by 40 ms.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((str(address), port))
            listener.listen()
        except (OSError, OverflowError) as error:
            raise InputError(
                f"cannot listen on port {port} of {address} ({error})",
                next="Choose another with --port, or 0 for a free one.",
            ) from error
        yield listener


@contextmanager
def _metrics_folder(processes: int) -> Iterator[None]:
    """A folder where several processes add up their metrics while the block lasts."""
    if processes == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="stayworth-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        yield


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """End the block without an error on Ctrl-C or SIGTERM, once the server has drained."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    # Ctrl-C too: a shell that starts a process in the background makes it ignore Ctrl-C.
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
