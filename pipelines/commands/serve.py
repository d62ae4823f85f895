"""The options of `stayworth serve`."""

from typing import Annotated

import typer

from pipelines.commands.options import (
    DEFAULT_CONFIG,
    LOOPBACK,
    Bundle,
    Certificate,
    ConfigFile,
    Host,
    Hosts,
    Key,
    Port,
    Tokens,
    Workers,
)


def serve(
    config: ConfigFile = DEFAULT_CONFIG,
    port: Port = 3000,
    host: Host = LOOPBACK,
    hosts: Hosts = None,
    tokens: Tokens = None,
    tls_cert: Certificate = None,
    tls_key: Key = None,
    workers: Workers = 1,
    most_in_flight: Annotated[
        int, typer.Option(min=1, help="Requests that each worker answers at once; further ones get 429.")
    ] = 64,
    bundle: Bundle = None,
) -> None:
    """Serve the latest scores and the champion over HTTP.

    The token comes from STAYWORTH_TOKEN or --tokens; with neither, one is made and printed.

    Example: stayworth serve --port 3000
    """
    from pipelines.labelled.label_config import load_either
    from pipelines.serve import Listening, serve_scores

    listening = Listening(port, host, hosts, tokens, tls_cert, tls_key, workers)
    serve_scores(load_either(config), listening, bundle=bundle, most_in_flight=most_in_flight)
