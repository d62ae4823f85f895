"""The made-up shop as it stands on a day, and any number of futures of its customers."""

from datetime import date

import numpy as np
import pytest

from pipelines.simulator.lifetimes import lifetimes
from pipelines.simulator.scenario import Shop, part


@pytest.fixture(scope="session")
def shop():
    return Shop(customers=20_000, days=730, seed=7, as_of=date(2025, 1, 1))


@pytest.fixture(scope="session")
def base(shop):
    """Its first 20,000 customers, as they live without any contact."""
    return part(shop, np.arange(shop.customers))


@pytest.fixture(scope="session")
def stage(shop, base):
    return base.lifetimes.stage(shop.day)


@pytest.fixture(scope="session")
def futures(shop):
    """Futures of people from the shop's day on, in their stage, each with the branch of its own; not ended."""

    def drawn(people, stage, *, branch):
        everyone = np.arange(len(people))
        return lifetimes(people, everyone, seed=shop.seed, branch=branch, start=float(shop.day), stage=stage)

    return drawn
