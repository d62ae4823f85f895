"""The options of `stayworth console`."""

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


def console(
    config: ConfigFile = DEFAULT_CONFIG,
    port: Port = 3001,
    host: Host = LOOPBACK,
    hosts: Hosts = None,
    tokens: Tokens = None,
    tls_cert: Certificate = None,
    tls_key: Key = None,
    workers: Workers = 1,
    bundle: Bundle = None,
) -> None:
    """Serve the retention team's web pages: who is at risk and why, campaigns, the model's health.

    The token comes from STAYWORTH_TOKEN or --tokens; with neither, the printed link contains one.

    Example: stayworth console --port 3001
    """
    from pipelines.config import load
    from pipelines.screens.console import welcome
    from pipelines.serve import Listening, serve_console

    listening = Listening(port, host, hosts, tokens, tls_cert, tls_key, workers)
    serve_console(load(config), listening, bundle=bundle, welcome=welcome)
