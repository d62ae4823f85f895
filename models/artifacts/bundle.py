"""A model on disk: data, never objects, and not one byte of it parsed before its hash is checked.

    quiet.ubj orders.ubj margin.ubj     the trees, XGBoost's UBJSON
    leaving.ubj                         under a contract only: the trees of its end
    horizon_30_order.ubj …              of each other horizon (models/horizons/horizon.py): _order, _value, _leaving
    model.json                          everything else a Scorer holds
    manifest.json                       SHA-256 and size of each file, features, schema hash, versions, training
    manifest.sha256                     SHA-256 of the manifest: the hash of the bundle, and its version

Nothing in it depends on the clock: the same data, seed and lock give the same bytes.
"""

import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from features.errors import InputError
from models.ensemble.base_learners import BaseLearners, from_json, to_json
from models.ensemble.business_terms import Terms
from models.ensemble.intervals import Intervals
from models.ensemble.seasonal_calibration import Level
from models.ensemble.stacking import Blend
from models.horizons.horizon import LEAVING, ORDER, VALUE, Horizon
from models.horizons.share_trees import Share
from models.lifetime.clv import Tail
from models.scoring.scorer import Example, Scorer
from models.trees import boosting
from models.trees.churn import Churn
from models.trees.value import Value

FORMAT = 4
LARGEST_FILE = 256 * 1024 * 1024
"""Bytes: no file of a bundle comes near, so a larger one is refused unread."""
FILES = {"quiet.ubj", "orders.ubj", "margin.ubj", "model.json"}
END = "leaving.ubj"
MORE = re.compile(rf"horizon_[0-9]+_({ORDER}|{VALUE}|{LEAVING})\.ubj")
"""What else one of several horizons, or under a contract, has."""


def write(folder: Path, scorer: Scorer, *, training: dict[str, Any]) -> str:
    """Write a bundle into an existing empty folder; returns its hash.

    training: what the manifest says about the data it learnt from (JSON values without times of day).
    """
    members, leaving = scorer.members, scorer.leaving
    contents = {
        "quiet.ubj": boosting.to_ubj(members.quiet.booster),
        "orders.ubj": boosting.to_ubj(members.value.orders_booster),
        "margin.ubj": boosting.to_ubj(members.value.margin_booster),
    }
    if leaving:
        contents[END] = boosting.to_ubj(leaving.booster)
    for one in scorer.horizons:
        contents |= {_booster(one.days, part): boosting.to_ubj(share.booster) for part, share in one.shares.items()}
    contents["model.json"] = _json(
        {
            "terms": dataclasses.asdict(scorer.terms),
            "categories": {name: names for name, names in scorer.inputs.items() if names is not None},
            "value": {"kind": members.value.kind, "factor": members.value.factor},
            "simple": to_json(members.simple),
            "blend": dataclasses.asdict(scorer.blend),
            "level": dataclasses.asdict(scorer.level),
            "intervals": dataclasses.asdict(scorer.intervals),
            "tail": scorer.tail.to_json(),
            "leaving": {"slope": leaving.slope, "intercept": leaving.intercept} if leaving else None,
            "centre": scorer.centre,
            "horizons": [_told(one) for one in scorer.horizons],
            "example": dataclasses.asdict(scorer.example) if scorer.example else None,
        }
    )
    manifest = _json(
        {
            "format": FORMAT,
            "files": {name: {"sha256": _sha256(data), "bytes": len(data)} for name, data in contents.items()},
            "features": list(scorer.inputs),
            "schema_hash": schema_hash(list(scorer.inputs)),
            "versions": {"xgboost": boosting.VERSION},
            "training": training,
        }
        | ({"horizons": {str(one.days): one.how for one in scorer.horizons}} if scorer.horizons else {})
    )
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "manifest.sha256").write_text(_sha256(manifest) + "\n")
    return _sha256(manifest)


def read(folder: Path) -> Scorer:
    """Check every byte against the manifest, then parse. Raises InputError on any difference."""
    manifest, bundle_hash = signed_manifest(folder)
    if manifest["format"] != FORMAT or not _files(set(manifest["files"])):
        raise InputError(f"is not a bundle of format {FORMAT}", where=str(folder), next="Train again.")
    expected = {*manifest["files"], "manifest.json", "manifest.sha256"}
    foreign = sorted({path.name for path in folder.iterdir()} - expected)
    if foreign:
        raise InputError(
            f"holds what no bundle has ({len(foreign)}): {', '.join(foreign[:5])}",
            where=str(folder),
            next="Train again.",
        )
    contents = {name: _bytes(folder, name) for name in manifest["files"]}
    for name, data in contents.items():
        if manifest["files"][name] != {"sha256": _sha256(data), "bytes": len(data)}:
            raise _changed(folder, name)
    model = json.loads(contents["model.json"])
    boosters = {name: boosting.from_ubj(data) for name, data in contents.items() if name.endswith(".ubj")}
    return Scorer(
        terms=Terms(**model["terms"]),
        inputs={name: model["categories"].get(name) for name in manifest["features"]},
        members=BaseLearners(
            Churn(boosters["quiet.ubj"]),
            Value(orders_booster=boosters["orders.ubj"], margin_booster=boosters["margin.ubj"], **model["value"]),
            from_json(model["simple"]),
        ),
        blend=Blend(**model["blend"]),
        level=Level(**model["level"]),
        intervals=Intervals(**model["intervals"]),
        tail=Tail.from_json(model["tail"]),
        leaving=Churn(boosters[END], **model["leaving"]) if model["leaving"] else None,
        centre=tuple(model["centre"]),
        horizons=tuple(_horizon(told, boosters) for told in model["horizons"]),
        example=Example(**model["example"]) if model["example"] else None,
        version=bundle_hash[:12],
    )


def _files(names: set[str]) -> bool:
    """Whether a bundle may have these files."""
    return names >= FILES and all(name == END or MORE.fullmatch(name) for name in names - FILES)


def _told(one: Horizon) -> dict[str, Any]:
    """A horizon as plain numbers, its trees left out."""
    shares = {
        part: {"days": share.days, "shifts": share.shifts, "mean": share.mean} for part, share in one.shares.items()
    }
    return {
        "days": one.days,
        "beside": one.beside,
        "how": one.how,
        "shares": shares,
        "spread": dataclasses.asdict(one.spread),
    }


def _horizon(told: dict[str, Any], boosters: dict[str, boosting.Booster]) -> Horizon:
    """What `_told` made."""
    shares = {part: Share(boosters[_booster(told["days"], part)], **rest) for part, rest in told["shares"].items()}
    return Horizon(told["days"], told["beside"], told["how"], shares, Intervals(**told["spread"]))


def _booster(days: int, part: str) -> str:
    return f"horizon_{days}_{part}.ubj"


def signed_manifest(folder: Path) -> tuple[dict[str, Any], str]:
    """The manifest and the hash of the bundle, which is the manifest's; raises InputError where they do not fit."""
    content = _bytes(folder, "manifest.json")
    bundle_hash = _bytes(folder, "manifest.sha256").decode("ascii", "replace")
    if bundle_hash != _sha256(content) + "\n":
        raise _changed(folder, "manifest.json")
    return json.loads(content), bundle_hash.strip()


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
