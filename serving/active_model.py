"""The model that answers: a bundle on disk, checked to the byte and tried on its own example before it may.

    champion.json       which bundle is the champion, the number it is registered under, its metrics
    bundles/HASH/       the bundles themselves

`bring` fetches the champion of the registry into such a folder; it is the only step that needs MLflow, and runs in a
process of its own (serving/fetch.py). A service reads the folder, or a bundle folder that somebody put there.
"""

import json
import shutil
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from features.atomic_files import replacing
from features.errors import InputError, StayworthError
from models.artifacts import bundle, registry
from models.artifacts.registered_model import fetched_bundle
from models.scoring import online, self_test
from models.scoring.scorer import Scorer

POINTER = "champion.json"
BUNDLES = "bundles"
BUNDLES_KEPT = 2
"""Bundles that stay: the champion's, and the one before, which a worker may be about to read."""


@dataclass(frozen=True)
class ActiveModel:
    """A model, ready to answer."""

    scorer: Scorer
    hash: str
    """Of the whole bundle."""
    as_of: date
    """The day before which it knew everything."""
    registered: str | None
    """The number of the registered version; None for a bundle that came by itself."""
    metrics: dict[str, float]


def pointer_file(folder: Path) -> Path:
    """The file whose change means another champion: of a folder that `bring` fills, or of a bundle."""
    signed = folder / "manifest.sha256"
    return signed if signed.exists() else folder / POINTER


def load(place: Path) -> ActiveModel:
    """Read, check and try what `watched` names; raises InputError for anything that is not right."""
    told: dict[str, Any] = {}
    folder = place.parent
    if place.name == POINTER:
        try:
            told = json.loads(place.read_text("utf-8"))
            folder = place.parent / BUNDLES / _checked_name(told["bundle"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"says no champion ({error})", where=str(place), next="Start `stayworth serve` anew."
            ) from None
    scorer, training, signed = _read_and_test(folder)
    online.warm(scorer)
    as_of = date.fromisoformat(training["as_of"])
    return ActiveModel(scorer, signed, as_of, told.get("registered"), told.get("metrics", {}))


def fetch_champion(uri: str, folder: Path) -> bool:
    """Make the registry's champion the champion of a folder; whether it is another one than before.

    Raises InputError if the registry is out of reach or the bundle is not what its hashes say: all stays as it was.
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
    told = {"bundle": name, "registered": version.number, "metrics": json.loads(version.tags.get("headline", "{}"))}
    with replacing(pointer) as new:
        new.write_text(json.dumps(told) + "\n", "utf-8")
    _delete_old_bundles(folder / BUNDLES, name)
    return True


def _read_and_test(folder: Path) -> tuple[Scorer, dict[str, Any], str]:
    """The model of a bundle that scores its own example, what it says of its training, and its hash."""
    try:
        manifest, signed = bundle.signed_manifest(folder)
        scorer = bundle.read(folder)
        self_test.check_example(scorer)
        return scorer, manifest["training"], signed
    except StayworthError:
        raise
    except Exception as error:  # XGBoost, pandas and what else reads it have errors of their own
        raise InputError(
            f"the bundle cannot be used by the libraries here ({type(error).__name__})",
            where=str(folder),
            next="Use the libraries of requirements.lock, or train again.",
        ) from error


def _is_current(folder: Path, version: registry.Version) -> bool:
    """Whether the champion of a folder is this version, by its number and the bundle it names, which is whole."""
    try:
        told = json.loads((folder / POINTER).read_text("utf-8"))
        named = told["registered"] == version.number and version.bundle in ("", told["bundle"])  # "": it was not said
        return bool(named and _is_intact(folder / BUNDLES / _checked_name(told["bundle"])))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _is_intact(place: Path) -> bool:
    """Whether the bundle is there and every byte of it is the one of its name; a damaged one is fetched again."""
    try:
        return bundle.read(place).version == place.name
    except Exception:  # noqa: BLE001  # signed, and yet nothing that XGBoost reads
        return False


def _delete_old_bundles(bundles: Path, champion: str) -> None:
    """All but the newest bundles."""
    others = sorted((one for one in bundles.iterdir() if one.name != champion), key=lambda one: -one.stat().st_mtime)
    for old in others[BUNDLES_KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _checked_name(name: str) -> str:
    """A bundle's name: twelve digits of its hash, so no way out of the folder."""
    if not (len(name) == 12 and set(name) <= set("0123456789abcdef")):
        raise ValueError("the name of a bundle is twelve hexadecimal digits")
    return name
