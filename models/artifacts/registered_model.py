"""Loading a registered model: found in the registry, fetched, every byte checked, then parsed.

Every command loads the champion here, and the service fetches it here (serving/active_model.py). Only the bundle is
read; the code that MLflow keeps beside it is never run.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.errors import InputError
from models import CHAMPION
from models.artifacts import bundle, label_bundle, registry
from models.artifacts.registry import Version
from models.artifacts.signed_files import signed_manifest
from models.labelled.label_scorer import LabelScorer
from models.scoring.scorer import Scorer


@dataclass(frozen=True)
class RegisteredModel:
    """A version of the registry with the model it holds."""

    version: Version
    scorer: Scorer
    manifest: Mapping[str, Any]

    @property
    def as_of(self) -> date:
        """The day before which it knew everything."""
        return date.fromisoformat(self.manifest["training"]["as_of"])


@dataclass(frozen=True)
class RegisteredLabelModel:
    """A version of the registry with the model of a label table."""

    version: Version
    scorer: LabelScorer
    manifest: Mapping[str, Any]


def load_champion(uri: str) -> RegisteredModel:
    """The model that serves; raises InputError if none does, if the registry is out of reach, or a byte was changed."""
    return load_version(uri, registry.find(uri, CHAMPION))


def load_version(uri: str, version: Version) -> RegisteredModel:
    """The model of a version; raises InputError if the registry is out of reach or a byte was changed."""
    with fetched_bundle(uri, version) as folder:
        return _of_log(_parsed(version, folder))


def load_label_version(uri: str, version: Version) -> RegisteredLabelModel:
    """The model of a label table that a version holds; raises InputError as `load_version`, or for one of a log."""
    with fetched_bundle(uri, version) as folder:
        model = _parsed(version, folder)
    if isinstance(model, RegisteredModel):
        raise InputError(
            "is a model of a log of orders, not of a label table",
            where=f"version {version.number}",
            next="Train one on the label table: stayworth train.",
        )
    return model


def load_untouched(uri: str, version: Version) -> RegisteredModel:
    """The model of a version, as `check_untouched` checks it; raises InputError for one of a label table."""
    return _of_log(check_untouched(uri, version))


def check_untouched(uri: str, version: Version) -> RegisteredModel | RegisteredLabelModel:
    """The model of a version, if nothing that was logged with it has changed; raises InputError otherwise.

    The bundle must be the one that was registered, and the code and the `MLmodel` beside it must be as logged: MLflow's
    own `load_model` would run them.
    """
    with tempfile.TemporaryDirectory(prefix="stayworth-") as scratch:
        folder = registry.fetch(uri, version.number, Path(scratch))
        model = _parsed(version, folder / registry.BUNDLE)
        contents = registry.contents_hash(folder)
    where = f"version {version.number}"
    if model.scorer.version != version.bundle:
        raise InputError(
            f"its bundle is {model.scorer.version}, and {version.bundle} was registered",
            where=where,
            next="Train again.",
        )
    if contents != version.tags.get("contents"):
        raise InputError(
            "the files beside its bundle are not those that were logged: files were changed or added",
            where=where,
            next="Restore them, or train again; nothing of it was run.",
        )
    return model


@contextmanager
def fetched_bundle(uri: str, version: Version) -> Iterator[Path]:
    """The bundle of a version in a temporary folder, not yet checked."""
    with tempfile.TemporaryDirectory(prefix="stayworth-") as scratch:
        yield registry.fetch(uri, version.number, Path(scratch), part=registry.BUNDLE)


def _of_log(model: RegisteredModel | RegisteredLabelModel) -> RegisteredModel:
    if isinstance(model, RegisteredLabelModel):
        raise InputError(
            "is a model of a label table, which knows no orders",
            where=f"version {model.version.number}",
            next="Train one on a log of orders: stayworth train.",
        )
    return model


def _parsed(version: Version, folder: Path) -> RegisteredModel | RegisteredLabelModel:
    """Check and read a bundle; an error names the version, not the temporary folder."""
    try:
        manifest, _ = signed_manifest(folder)
        if manifest.get("kind") == label_bundle.KIND:
            return RegisteredLabelModel(version, label_bundle.read(folder), manifest)
        return RegisteredModel(version, bundle.read(folder), manifest)
    except InputError as error:
        raise InputError(error.what, where=f"version {version.number}", next=error.next) from error
