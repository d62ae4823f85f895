"""A LifetimeValue as the parts of a bundle: plain numbers, and trees in files of their own."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from models.btyd.purchase_model import KINDS, PurchaseModel
from models.lifetime.clv import LifetimeValue
from models.lifetime.counting_value import CountingValue
from models.lifetime.state_value import MarginPerOrder, StateValue
from models.lifetime.window_season import Season
from models.trees import boosting

FILE = re.compile(r"lifetime_(near_[0-9]+|later_[0-9]+|margin)\.ubj")
MARGIN = "lifetime_margin.ubj"


def files(model: LifetimeValue) -> dict[str, boosting.Booster]:
    """The trees by the names of their files."""
    if not isinstance(model, StateValue):
        return {}
    named = {f"lifetime_near_{number}.ubj": booster for number, booster in enumerate(model.near)}
    named |= {f"lifetime_later_{number}.ubj": booster for number, booster in enumerate(model.later)}
    return named | {MARGIN: model.correction}


def to_json(model: LifetimeValue) -> dict[str, Any]:
    """Everything but the trees."""
    doubts = list(model.doubts)
    if isinstance(model, StateValue):
        return {
            "kind": "state",
            "window_months": model.window_months,
            "season": {name: list(part) for name, part in asdict(model.season).items()},
            "near": len(model.near),
            "later": len(model.later),
            "per_order": asdict(model.per_order),
            "doubts": doubts,
        }
    orders = [purchase_model_to_json(part) for part in model.orders]
    return {
        "kind": "counting",
        "orders": orders,
        "frequency": model.frequency,
        "level": model.level,
        "log_odds": model.log_odds,
        "doubts": doubts,
    }


def from_json(content: Mapping[str, Any], boosters: Mapping[str, boosting.Booster]) -> LifetimeValue:
    """Read the output of `to_json` and the trees of the bundle; raises KeyError or TypeError on anything else."""
    doubts = tuple(content["doubts"])
    if content["kind"] == "counting":
        orders = [purchase_model_from_json(part) for part in content["orders"]]
        return CountingValue(orders, content["frequency"], content["level"], content["log_odds"], doubts)
    return StateValue(
        window_months=content["window_months"],
        season=Season(**{name: tuple(part) for name, part in content["season"].items()}),
        near=[boosters[f"lifetime_near_{number}.ubj"] for number in range(content["near"])],
        later=[boosters[f"lifetime_later_{number}.ubj"] for number in range(content["later"])],
        per_order=MarginPerOrder(**content["per_order"]),
        correction=boosters[MARGIN],
        doubts=doubts,
    )


def earlier(tail: Mapping[str, Any]) -> dict[str, Any]:
    """The `lifetime` of a bundle of format 4, from its `tail`."""
    content = {"kind": "counting", "orders": [tail], "frequency": tail["frequency"]}
    return content | {"level": None, "log_odds": 0.0, "doubts": []}


def purchase_model_to_json(model: PurchaseModel) -> dict[str, Any]:
    """Plain numbers, and `kind`: bgnbd or pareto_nbd."""
    (kind,) = (kind for kind, type_ in KINDS.items() if isinstance(model, type_))
    return {"kind": kind, "shape": asdict(model)}


def purchase_model_from_json(content: Mapping[str, Any]) -> PurchaseModel:
    """Read the output of `purchase_model_to_json`; raises KeyError or TypeError on anything else."""
    return KINDS[content["kind"]](**content["shape"])
