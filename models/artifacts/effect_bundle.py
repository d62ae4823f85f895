"""Effect bundles: a fitted effect on disk as data, never objects, with no byte parsed before its hash is checked.

    0.ubj 1.ubj …       the trees of each term of the learner, XGBoost's UBJSON
    manifest.json       SHA-256 of each, the terms, the features with their names, their schema hash, the line
    manifest.sha256     SHA-256 of the manifest: the hash of the bundle

The twin of models/artifacts/bundle.py for effects; the same data and seed give the same bytes.
"""

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from features.errors import InputError
from models.artifacts.signed_files import signed_manifest
from models.trees import boosting
from models.uplift.calibrated_effect import EffectLine, FittedEffect
from models.uplift.learners import KINDS, Term, Uplift

FORMAT = 1
NEXT = "Learn it again: stayworth effects."


def write(folder: Path, fitted: FittedEffect) -> str:
    """Write into an existing empty folder; returns the hash of the bundle."""
    learner = fitted.learner
    contents = {f"{place}.ubj": boosting.to_ubj(term.booster) for place, term in enumerate(learner.terms)}
    manifest = {
        "format": FORMAT,
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "kind": learner.kind,
        "terms": [{"weight": term.weight, "arm": term.arm} for term in learner.terms],
        "inputs": [{"feature": name, "names": names} for name, names in learner.inputs.items()],
        "line": dataclasses.asdict(fitted.line),
        "versions": {"xgboost": boosting.VERSION},
    }
    content = (json.dumps(manifest, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(content)
    bundle_hash = hashlib.sha256(content).hexdigest()
    (folder / "manifest.sha256").write_text(bundle_hash + "\n")
    return bundle_hash


def read(folder: Path, *, expected: str) -> FittedEffect:
    """Check every byte against the manifest, then parse; `expected` is the bundle's hash. Raises InputError on any
    difference.
    """
    manifest, bundle_hash = signed_manifest(folder)
    if bundle_hash != expected:
        raise InputError(
            f"is bundle {bundle_hash[:12]}, but {expected[:12]} was expected", where=str(folder), next=NEXT
        )
    terms: list[dict[str, Any]] = manifest.get("terms", [])
    names = [f"{place}.ubj" for place in range(len(terms))]
    if manifest.get("format") != FORMAT or manifest["kind"] not in KINDS or sorted(manifest["files"]) != names:
        raise InputError(f"is not an effect of format {FORMAT}", where=str(folder), next=NEXT)
    contents = {name: _bytes(folder, name) for name in names}
    for name, data in contents.items():
        if hashlib.sha256(data).hexdigest() != manifest["files"][name]:
            raise InputError(f"{name} does not match its hash; nothing of it was loaded", where=str(folder), next=NEXT)
    fitted = [Term(boosting.from_ubj(contents[name]), **term) for name, term in zip(names, terms, strict=True)]
    inputs = {entry["feature"]: entry["names"] for entry in manifest["inputs"]}
    return FittedEffect(Uplift(manifest["kind"], inputs, tuple(fitted)), EffectLine(**manifest["line"]))


def _bytes(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", where=str(folder / name), next=NEXT) from None
