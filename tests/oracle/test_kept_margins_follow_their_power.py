"""The margin that the kept bring within a window is about a power of what they add in all, in every world."""

from datetime import date

import numpy as np
import pytest

from pipelines.simulator import parameters
from pipelines.simulator.scenario import Scenario, customer_chunk
from pipelines.simulator.truth import truth
from pipelines.simulator.worlds import WORLDS
from pipelines.simulator.worth import contribution, order_margin, refunded
from retention.measurement.kept_margin import DOUBT, MeasuredMargin

SHOP = {"customers": 1500, "days": 900, "seed": 11, "as_of": date(2024, 9, 1)}


@pytest.mark.parametrize("world", [name for name, world in WORLDS.items() if world.contract is None])
def test_the_window_of_a_campaign_speaks_of_the_whole_gain(world):
    """Of the hundred customers whom keeping is worth most: the truth of the window lies within two doubts of it."""
    shop = Scenario(**SHOP, world_name=world)
    chunk = customer_chunk(shop, np.arange(shop.customers))
    customers = chunk.customers
    true = truth(customers, chunk.lifetimes.stage(shop.day), day=shop.day)
    best = true["gain"].nlargest(200).index.to_numpy()
    p, savable = true["churn_probability"], true["savable_probability"]
    order = savable * order_margin(customers) * (1 - refunded(customers))
    within = savable * true["expected_value"] / (1 - p).where(p < 1, 1)
    known = MeasuredMargin(0.0, 1.0, true["gain"][best].mean(), order[best].mean(), parameters.HORIZON_DAYS)
    missed = np.log(within[best].mean() / known.of_all_kept(np.array(1.0)))
    assert abs(missed) < 2 * DOUBT, f"{missed:+.2f}"
    assert contribution(customers)[best].min() > 0
