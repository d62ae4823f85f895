"""The service and the console: told what a config says, then started (serving/processes/launch.py)."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines import run_folder
from pipelines.config import Config
from pipelines.plan import do_not_contact
from pipelines.shop_files.project_config import ProjectConfig
from serving import fetch, settings
from serving.guard.access_policy import AccessPolicy
from serving.processes import launch
from serving.responses import CampaignSettings


@dataclass(frozen=True)
class Listening:
    """Address, hosts and limits of a service, as the options of `serve` and `console` give them."""

    port: int
    host: str
    hosts: str | None
    """Host names that clients use, with commas between them."""
    tokens_file: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    workers: int


def serve_scores(config: ProjectConfig, listening: Listening, *, bundle: Path | None, most_in_flight: int) -> None:
    """Serve a shop's latest scores by this bundle or the registry's champion until ctrl-C."""
    scores, model = _places(config, bundle)
    environment = settings.worker_environment(
        scores=scores,
        model=model,
        campaigns=campaigns(config),
        log=config.folder / run_folder.SCORE_LOG,
        order_log=config.log if isinstance(config, Config) and config.data.treatments else None,
    )
    with _following(config, bundle, scores, model):
        _serve(listening, environment=environment, most_in_flight=most_in_flight)


def serve_console(
    config: Config, listening: Listening, *, bundle: Path | None, welcome: Callable[[str, str], str]
) -> None:
    """Serve the retention team's pages until ctrl-C; welcome: the text printed once they answer, by URL and token."""
    scores, model = _places(config, bundle)
    environment = settings.worker_environment(
        scores=scores, model=model, campaigns=campaigns(config), order_log=config.log, folder=config.folder
    )
    with _following(config, bundle, scores, model):
        _serve(listening, environment=environment, app="serving.console.app:app", welcome=welcome)


def _serve(
    listening: Listening,
    *,
    environment: Mapping[str, str],
    most_in_flight: int = AccessPolicy.most_in_flight,
    app: str = launch.APP,
    welcome: Callable[[str, str], str] = launch.service_welcome,
) -> None:
    """Launch an application at this address, with the token of the environment; arguments as of `launch.serve`."""
    launch.serve(
        port=listening.port,
        token=os.environ.get("STAYWORTH_TOKEN"),
        tokens_file=listening.tokens_file,
        host=listening.host,
        hosts=listening.hosts.split(",") if listening.hosts else [],
        tls_cert=listening.tls_cert,
        tls_key=listening.tls_key,
        processes=listening.workers,
        most_in_flight=most_in_flight,
        environment=environment,
        app=app,
        welcome=welcome,
    )


def campaigns(config: ProjectConfig) -> CampaignSettings:
    """The config's settings of campaigns, for plans on request."""
    listed = do_not_contact(config)
    return CampaignSettings(
        tuple(config.offers),
        config.plan.holdout_share,
        config.plan.salt,
        capacities=config.plan.capacity,
        do_not_contact=str(listed.resolve()) if listed else None,
        plans=str((config.folder / run_folder.PLANS).resolve()),
        quiet_days=config.plan.quiet_days,
    )


def _places(config: ProjectConfig, bundle: Path | None) -> tuple[Path, Path]:
    """The store of the latest scores, and the folder of the model."""
    return config.folder / run_folder.SERVED_SCORES, bundle or config.folder / run_folder.SERVED


@contextmanager
def _following(config: ProjectConfig, bundle: Path | None, scores: Path, model: Path) -> Iterator[None]:
    """Keep the folder of the model up to date with the registry's champion, unless a bundle was named."""
    with fetch.following(None if bundle else config.tracking_uri, model, at_once=not scores.exists()):
        yield
