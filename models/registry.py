"""The registered model `stayworth` in MLflow: its versions, its aliases `champion` and `previous`, its bundles.

What comes out of here is a folder of files. It is `models.bundle.read` that checks and parses them; MLflow's own
`load_model` would run the code that lies beside them.
"""

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from features.errors import InputError

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "stayworth"
"""The registered model."""

BUNDLE = "artifacts/bundle"
"""Where the bundle lies within a logged model."""


@dataclass(frozen=True)
class Version:
    """One version of the registered model."""

    number: str
    aliases: tuple[str, ...]
    bundle: str
    """The first digits of the bundle's hash."""
    run_id: str | None


@contextmanager
def session(uri: str) -> Iterator["MlflowClient"]:
    """A client of a tracking server, or of a SQLite file, which is made if it is not there.

    MLflow's telemetry, pickles and log lines are off, and so is what its own code is warned of, which is neither
    ours nor the user's to mend. Its errors come out as InputError.
    """
    os.environ |= {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # of 7, which are four minutes
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"mlflow\.")
        import mlflow
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        try:
            yield mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        except (MlflowException, SQLAlchemyError) as error:
            what = _shown(" ".join(str(error).split()))
            raise InputError(f"MLflow says: {what}", where=_shown(uri), next="Check [tracking] uri.") from error


def versions(uri: str) -> list[Version]:
    """All versions, the newest first; empty if nothing was ever registered."""
    scheme, _, path = uri.partition(":///")
    if scheme == "sqlite" and not Path(path).exists():
        return []
    with session(uri) as client:
        found = client.search_model_versions(f"name = '{NAME}'")
        aliases = client.get_registered_model(NAME).aliases if found else {}
    listed = [
        Version(
            number=str(one.version),
            aliases=tuple(sorted(alias for alias, number in aliases.items() if str(number) == str(one.version))),
            bundle=one.tags.get("bundle", ""),
            run_id=one.run_id,
        )
        for one in found
    ]
    return sorted(listed, key=lambda one: int(one.number), reverse=True)


def find(uri: str, alias: str) -> Version:
    """The version with this alias; raises InputError if there is none."""
    for one in versions(uri):
        if alias in one.aliases:
            return one
    raise InputError(
        f"no model has the alias '{alias}'", where=_shown(uri), next="Make a model with `stayworth train`."
    )


def download(uri: str, alias: str, folder: Path) -> Path:
    """Fetch the bundle of the version with this alias into `folder`; returns where it lies, not yet checked."""
    number = find(uri, alias).number
    with session(uri) as client:
        from mlflow.artifacts import download_artifacts

        source = f"{client.get_model_version_download_uri(NAME, number)}/{BUNDLE}"
        return Path(download_artifacts(artifact_uri=source, dst_path=str(folder), tracking_uri=uri))


def register(client: "MlflowClient", *, source: str, run_id: str | None, model_id: str | None, bundle: str) -> str:
    """Make a logged model the newest version, without an alias; returns its number."""
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    made = client.create_model_version(NAME, source, run_id=run_id, model_id=model_id, tags={"bundle": bundle})
    return str(made.version)


def set_champion(uri: str, number: str) -> None:
    """Make this version the champion and the old one `previous`; with `previous` itself, that is a rollback.

    `previous` moves first: cut short between the two steps, the old champion still serves.
    """
    known = {one.number: one for one in versions(uri)}
    if number not in known:
        what = f"there is no version {number}; there are {', '.join(known) or 'none'}"
        raise InputError(what, where=_shown(uri), next="Name one of these.")
    with session(uri) as client:
        for one in known.values():
            if "champion" in one.aliases and one.number != number:
                client.set_registered_model_alias(NAME, "previous", one.number)
        client.set_registered_model_alias(NAME, "champion", number)


def _shown(text: str) -> str:
    """The text without what may be a password in a URI."""
    return re.sub(r"//[^/@\s]*@", "//…@", text)
