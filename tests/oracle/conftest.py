"""The made-up shop as it stands on a day, and any number of futures of its customers."""

from datetime import date

import numpy as np
import pytest

from pipelines.simulator.lifetimes import draw_lifetimes
from pipelines.simulator.scenario import Scenario, customer_chunk


@pytest.fixture(scope="session")
def shop():
    return Scenario(customers=20_000, days=730, seed=7, as_of=date(2025, 1, 1))


@pytest.fixture(scope="session")
def base(shop):
    """Its first 20,000 customers, as they live without any contact."""
    return customer_chunk(shop, np.arange(shop.customers))


@pytest.fixture(scope="session")
def stage(shop, base):
    return base.lifetimes.stage(shop.day)


@pytest.fixture(scope="session")
def futures(shop):
    """Futures of customers from the shop's day on, in their stage, each with the branch of its own; not ended."""

    def drawn(customers, stage, *, branch):
        everyone = np.arange(len(customers))
        return draw_lifetimes(customers, everyone, seed=shop.seed, branch=branch, start=float(shop.day), stage=stage)

    return drawn
