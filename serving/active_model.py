"""The model in service: a bundle on disk, checked byte by byte and tested on its own example before it is used.

    champion.json       the champion's bundle, its registered version and its metrics
    bundles/HASH/       the bundles themselves

`fetch_champion` downloads the registry's champion into such a folder; only this step needs MLflow, and it runs in a
process of its own (serving/fetch.py). The service reads that folder, or the folder of a single bundle.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.atomic_files import replacing
from features.errors import InputError, StayworthError
from models.artifacts import bundle, label_bundle, registry
from models.artifacts.registered_model import fetched_bundle
from models.artifacts.signed_files import signed_manifest
from models.labelled.label_scorer import LabelScorer
from models.scoring import online, self_test
from models.scoring.scorer import Scorer

POINTER = "champion.json"
BUNDLES = "bundles"
BUNDLES_KEPT = 2
"""Bundles that stay: the champion's, and its predecessor's, which a worker may be about to read."""


@dataclass(frozen=True)
class ActiveModel:
    """A model that is ready to score."""

    scorer: Scorer | LabelScorer
    hash: str
    """Hash of the whole bundle."""
    as_of: date | None
    """The cut-off of its training data: it has seen everything before this day; None of a label table."""
    registered: str | None
    """The number of the registered version; None for a bundle outside the registry."""
    metrics: dict[str, float]
    """Of the horizon; none where it was not judged."""
    judged: str | None = None
    """On a short log, whether the horizon was judged, in words."""


def pointer_file(folder: Path) -> Path:
    """The file that changes with the model, in a folder that `fetch_champion` fills or in that of a bundle."""
    signed = folder / "manifest.sha256"
    return signed if signed.exists() else folder / POINTER


def load(place: Path) -> ActiveModel:
    """Read, check and test the model that a pointer file names; raises InputError if anything is wrong."""
    pointer: dict[str, Any] = {}
    folder = place.parent
    if place.name == POINTER:
        try:
            pointer = json.loads(place.read_text("utf-8"))
            folder = place.parent / BUNDLES / _checked_name(pointer["bundle"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"does not name a champion ({error})", where=str(place), next="Restart `stayworth serve`."
            ) from None
    scorer, training, signed = _read_and_test(folder)
    as_of = None
    if isinstance(scorer, Scorer):
        online.warm(scorer)
        as_of = date.fromisoformat(training["as_of"])
    return ActiveModel(
        scorer, signed, as_of, pointer.get("registered"), pointer.get("metrics", {}), training.get("judged")
    )


def fetch_champion(uri: str, folder: Path) -> bool:
    """Download the registry's champion into a folder; returns True if it is a new one.

    Raises InputError if the registry is unreachable or the bundle does not match its hashes; nothing changes then.
    """
    version = registry.find(uri, "champion")
    pointer = folder / POINTER
    if _is_current(folder, version):
        return False
    with fetched_bundle(uri, version) as fetched:
        name = _read_and_test(fetched)[2][:12]
        place = folder / BUNDLES / name
        if not _is_intact(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=place.parent))
            shutil.copytree(fetched, draft, dirs_exist_ok=True)
            shutil.rmtree(place, ignore_errors=True)
            draft.replace(place)
    content = {"bundle": name, "registered": version.number, "metrics": json.loads(version.tags.get("headline", "{}"))}
    with replacing(pointer) as new:
        new.write_text(json.dumps(content) + "\n", "utf-8")
    _delete_old_bundles(folder / BUNDLES, name)
    return True


def _read_and_test(folder: Path) -> tuple[Scorer | LabelScorer, dict[str, Any], str]:
    """Read a bundle and score its own example; returns the model, the facts of its training, and its hash."""
    try:
        manifest, signed = signed_manifest(folder)
        scorer = _read(folder, manifest)
        if isinstance(scorer, Scorer):
            self_test.check_example(scorer)
        return scorer, manifest["training"], signed
    except StayworthError:
        raise
    except Exception as error:  # XGBoost, pandas and other readers raise errors of their own
        raise InputError(
            f"the installed libraries cannot use the bundle ({type(error).__name__})",
            where=str(folder),
            next="Install the versions in requirements.lock, or train again.",
        ) from error


def _read(folder: Path, manifest: Mapping[str, Any]) -> Scorer | LabelScorer:
    is_labelled = manifest.get("kind") == label_bundle.KIND
    return label_bundle.read(folder) if is_labelled else bundle.read(folder)


def _is_current(folder: Path, version: registry.Version) -> bool:
    """True if the folder's champion is this version: the same number and bundle, and the bundle is intact."""
    try:
        pointer = json.loads((folder / POINTER).read_text("utf-8"))
        is_same = pointer["registered"] == version.number and version.bundle in ("", pointer["bundle"])  # "": unknown
        return bool(is_same and _is_intact(folder / BUNDLES / _checked_name(pointer["bundle"])))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _is_intact(place: Path) -> bool:
    """True if the bundle exists and every byte matches the hash in its name; a damaged one is fetched again."""
    try:
        return _read(place, signed_manifest(place)[0]).version == place.name
    except Exception:  # noqa: BLE001  # its hashes match, and yet XGBoost cannot read it
        return False


def _delete_old_bundles(bundles: Path, champion: str) -> None:
    """Delete all bundles but the newest ones."""
    others = [folder for folder in bundles.iterdir() if folder.name != champion]
    others.sort(key=lambda folder: -folder.stat().st_mtime)
    for old in others[BUNDLES_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _checked_name(name: str) -> str:
    """The name of a bundle, if it is twelve digits of a hash, which cannot lead out of the folder."""
    if not (len(name) == 12 and set(name) <= set("0123456789abcdef")):
        raise ValueError("the name of a bundle is twelve hexadecimal digits")
    return name
