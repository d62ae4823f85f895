"""The command that answers applications: `stayworth serve`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.commands.options import DEFAULT_CONFIG, ConfigFile

if TYPE_CHECKING:
    from pipelines.config import Config
    from serving.responses import Campaigns

Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for a free one.")]
Host = Annotated[str, typer.Option(help="Address to listen on; another than this machine's own needs --hosts.")]
Hosts = Annotated[str | None, typer.Option(metavar="NAMES", help="Host names callers use: scores.example,10.0.0.5")]
Tokens = Annotated[
    Path | None, typer.Option(metavar="FILE", help='Named tokens: lines of name = "sha256:…"; read anew on change.')
]
Certificate = Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate with its chain, PEM.")]
Key = Annotated[Path | None, typer.Option(metavar="FILE", help="Its key, PEM.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Processes that answer.")]
Bundle = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Use this model, not the registry's champion.")]
THIS_MACHINE = "127.0.0.1"


def serve(
    config: ConfigFile = DEFAULT_CONFIG,
    port: Port = 3000,
    host: Host = THIS_MACHINE,
    hosts: Hosts = None,
    tokens: Tokens = None,
    tls_cert: Certificate = None,
    tls_key: Key = None,
    workers: Workers = 1,
    most_in_flight: Annotated[int, typer.Option(min=1, help="Requests that each answers at once; more get 429.")] = 64,
    bundle: Bundle = None,
) -> None:
    """Serve the latest scores and the champion over HTTP; the token comes from STAYWORTH_TOKEN or is made and shown.

    Example: stayworth serve --port 3000
    """
    from pipelines import run_folder
    from pipelines.config import load

    read = load(config)
    listen(
        read,
        bundle,
        {"log": read.folder / run_folder.SCORE_LOG},
        port=port,
        host=host,
        hosts=hosts,
        tokens_file=tokens,
        tls_cert=tls_cert,
        tls_key=tls_key,
        processes=workers,
        most_in_flight=most_in_flight,
    )


def listen(read: "Config", bundle: Path | None, told: Mapping[str, Any], *, hosts: str | None, **how: Any) -> None:
    """Serve a shop's latest scores by this bundle or the registry's champion until ctrl-C.

    told: what `serving.settings.told` passes on beside scores, model and campaigns; how: for
    `serving.processes.launch.serve`.
    """
    from pipelines import run_folder
    from serving import fetch, settings
    from serving.processes import launch

    scores, model = read.folder / run_folder.SERVED_SCORES, bundle or read.folder / run_folder.SERVED
    environment = settings.told(scores=scores, model=model, campaigns=campaigns(read), **told)
    token = os.environ.get("STAYWORTH_TOKEN")
    with fetch.following(None if bundle else read.tracking_uri, model, at_once=not scores.exists()):
        launch.serve(token=token, hosts=hosts.split(",") if hosts else (), told=environment, **how)


def campaigns(read: "Config") -> "Campaigns":
    """What the config says of campaigns, for whoever plans on request."""
    from pipelines import run_folder
    from pipelines.plan import do_not_contact
    from serving.responses import Campaigns

    listed = do_not_contact(read)
    return Campaigns(
        tuple(read.offers),
        read.plan.holdout_share,
        read.plan.salt,
        capacities=read.plan.capacity,
        do_not_contact=str(listed.resolve()) if listed else None,
        plans=str((read.folder / run_folder.PLANS).resolve()),
        quiet_days=read.plan.quiet_days,
    )
