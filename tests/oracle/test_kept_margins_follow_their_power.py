"""The margin that the kept bring within a window is about a power of what they add in all, in every world and story."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from pipelines.simulator import parameters
from pipelines.simulator.kept_value import kept_in_horizon
from pipelines.simulator.scenario import Scenario, customer_chunk
from pipelines.simulator.truth import truth
from pipelines.simulator.worlds import WORLDS
from pipelines.simulator.worth import order_margin, refunded
from retention.measurement.kept_margin import DOUBT, MeasuredMargin

SHOP = {"customers": 1500, "days": 900, "seed": 11, "as_of": date(2024, 9, 1)}
LIST = 200
"""Customers whom keeping is worth most, where the kept have another future."""


@pytest.mark.parametrize("world", [name for name, world in WORLDS.items() if world.contract is None])
def test_the_window_of_a_campaign_speaks_of_the_whole_gain(world):
    """The truth of the window lies within two and a half doubts of the power of the true gain."""
    shop = Scenario(**SHOP, world_name=world)
    chunk = customer_chunk(shop, np.arange(shop.customers))
    stage = chunk.lifetimes.stage(shop.day)
    best = truth(chunk.customers, stage, day=shop.day)["gain"].nlargest(LIST).index.to_numpy()
    for story in parameters.KEPT:
        customers = chunk.customers.take(best)
        customers = replace(customers, world=replace(customers.world, kept=story))
        true = truth(customers, stage[best], day=shop.day)
        savable = true["savable_probability"].to_numpy()
        order = (savable * order_margin(customers) * (1 - refunded(customers))).mean()
        within = (savable * kept_in_horizon(customers, true, day=shop.day)[1]).mean()
        known = MeasuredMargin(0.0, 1.0, true["gain"].mean(), order, parameters.HORIZON_DAYS)
        missed = np.log(within / known.of_all_kept(np.array(1.0)))
        assert abs(missed) < 2.5 * DOUBT, f"{story}: {missed:+.2f}"
