"""A model on disk: data, never objects, and not one byte of it parsed before its hash is checked.

    churn.ubj orders.ubj margin.ubj     the trees, XGBoost's UBJSON
    model.json                          everything else a Scorer holds
    manifest.json                       SHA-256 and size of each file, features, schema hash, versions, training
    manifest.sha256                     SHA-256 of the manifest: the hash of the bundle, and its version

Nothing in it depends on the clock: the same data, seed and lock give the same bytes.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from features.errors import InputError
from models import trees
from models.bgnbd import BGNBD
from models.churn import Churn
from models.intervals import Intervals
from models.scorer import Scorer
from models.terms import Terms
from models.value import Value

FORMAT = 2
LARGEST_FILE = 256 * 1024 * 1024
"""Bytes: no file of a bundle comes near, so a larger one is refused unread."""
BOOSTERS = ("churn.ubj", "orders.ubj", "margin.ubj")
FILES = (*BOOSTERS, "model.json")


def write(folder: Path, scorer: Scorer, *, training: dict[str, Any]) -> str:
    """Write a bundle into an existing empty folder; returns its hash.

    training: what the manifest says about the data it learnt from (JSON values without times of day).
    """
    boosters = (scorer.churn.booster, scorer.value.orders_booster, scorer.value.margin_booster)
    contents = {name: trees.to_ubj(booster) for name, booster in zip(BOOSTERS, boosters, strict=True)}
    contents["model.json"] = _json(
        {
            "terms": dataclasses.asdict(scorer.terms),
            "categories": {name: names for name, names in scorer.inputs.items() if names is not None},
            "churn": {"slope": scorer.churn.slope, "intercept": scorer.churn.intercept},
            "value": {"level": scorer.value.level},
            "intervals": dataclasses.asdict(scorer.intervals),
            "tail": dataclasses.asdict(scorer.tail),
        }
    )
    manifest = _json(
        {
            "format": FORMAT,
            "files": {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in contents.items()},
            "features": list(scorer.inputs),
            "schema_hash": schema_hash(list(scorer.inputs)),
            "versions": {"xgboost": trees.VERSION},
            "training": training,
        }
    )
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "manifest.sha256").write_text(_sha256(manifest) + "\n")
    return _sha256(manifest)


def read(folder: Path) -> Scorer:
    """Check every byte against the manifest, then parse. Raises InputError on any difference."""
    manifest_bytes = _bytes(folder, "manifest.json")
    bundle_hash = _bytes(folder, "manifest.sha256").decode("ascii", "replace")
    if bundle_hash != _sha256(manifest_bytes) + "\n":
        raise _changed(folder, "manifest.json")
    manifest = json.loads(manifest_bytes)
    if manifest["format"] != FORMAT or set(manifest["files"]) != set(FILES):
        raise InputError(f"is not a bundle of format {FORMAT}", where=str(folder), next="Train again.")
    contents = {name: _bytes(folder, name) for name in FILES}
    for name, data in contents.items():
        if manifest["files"][name] != {"sha256": _sha256(data), "bytes": len(data)}:
            raise _changed(folder, name)
    model = json.loads(contents["model.json"])
    churn_booster, orders_booster, margin_booster = (trees.from_ubj(contents[name]) for name in BOOSTERS)
    return Scorer(
        terms=Terms(**model["terms"]),
        inputs={name: model["categories"].get(name) for name in manifest["features"]},
        churn=Churn(churn_booster, **model["churn"]),
        value=Value(orders_booster, margin_booster, **model["value"]),
        intervals=Intervals(**model["intervals"]),
        tail=BGNBD(**model["tail"]),
        version=bundle_hash[:12],
    )


def schema_hash(features: list[str]) -> str:
    """A hash of the feature columns and their order: two models with the same hash take the same rows."""
    return _sha256("\n".join(features).encode())[:16]


def _bytes(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST_FILE:
            raise InputError("is a link or too large for a bundle", where=str(path), next="Train again.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(path), next="Train again.") from None


def _changed(folder: Path, name: str) -> InputError:
    return InputError(
        f"{name} is not what its hash says: the file was changed or damaged",
        where=str(folder),
        next="Restore it, or train again; nothing of it was loaded.",
    )


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
