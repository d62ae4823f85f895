"""The registered model `stayworth` in MLflow: its versions, its aliases `champion` and `previous`, its bundles.

This file returns a folder of files; `models.artifacts.bundle.read` checks and parses them. MLflow's own `load_model`
would run the code beside them.
"""

import hashlib
import logging
import os
import re
import secrets
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from features.errors import InputError

if TYPE_CHECKING:
    from mlflow import MlflowClient

NAME = "stayworth"
"""The registered model."""

BUNDLE = "artifacts/bundle"
"""The path of the bundle within a logged model."""


@dataclass(frozen=True)
class Version:
    """One version of the registered model."""

    number: str
    aliases: tuple[str, ...]
    bundle: str
    """The first digits of the bundle's hash."""
    run_id: str | None
    tags: Mapping[str, str]
    """Tags set when the version was made and when it was promoted."""


@contextmanager
def session(uri: str) -> Iterator["MlflowClient"]:
    """A client of a tracking server, or of a SQLite file, which is created if it does not exist.

    MLflow's telemetry, pickles and log lines are off, and so are warnings in its own code, which neither we nor users
    can fix. Its errors, and those of the disk and the network beneath it, are raised as InputError.
    """
    os.environ |= {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    }
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # instead of 7, which take four minutes
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"mlflow\.")
        import mlflow
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        for chatty in ("mlflow", "alembic"):
            logging.getLogger(chatty).setLevel(logging.ERROR)
        try:
            with _complete_database(uri):
                yield mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            what = shown(" ".join(str(error).split()))
            raise InputError(
                f"MLflow says: {what}", where=shown(uri), next="Check [tracking] uri, and the disk it is on."
            ) from error


@contextmanager
def _complete_database(uri: str) -> Iterator[None]:
    """Create a new SQLite file under another name and move it into place with all its tables.

    MLflow creates the tables one by one, and cannot use a file that was left incomplete.
    """
    path = _sqlite_file(uri)
    if path and not path.exists() and path.parent.is_dir():
        import mlflow

        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.draft")
        try:
            mlflow.MlflowClient(
                tracking_uri=f"sqlite:///{draft}", registry_uri=f"sqlite:///{draft}"
            ).search_registered_models()
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another run was faster
            except OSError:
                draft.replace(path)  # a file system without hard links
        finally:
            draft.unlink(missing_ok=True)
    yield


def _sqlite_file(uri: str) -> Path | None:
    scheme, _, path = uri.partition(":///")
    return Path(path) if scheme == "sqlite" else None


def versions(uri: str) -> list[Version]:
    """All versions, the newest first; empty if nothing was ever registered."""
    path = _sqlite_file(uri)
    if path and not path.exists():
        return []
    with session(uri) as client:
        model_versions = client.search_model_versions(f"name = '{NAME}'")
        aliases = client.get_registered_model(NAME).aliases if model_versions else {}
    listed = [
        Version(
            number=str(version.version),
            aliases=tuple(sorted(alias for alias, number in aliases.items() if str(number) == str(version.version))),
            bundle=version.tags.get("bundle", ""),
            run_id=version.run_id,
            tags=dict(version.tags),
        )
        for version in model_versions
    ]
    return sorted(listed, key=lambda version: int(version.number), reverse=True)


def holder(uri: str, alias: str) -> Version | None:
    """The version with this alias; None if there is none."""
    return next((version for version in versions(uri) if alias in version.aliases), None)


def find(uri: str, alias: str) -> Version:
    """The version with this alias; raises InputError if there is none."""
    version = holder(uri, alias)
    if version is None:
        raise InputError(
            f"no model has the alias '{alias}'", where=shown(uri), next="Make a model with `stayworth train`."
        )
    return version


def numbered(uri: str, number: str) -> Version:
    """The version with this number; raises InputError if there is none."""
    by_number = {version.number: version for version in versions(uri)}
    if number not in by_number:
        what = f"there is no version {number}; registered: {', '.join(by_number) or 'none'}"
        advice = "Name one of these." if by_number else "Make a model with `stayworth train`."
        raise InputError(what, where=shown(uri), next=advice)
    return by_number[number]


def fetch(uri: str, number: str, folder: Path, *, part: str = "") -> Path:
    """Fetch a logged model, or a part of it, into `folder`; returns its path, not yet checked."""
    with session(uri) as client:
        from mlflow.artifacts import download_artifacts

        source = f"{client.get_model_version_download_uri(NAME, number)}/{part}".rstrip("/")
        return Path(download_artifacts(artifact_uri=source, dst_path=str(folder), tracking_uri=uri))


def register(
    client: "MlflowClient", *, source: str, run_id: str | None, model_id: str | None, tags: Mapping[str, str]
) -> str:
    """Make a logged model the newest version, without an alias; returns its number. `tags` name its `bundle`."""
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME)
    version = client.create_model_version(NAME, source, run_id=run_id, model_id=model_id, tags=dict(tags))
    return str(version.version)


def set_champion(uri: str, number: str, *, tags: Mapping[str, str] = MappingProxyType({})) -> None:
    """Make this version the champion and the old one `previous`; `tags` record when and by whom.

    If interrupted between the two steps, one version has both aliases, and it is one that served before or is to serve:
    `previous` moves first, except in a rollback, which must not lose its target, last.
    """
    version, champion = numbered(uri, number), holder(uri, "champion")
    moves = {"champion": number}
    if champion and champion.number != number:
        after = {"previous": champion.number}
        moves = moves | after if "previous" in version.aliases else after | moves
    with session(uri) as client:
        for name, value in tags.items():
            client.set_model_version_tag(NAME, number, name, value)
        for alias, target in moves.items():
            client.set_registered_model_alias(NAME, alias, target)


def contents_hash(folder: Path) -> str:
    """A hash of every name and byte of a logged model, except what loading it leaves there.

    That is what Python compiled, and the file in which MLflow keeps the name and version that were asked for.
    """
    mlflow_note = folder / "registered_model_meta"
    paths = (path for path in folder.rglob("*") if path.is_file() and path != mlflow_note)
    files = sorted(path for path in paths if "__pycache__" not in path.parts)
    digest = hashlib.sha256()
    for path in files:
        digest.update(
            f"{path.relative_to(folder).as_posix()}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return digest.hexdigest()


def shown(text: str) -> str:
    """The text without any password in a URI."""
    return re.sub(r"//[^/@\s]*@", "//…@", text)
