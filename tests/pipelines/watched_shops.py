"""Shops that stand still, and shops to which something happens on a day: the monitor is to tell them apart.

Customers come at a steady rate, order as Poisson processes of their own rates until they leave for good, and visit
three times as often; a fifth of them never visit. What happens after the model was made is one of `HAPPENS`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

FIRST, DAYS = date(2020, 1, 1), 500
MADE = FIRST + timedelta(days=420)
HORIZON_DAYS = 60
BATCH = MADE + timedelta(days=5)
AS_OF = FIRST + timedelta(days=DAYS)
LIFE_DAYS, GAP_DAYS, AMOUNT = 250, 20, 30.0
COMING_PER_DAY = 3.0
CHANNELS = ("shop", "web")


@dataclass(frozen=True)
class Shop:
    """The log of a shop."""

    orders: pd.DataFrame
    interactions: pd.DataFrame


@dataclass(frozen=True)
class World:
    """How things are from a day on."""

    leaving: float = 1.0
    """How many times as fast customers leave."""
    ordering: float = 1.0
    """Share of their orders that is in the log."""
    price: float = 1.0
    visits: float = 1.0
    """Share of their visits that is in the log."""
    app: float = 0.0
    """Share of the orders by a new channel."""
    renamed: bool = False
    """Whether the log names every customer by another id."""


HAPPENS: dict[str, World] = {
    "churn doubles": World(leaving=4.0),
    "prices rise by 40 %": World(price=1.4),
    "prices fall by 30 %": World(price=0.7),
    "amounts come in cents": World(price=100.0),
    "visits come no more": World(visits=0.0),
    "one visit in four arrives": World(visits=0.25),
    "a new channel": World(app=0.6),
    "one order in two is lost": World(ordering=0.5),
    "customers get new ids": World(renamed=True),
    "all of it at once": World(leaving=2.0, price=1.2, visits=0.5, app=0.3),
}
"""Ten kinds; twice each is the twenty of the check."""


def shop(seed: int, after: World | None = None) -> Shop:
    """A shop of some 2,400 customers, 500 days from `FIRST` on; `after`: how it is from `MADE` on, if not as before."""
    world, rng = after or World(), np.random.default_rng(seed)
    made = (MADE - FIRST).days
    customers = rng.poisson(COMING_PER_DAY * (DAYS + 300))
    come = rng.uniform(-300, DAYS, customers)
    gone = come + rng.exponential(LIFE_DAYS, customers)
    gone = np.where(gone > made, np.maximum(come, made) + (gone - np.maximum(come, made)) / world.leaving, gone)
    rate = rng.gamma(3, 1 / 3, customers) / GAP_DAYS
    mean = AMOUNT * np.exp(rng.normal(0, 0.5, customers))
    ids = np.array([f"{seed:03d}-{number:05d}" for number in range(customers)])

    who, day = _events(rng, rate, come, gone, thinned=world.ordering, from_day=made)
    channel = np.where(rng.random(len(who)) < 0.3, CHANNELS[0], CHANNELS[1])
    channel = np.where((day >= made) & (rng.random(len(who)) < world.app), "app", channel)
    amount = mean[who] * np.exp(rng.normal(0, 0.4, len(who))) * np.where(day >= made, world.price, 1)
    named = np.where((day >= made) & world.renamed, np.char.add("x", ids[who]), ids[who])
    orders = _dated(named, day).assign(amount=amount.round(2), channel=channel)

    visiting = rate * 3 * (rng.random(customers) < 0.8)
    who, day = _events(rng, visiting, come, gone, thinned=world.visits, from_day=made)
    visits = _dated(ids[who], day).rename(columns={"ordered_at": "at"}).assign(kind="visit")
    return Shop(orders, visits)


def with_campaign(shop: Shop, treated: Collection[str], *, save_rate: float, seed: int) -> Shop:
    """The shop after a campaign on `BATCH`: of the treated who order nothing in the horizon, so many do after all."""
    rng, end = np.random.default_rng(seed), BATCH + timedelta(days=HORIZON_DAYS)
    within = shop.orders["ordered_at"].between(pd.Timestamp(BATCH), pd.Timestamp(end), inclusive="left")
    silent = sorted(set(treated) - set(shop.orders["customer_id"][within]))
    saved = np.array(silent, dtype=object)[rng.random(len(silent)) < save_rate]
    counts = 1 + rng.poisson(1, len(saved))
    day = (BATCH - FIRST).days + rng.uniform(0, HORIZON_DAYS, counts.sum())
    more = _dated(np.repeat(saved, counts), day).assign(amount=AMOUNT, channel=CHANNELS[1])
    return Shop(pd.concat([shop.orders, more], ignore_index=True), shop.interactions)


def _events(
    rng: np.random.Generator, rate: np.ndarray, come: np.ndarray, gone: np.ndarray, *, thinned: float, from_day: float
) -> tuple[np.ndarray, np.ndarray]:
    """Customer and day of each event; a share `thinned` of those after `from_day` takes place."""
    counts = rng.poisson(rate * (gone - come))
    who = np.repeat(np.arange(len(rate)), counts)
    day = rng.uniform(come[who], gone[who])
    there = (day >= 0) & (day < DAYS) & ((day < from_day) | (rng.random(len(day)) < thinned))
    return who[there], day[there]


def _dated(customers: np.ndarray, day: np.ndarray) -> pd.DataFrame:
    at = pd.Timestamp(FIRST) + pd.to_timedelta((day * 86400).astype(np.int64), unit="s")
    return pd.DataFrame({"customer_id": customers.astype(str), "ordered_at": at})
