"""`stayworth console`: the retention team's pages, on this machine's own address unless told otherwise."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pipelines.options import DEFAULT_CONFIG, ConfigFile
from pipelines.serve_cli import Hosts, Port


def console(
    config: ConfigFile = DEFAULT_CONFIG,
    port: Port = 3001,
    host: Annotated[str, typer.Option(help="Address to listen on; another than this machine's own needs --hosts.")] = (
        "127.0.0.1"
    ),
    hosts: Hosts = None,
    tokens: Annotated[
        Path | None, typer.Option(metavar="FILE", help='Named tokens: lines of name = "sha256:…"; read anew on change.')
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate with its chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")] = 1,
    bundle: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Use this model, not the registry's champion.")
    ] = None,
) -> None:
    """Open the retention team's pages in a browser: who is at risk and why, campaigns, the model's health.

    The token comes from STAYWORTH_TOKEN or --tokens; with neither, the link that is printed holds one.

    Example: stayworth console --port 3001
    """
    from pipelines import store
    from pipelines.config import load
    from pipelines.serve_cli import campaigns
    from serving import fetch, launch, settings

    read = load(config)
    scores, model = read.folder / store.SERVED_SCORES, bundle or read.folder / store.SERVED
    told = settings.told(scores=scores, model=model, campaigns=campaigns(read), shop=read.log, folder=read.folder)
    with fetch.following(None if bundle else read.tracking_uri, model, at_once=not scores.exists()):
        launch.serve(
            port=port,
            token=os.environ.get("STAYWORTH_TOKEN"),
            tokens_file=tokens,
            host=host,
            hosts=hosts.split(",") if hosts else (),
            tls_cert=tls_cert,
            tls_key=tls_key,
            processes=workers,
            told=told,
            app="serving.console.app:app",
            welcome=welcome,
        )


def welcome(url: str, token: str) -> str:
    """What is printed: the address to open, with the token where we made one. It stands behind #, which no browser
    sends anywhere."""
    if token.startswith("$"):
        return f"The console is on {url} (ctrl-C ends it). Open it in a browser and log in with your token."
    return f"The console is ready (ctrl-C ends it). Open it in a browser:\n  {url}/login#token={token}"
