"""Generated logs so crowded that every rule meets every other: few ids, few instants, few amounts, many refunds."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.families.catalogue import catalogue
from features.ingest.schema import ORDERS
from features.snapshots.snapshot import snapshot

START = pd.Timestamp("2020-01-01")
KINDS = ("campaign_contact", "campaign_response", "complaint", "visit")
FULL = list(catalogue(frozenset({*ORDERS, "interactions", "value"}), KINDS))
"""The features of a log with every column."""


def orders_of(rng, customers, *, days, products):
    count = 8 * customers
    cents = rng.choice([0, 300, 500, 500, 800, 1234], count)
    cents[rng.random(count) < 0.4] *= -1
    return pd.DataFrame(
        {
            "customer_id": some_of(rng, customers, count),
            "ordered_at": instants(rng, count, days),
            "amount": [f"{one / 100:.2f}" for one in cents],
            "order_id": blanked(rng, rng.choice(["a", "b", "7", "12", "012"], count), 0.3),
            "product_id": blanked(rng, rng.choice(products, count), 0.2),
            "category": blanked(rng, rng.choice(["x", "y", "z", "w"], count), 0.2),
            "quantity": blanked(rng, rng.choice(["1", "2", "0.1", "0.2", "0.3"], count), 0.1),
            "cost": blanked(rng, rng.choice(["0.1003", "0.5", "1.2", "2.0007", "7"], count), 0.2),
            "discount": blanked(rng, rng.choice(["0", "0.5", "1.25"], count), 0.2),
            "channel": blanked(rng, rng.choice(["web", "shop", "app"], count), 0.2),
        }
    )


def interactions_of(rng, customers, *, days):
    count = 6 * customers
    rows = pd.DataFrame({"customer_id": some_of(rng, customers, count), "at": instants(rng, count, days)})
    rows["kind"] = rng.choice(KINDS, count)
    rows["value"] = blanked(rng, [f"{one:.2f}" for one in rng.normal(0, 5, count)], 0.3)
    first = pd.DataFrame({"customer_id": "c000", "at": START, "kind": KINDS, "value": "1"})
    return pd.concat([first, rows], ignore_index=True)


def some_of(rng, customers, count):
    return [f"c{one:03d}" for one in rng.integers(0, customers, count)]


def instants(rng, count, days):
    return START + pd.to_timedelta(rng.integers(0, 4 * days, count) * 6, "h")


def blanked(rng, values, share):
    return pd.Series(values, dtype="string").mask(rng.random(len(values)) < share)


def recorded(rng, at):
    """A moment for each: often at once, up to 15 days late, sometimes before it happened or not said."""
    late = np.where(rng.random(len(at)) < 0.5, 0, rng.integers(-4, 60, len(at)) * 6)
    return (at + pd.to_timedelta(late, "h")).mask(rng.random(len(at)) < 0.1)


@pytest.fixture(scope="session")
def crowd():
    """Makes the orders and interactions of some customers over 30 days from a seed; with recorded_at where `late`."""

    def make(seed, *, customers=300, late=True, products=("mug", "hat", "pen")):
        rng = np.random.default_rng(seed)
        tables = orders_of(rng, customers, days=30, products=products), interactions_of(rng, customers, days=30)
        first = tables[0].head(1).assign(customer_id="c000", ordered_at=START, amount="1.00")
        tables = pd.concat([first, tables[0]], ignore_index=True), tables[1]
        if late:
            for table, at in zip(tables, ("ordered_at", "at"), strict=True):
                table["recorded_at"] = recorded(rng, table[at]).where(table.index >= len(KINDS), table[at])
        return tables

    return make


@pytest.fixture(scope="session")
def rows_of(read):
    """The feature rows of a log as of days counted from the start; all features there are, unless told otherwise."""

    def make(orders, interactions=None, *, day, known=None, features=FULL):
        days = [day_of(one) for one in (day if isinstance(day, list) else [day])]
        limit = None if known is None else day_of(known)
        tables = {"orders": orders, "interactions": interactions}
        files = {table: {"recorded_at": "recorded_at"} for table, rows in tables.items() if isinstance(rows, Path)}
        histories = read(orders, interactions=interactions, mapping=files).histories
        return snapshot(histories, as_of=days, known_at=limit, features=features).to_pandas()

    return make


def day_of(number: int) -> date:
    """The day that many days after the start."""
    return START.date() + timedelta(days=number)
