"""Bundles: a model on disk as data, never objects, with no byte parsed before its hash is checked.

    quiet.ubj orders.ubj margin.ubj     the trees, XGBoost's UBJSON
    leaving.ubj                         under a contract only: the trees of the end of the contract
    horizon_30_order.ubj …              of each other horizon (models/horizons/horizon.py): _order, _value, _leaving
    keeping_savable.ubj keeping_gain.ubj  of who can be saved and what that adds (models/keeping/keeping.py)
    lifetime_near_0.ubj …               of lifetime values (models/artifacts/lifetime_parts.py): _near, _later, _margin
    model.json                          everything else of a Scorer
    manifest.json                       SHA-256 and size of each file, features, schema hash, versions, training
    manifest.sha256                     SHA-256 of the manifest: the hash of the bundle, and its version

Nothing in it depends on the clock: the same data, seed and lock give the same bytes.
"""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from features.errors import InputError
from features.histories.attributes import AttributeKind
from models.artifacts import keeping_parts, lifetime_parts
from models.artifacts.signed_files import checked_contents, json_bytes, schema_hash, signed_manifest, write_signed
from models.ensemble.base_learners import BaseLearners, from_json, to_json
from models.ensemble.business_terms import Terms
from models.ensemble.intervals import Intervals
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import Blend
from models.horizons.horizon import LEAVING, ORDER, VALUE, Horizon
from models.horizons.longer_horizon import LongerHorizon
from models.horizons.share_trees import ShareTrees
from models.lifetime.next_order import Rhythm
from models.scoring.scorer import Example, Scorer
from models.trees import boosting
from models.trees.churn import Churn
from models.trees.value import Value

FORMAT, WITH_TAIL = 9, 4
READABLE = range(WITH_TAIL, FORMAT + 1)
"""Earlier formats are read too: 8 and before tell each window of lifetime values by itself, 7 has no attributes, 6 no
way to a horizon longer than the windows learned on, 5 no spread of lifetime values, 4 a `tail` in place of `lifetime`
and `purchase_model`."""
FILES = {"quiet.ubj", "orders.ubj", "margin.ubj", "model.json"}
CONTRACT_END = "leaving.ubj"
HORIZON_FILE = re.compile(rf"horizon_[0-9]+_({ORDER}|{VALUE}|{LEAVING})\.ubj")
"""The trees of another horizon."""


def write(folder: Path, scorer: Scorer, *, training: dict[str, Any]) -> str:
    """Write a bundle into an existing empty folder; returns its hash.

    training: the manifest's description of the training data (JSON values without times of day).
    """
    base_learners, contract_end = scorer.base_learners, scorer.contract_end
    contents = {
        "quiet.ubj": boosting.to_ubj(base_learners.no_order.booster),
        "orders.ubj": boosting.to_ubj(base_learners.value.orders_booster),
        "margin.ubj": boosting.to_ubj(base_learners.value.margin_booster),
    }
    if contract_end:
        contents[CONTRACT_END] = boosting.to_ubj(contract_end.booster)
    contents |= {name: boosting.to_ubj(booster) for name, booster in lifetime_parts.files(scorer.lifetime).items()}
    contents |= {name: boosting.to_ubj(booster) for name, booster in keeping_parts.files(scorer.keeping).items()}
    for horizon in scorer.horizons:
        for part, share in horizon.shares.items():
            contents[_horizon_file(horizon.days, part)] = boosting.to_ubj(share.booster)
    contents["model.json"] = json_bytes(
        {
            "terms": dataclasses.asdict(scorer.terms),
            "categories": {name: names for name, names in scorer.inputs.items() if names is not None},
            "value": {"kind": base_learners.value.kind, "factor": base_learners.value.factor},
            "simple": to_json(base_learners.baselines),
            "blend": dataclasses.asdict(scorer.blend),
            "level": dataclasses.asdict(scorer.calibration),
            "intervals": dataclasses.asdict(scorer.intervals),
            "lifetime": lifetime_parts.to_json(scorer.lifetime),
            "keeping": keeping_parts.to_json(scorer.keeping),
            "purchase_model": lifetime_parts.purchase_model_to_json(scorer.purchase_model),
            "leaving": _line(contract_end) if contract_end else None,
            "centre": scorer.centre,
            "rhythm": dataclasses.asdict(scorer.rhythm) if scorer.rhythm else None,
            "horizons": [_horizon_json(horizon) for horizon in scorer.horizons],
            "example": dataclasses.asdict(scorer.example) if scorer.example else None,
            "longer_horizon": dataclasses.asdict(scorer.longer_horizon) if scorer.longer_horizon else None,
            "attributes": {name: dataclasses.asdict(kind) for name, kind in scorer.attributes.items()},
        }
    )
    derivations = {str(horizon.days): horizon.derivation for horizon in scorer.horizons}
    about = {
        "format": FORMAT,
        "features": list(scorer.inputs),
        "schema_hash": schema_hash(list(scorer.inputs)),
        "versions": {"xgboost": boosting.VERSION},
        "training": training,
    }
    return write_signed(folder, contents, about | ({"horizons": derivations} if derivations else {}))


