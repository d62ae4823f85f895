"""A LifetimeValue as the parts of a bundle: plain numbers, and trees in files of their own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from models.btyd.purchase_model import KINDS, PurchaseModel
from models.ensemble.intervals import Intervals
from models.lifetime.clv import LifetimeValue
from models.lifetime.contract_value import NO_RATIOS, ContractValue
from models.lifetime.counting_value import COUNTED_MISS, CountingValue
from models.lifetime.lifetime_spread import LifetimeSpread
from models.lifetime.margin_per_order import MarginPerOrder, ShrunkMean
from models.lifetime.state_value import StateValue
from models.lifetime.tenure_fade import LEVEL, TenureFade, TenureHazard
from models.lifetime.window_season import Season
from models.trees import boosting

FILE = re.compile(r"lifetime_(near_[0-9]+|later_[0-9]+|leaving|orders|margin|serving)\.ubj")
LEAVING, ORDERS, MARGIN, SERVING = (f"lifetime_{what}.ubj" for what in ("leaving", "orders", "margin", "serving"))


def files(model: LifetimeValue) -> dict[str, boosting.Booster]:
    """The trees by the names of their files."""
    if isinstance(model, CountingValue):
        return {}
    if isinstance(model, ContractValue):
        named = {LEAVING: model.leaving, ORDERS: model.orders}
    else:
        named = {f"lifetime_near_{number}.ubj": booster for number, booster in enumerate(model.near)}
        named |= {f"lifetime_later_{number}.ubj": booster for number, booster in enumerate(model.later)}
    serving = {} if model.margin.serving is None else {SERVING: model.margin.serving}
    return named | {MARGIN: model.margin.correction} | serving


def to_json(model: LifetimeValue) -> dict[str, Any]:
    """Everything but the trees."""
    doubts = list(model.doubts)
    if isinstance(model, StateValue):
        return {
            "kind": "state",
            "window_months": model.window_months,
            "season": {name: list(part) for name, part in asdict(model.season).items()},
            "near": len(model.near),
            "near_are_steps": model.near_are_steps,
            "later": len(model.later),
            "per_order": asdict(model.margin.shrunk),
            "spread": asdict(model.spread) if model.spread else None,
            "tenure_fade": asdict(model.tenure_fade),
            "doubts": doubts,
        }
    if isinstance(model, ContractValue):
        return {
            "kind": "contract",
            "by_tenure": asdict(model.by_tenure),
            "lasting": list(model.lasting),
            "per_order": asdict(model.margin.shrunk),
            "ratios": list(model.ratios),
            "doubts": doubts,
        }
    orders = [purchase_model_to_json(part) for part in model.orders]
    return {
        "kind": "counting",
        "orders": orders,
        "frequency": model.frequency,
        "level": model.level,
        "log_odds": model.log_odds,
        "cost_share": model.cost_share,
        "doubts": doubts,
    } | ({"miss": model.miss} if model.miss != COUNTED_MISS else {})


def from_json(content: Mapping[str, Any], boosters: Mapping[str, boosting.Booster]) -> LifetimeValue:
    """Read the output of `to_json` and the trees of the bundle; raises KeyError or TypeError on anything else."""
    doubts = tuple(content["doubts"])
    if content["kind"] == "counting":
        orders = [purchase_model_from_json(part) for part in content["orders"]]
        numbers = (content["frequency"], content["level"], content["log_odds"], content.get("cost_share", 0.0))
        return CountingValue(orders, *numbers, doubts, content.get("miss", COUNTED_MISS))
    margin = MarginPerOrder(ShrunkMean(**content["per_order"]), boosters[MARGIN], boosters.get(SERVING))
    if content["kind"] == "contract":
        return ContractValue(
            leaving=boosters[LEAVING],
            orders=boosters[ORDERS],
            by_tenure=TenureHazard(**content["by_tenure"]),
            lasting=content["lasting"],
            margin=margin,
            ratios=content.get("ratios", NO_RATIOS),
            doubts=doubts,
        )
    return StateValue(
        window_months=content["window_months"],
        season=Season(**{name: tuple(part) for name, part in content["season"].items()}),
        near=[boosters[f"lifetime_near_{number}.ubj"] for number in range(content["near"])],
        near_are_steps=content.get("near_are_steps", False),
        later=[boosters[f"lifetime_later_{number}.ubj"] for number in range(content["later"])],
        margin=margin,
        spread=_spread(content["spread"]) if content.get("spread") else None,
        tenure_fade=_tenure_fade(**content["tenure_fade"]) if "tenure_fade" in content else LEVEL,
        doubts=doubts,
    )


def _spread(content: Mapping[str, Any]) -> LifetimeSpread:
    return LifetimeSpread(
        tuple(content["coefficients"]),
        tuple((least, most) for least, most in content["ranges"]),
        Intervals(**content["intervals"]),
    )


def _tenure_fade(hazard: Mapping[str, float], window_days: float, seen: Sequence[float]) -> TenureFade:
    return TenureFade(TenureHazard(**hazard), window_days, tuple(seen))


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
