"""A shop's config, as the tests write it where they do not vary it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

CONFIG = """
[data]
orders = "{orders}"
{data}
[time]
timezone = "UTC"
horizon_days = {horizon_days}
[money]
currency = "USD"
gross_margin = 0.4
annual_discount_rate = 0.1
lifetime_days = 1095
"""
VOUCHER = """
[[offers]]
name = "voucher"
contact_cost = 0.5
incentive_cost = 5.0
save_rate = 0.2
redeem_rate = 0.3
channel = "email"
"""
CALL = """
[[offers]]
name = "call"
contact_cost = 3.0
incentive_share = 0.1
save_rate = 0.3
redeem_rate = 0.1
channel = "phone"
"""


def config_of(orders: str | Path, *, horizon_days: int = 90, data: str = "", more: str = "") -> str:
    """The text of a config of these orders; `data`: further lines below them, `more`: further sections."""
    return CONFIG.format(orders=orders, horizon_days=horizon_days, data=data) + more


QUICK = config_of("orders.parquet", horizon_days=60, more="[train]\ntrials = 1\n")
"""Of a log beside it, soon trained on."""


def train_sooner(patch: pytest.MonkeyPatch) -> None:
    """A third of the trees at thrice the rate, a short search and learning curve, for tests that look at neither."""
    from models.lifetime.lifetime_trees import LifetimeTrees
    from models.trees import boosting

    slow, grow = boosting.defaults, LifetimeTrees._grow

    def quick(rows: int) -> boosting.Params:
        return sooner(slow(rows))

    def sooner(params: Mapping[str, float]) -> dict[str, float]:
        return {**params, "rounds": params["rounds"] // 3, "learning_rate": params["learning_rate"] * 3}

    def grow_sooner(trees: LifetimeTrees, *arguments: Any, params: Mapping[str, float], **options: Any) -> Any:
        return grow(trees, *arguments, params=sooner(params), **options)

    patch.setattr(boosting, "defaults", quick)
    patch.setattr(boosting, "DEFAULTS", quick(30_000))
    patch.setattr(LifetimeTrees, "_grow", grow_sooner)
    patch.setattr("models.lifetime.lifetime_trees.MOST_ROWS", 20_000)
    patch.setattr("models.lifetime.fit_state_value.SEASON_TURNS", 1)
    patch.setattr("pipelines.training.tuning.MAX_ROWS", 10_000)
    patch.setattr("pipelines.training.tuning.ROUNDS_JUDGED", (15, 30))
    patch.setattr("pipelines.training.tuning.SLOW", 0.1)
    patch.setattr("pipelines.training.learning_curve.SHARES", (0.5,))