def read(folder: Path) -> Scorer:
    """Check every byte against the manifest, then parse. Raises InputError on any difference."""
    manifest, bundle_hash = signed_manifest(folder)
    if manifest.get("kind") or manifest["format"] not in READABLE or not _may_have(set(manifest["files"])):
        raise InputError(f"is not a bundle of format {FORMAT}", where=str(folder), next="Train again.")
    contents = checked_contents(folder, manifest)
    model = json.loads(contents["model.json"])
    if manifest["format"] == WITH_TAIL:
        model |= {"lifetime": lifetime_parts.earlier(model["tail"]), "purchase_model": model["tail"]}
    boosters = {name: boosting.from_ubj(data) for name, data in contents.items() if name.endswith(".ubj")}
    return Scorer(
        terms=Terms(**model["terms"]),
        inputs={name: model["categories"].get(name) for name in manifest["features"]},
        base_learners=BaseLearners(
            Churn(boosters["quiet.ubj"]),
            Value(orders_booster=boosters["orders.ubj"], margin_booster=boosters["margin.ubj"], **model["value"]),
            from_json(model["simple"]),
        ),
        blend=Blend(**model["blend"]),
        calibration=SeasonalCalibration(**model["level"]),
        intervals=Intervals(**model["intervals"]),
        lifetime=lifetime_parts.from_json(model["lifetime"], boosters),
        keeping=keeping_parts.from_json(model.get("keeping"), boosters),
        purchase_model=lifetime_parts.purchase_model_from_json(model["purchase_model"]),
        contract_end=Churn(boosters[CONTRACT_END], **model["leaving"]) if model["leaving"] else None,
        centre=tuple(model["centre"]),
        rhythm=Rhythm(**model["rhythm"]) if model.get("rhythm") else None,
        longer_horizon=LongerHorizon(**model["longer_horizon"]) if model.get("longer_horizon") else None,
        horizons=tuple(_horizon(content, boosters) for content in model["horizons"]),
        attributes={name: _attribute_kind(content) for name, content in model.get("attributes", {}).items()},
        example=Example(**model["example"]) if model["example"] else None,
        version=bundle_hash[:12],
    )


def _attribute_kind(content: dict[str, Any]) -> AttributeKind:
    return AttributeKind(content["kind"], tuple(content["names"]), tuple(content["rare"]), content["why"])


def _may_have(names: set[str]) -> bool:
    """True if a bundle may have these files."""
    others = names - FILES - {CONTRACT_END} - keeping_parts.FILES
    return names >= FILES and all(
        HORIZON_FILE.fullmatch(name) or lifetime_parts.FILE.fullmatch(name) for name in others
    )


def _line(churn: Churn) -> dict[str, float]:
    """The calibration slope and intercept."""
    return {"slope": churn.slope, "intercept": churn.intercept}


def _horizon_json(horizon: Horizon) -> dict[str, Any]:
    """A horizon as plain numbers, without its trees."""
    return {
        "days": horizon.days,
        "beside": horizon.neighbour_days,
        "how": horizon.derivation,
        "shares": {
            part: {"days": share.days, "shifts": share.shifts, "mean": share.mean}
            for part, share in horizon.shares.items()
        },
        "spread": dataclasses.asdict(horizon.intervals),
    }


def _horizon(content: dict[str, Any], boosters: dict[str, boosting.Booster]) -> Horizon:
    """Read the output of `_horizon_json`."""
    days = content["days"]
    shares = {
        part: ShareTrees(boosters[_horizon_file(days, part)], **numbers) for part, numbers in content["shares"].items()
    }
    return Horizon(days, content["beside"], content["how"], shares, Intervals(**content["spread"]))


def _horizon_file(days: int, part: str) -> str:
    return f"horizon_{days}_{part}.ubj"
