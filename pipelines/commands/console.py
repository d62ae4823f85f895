"""`stayworth console`: the retention team's pages, on this machine's own address unless told otherwise."""

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile
from pipelines.commands.serve import THIS_MACHINE, Bundle, Certificate, Host, Hosts, Key, Port, Tokens, Workers, listen


def console(
    config: ConfigFile = DEFAULT_CONFIG,
    port: Port = 3001,
    host: Host = THIS_MACHINE,
    hosts: Hosts = None,
    tokens: Tokens = None,
    tls_cert: Certificate = None,
    tls_key: Key = None,
    workers: Workers = 1,
    bundle: Bundle = None,
) -> None:
    """Open the retention team's pages in a browser: who is at risk and why, campaigns, the model's health.

    The token comes from STAYWORTH_TOKEN or --tokens; with neither, the link that is printed holds one.

    Example: stayworth console --port 3001
    """
    from pipelines.config import load

    read = load(config)
    listen(
        read,
        bundle,
        {"shop": read.log, "folder": read.folder},
        port=port,
        host=host,
        hosts=hosts,
        tokens_file=tokens,
        tls_cert=tls_cert,
        tls_key=tls_key,
        processes=workers,
        app="serving.console.app:app",
        welcome=welcome,
    )


def welcome(url: str, token: str) -> str:
    """What is printed: the address to open, with the token where we made one. It stands behind #, which no browser
    sends anywhere."""
    if token.startswith("$"):
        return f"The console is on {url} (ctrl-C ends it). Open it in a browser and log in with your token."
    return f"The console is ready (ctrl-C ends it). Open it in a browser:\n  {url}/login#token={token}"
