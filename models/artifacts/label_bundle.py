"""Bundles of label tables: the model of one row per customer on disk as data, under the manifest of any bundle.

trees_0.ubj …       the trees of each member, XGBoost's UBJSON
stayed_0.ubj …      those of the value of customers who stay, and left_0.ubj … of those who leave, where it is known
model.json          everything else of a LabelScorer
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from features.errors import InputError
from models.artifacts.signed_files import checked_contents, json_bytes, schema_hash, signed_manifest, write_signed
from models.labelled.label_model import LabelModel, Member
from models.labelled.label_scorer import LabelScorer
from models.labelled.label_value import LabelValue, ValueTrees
from models.labelled.table_columns import ColumnKind
from models.labelled.table_encoding import EncodedColumn, TableEncoding
from models.trees import boosting

KIND = "label table"
"""What the manifest says under `kind`."""
FORMAT = 1
GROUPS = ("stayed", "left")


def write(folder: Path, scorer: LabelScorer, *, training: dict[str, Any]) -> str:
    """Write a bundle into an existing empty folder; returns its hash. training: JSON values."""
    model = scorer.model
    contents = {f"trees_{place}.ubj": boosting.to_ubj(member.booster) for place, member in enumerate(model.members)}
    values = {group: getattr(scorer.value, group) for group in GROUPS} if scorer.value else {}
    for group, trees in values.items():
        contents |= {
            f"{group}_{place}.ubj": boosting.to_ubj(booster) for place, (_, booster) in enumerate(trees.members)
        }
    contents["model.json"] = json_bytes(
        {
            "id_column": scorer.id_column,
            "label_column": scorer.label_column,
            "currency": scorer.currency,
            "columns": [[name, dataclasses.asdict(column)] for name, column in model.columns.items()],
            "weights": model.weights,
            "intercept": model.intercept,
            "members": [
                {
                    "encoding": _encoding_json(member.encoding),
                    "coefficients": member.coefficients.tolist(),
                    "intercept": member.intercept,
                    "centre": member.centre.tolist(),
                }
                for member in model.members
            ],
            "value": {
                group: {
                    "factor": trees.factor,
                    "encodings": [_encoding_json(part) for part, _ in trees.members],
                }
                for group, trees in values.items()
            },
        }
    )
    about = {
        "kind": KIND,
        "format": FORMAT,
        "features": scorer.needs,
        "schema_hash": schema_hash(scorer.needs),
        "versions": {"xgboost": boosting.VERSION},
        "training": training,
    }
    return write_signed(folder, contents, about)


def read(folder: Path) -> LabelScorer:
    """Check every byte against the manifest, then parse. Raises InputError on any difference."""
    manifest, bundle_hash = signed_manifest(folder)
    if manifest.get("kind") != KIND or manifest["format"] != FORMAT:
        raise InputError(f"is not a bundle of a label table of format {FORMAT}", where=str(folder), next="Train again.")
    contents = checked_contents(folder, manifest)
    model = json.loads(contents["model.json"])
    members = [
        Member(
            _encoding(content["encoding"]),
            boosting.from_ubj(contents[f"trees_{place}.ubj"]),
            np.array(content["coefficients"]),
            content["intercept"],
            np.array(content["centre"]),
        )
        for place, content in enumerate(model["members"])
    ]
    groups = {
        group: ValueTrees(
            tuple(
                (_encoding(encoding), boosting.from_ubj(contents[f"{group}_{place}.ubj"]))
                for place, encoding in enumerate(content["encodings"])
            ),
            content["factor"],
        )
        for group, content in model["value"].items()
    }
    columns = {name: ColumnKind(**column) for name, column in model["columns"]}
    return LabelScorer(
        model["id_column"],
        model["label_column"],
        LabelModel(columns, tuple(members), tuple(model["weights"]), model["intercept"]),
        LabelValue(**groups) if groups else None,
        model["currency"],
        bundle_hash[:12],
    )


def _encoding_json(encoding: TableEncoding) -> list[list[Any]]:
    return [[name, dataclasses.asdict(column)] for name, column in encoding.columns.items()]


def _encoding(content: list[list[Any]]) -> TableEncoding:
    columns = {
        name: EncodedColumn(**column | {"names": None if column["names"] is None else tuple(column["names"])})
        for name, column in content
    }
    return TableEncoding(columns)
