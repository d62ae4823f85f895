"""Customers as a shop's books have them, beside the slices that a feature is given for them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
import pytest

from features.clock import DAY
from features.kernel.slices import Events, Items, Orders, Refunds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KINDS = ("complaint", "campaign_contact", "campaign_response")


@dataclass
class Order:
    """An order as a shop's books have it: its price, and each refund of it apart."""

    at: datetime
    paid: int
    margin: float = 1.5
    discount: int = 0
    channel: int = -1
    refunds: list[tuple[datetime, int]] = field(default_factory=list)
    lines: list[tuple[str | None, str | None, int]] = field(default_factory=list)
    """Product, category, pieces."""

    @property
    def net(self) -> int:
        return self.paid - sum(cents for _, cents in self.refunds)


@dataclass
class Customer:
    books: list[Order]
    """Every order, those refunded in full included; `orders` are the others."""
    as_of: datetime
    loose: list[tuple[datetime, int, float]] = field(default_factory=list)
    """Refunds without an order: when, cents and margin taken back."""
    log: list[tuple[datetime, str, float]] = field(default_factory=list)
    """Interactions: when, kind and value."""

    def __post_init__(self) -> None:
        self.orders = [one for one in self.books if not one.refunds or one.net > 0]
        self.times = [one.at for one in self.orders]
        self.net = [one.net for one in self.orders]
        self.spent = sum(self.net) - sum(cents for _, cents, _ in self.loose)
        self.margin = sum(one.margin for one in self.orders) - sum(margin for _, _, margin in self.loose)
        self.refunds = sorted([r for one in self.books for r in one.refunds] + [(at, c) for at, c, _ in self.loose])
        self.lines = [(one.at, *line) for one in self.orders for line in one.lines]

    def kind(self, kind: str | None = None) -> list[tuple[datetime, float]]:
        """The interactions of a kind, or all, in the order of time."""
        told = [(at, value) for at, name, value in self.log if kind in (None, name)]
        return sorted(told, key=lambda event: event[0])


def us(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def numbered(names: list[str | None]) -> np.ndarray:
    """Numbers in the order of first mention, -1 for none."""
    known = list(dict.fromkeys(name for name in names if name is not None))
    return np.array([-1 if name is None else known.index(name) for name in names], np.int64)


def slices_of(c: Customer) -> dict[str, object]:
    """What the kernel would hand to a feature for this customer; `events` are the complaints."""

    def events(kind: str | None = None) -> Events:
        return Events(ints([us(at) for at, _ in c.kind(kind)]), np.array([v for _, v in c.kind(kind)], np.float64))

    def ints(values: list[int]) -> np.ndarray:
        return np.array(values, np.int64)

    orders = Orders(
        at=ints([us(at) for at in c.times]),
        amount_cents=ints(c.net),
        margin_cents=np.array([one.margin for one in c.orders]),
        discount_cents=ints([one.discount for one in c.orders]),
        pieces=np.array([float(sum(pieces for *_, pieces in one.lines)) for one in c.orders]),
        channel=np.array([one.channel for one in c.orders], np.int32),
        refund_at=ints([us(at) for at, _, _ in c.loose]),
        refund_cents=ints([-cents for _, cents, _ in c.loose]),
        refund_margin_cents=np.array([-margin for *_, margin in c.loose], np.float64),
    )
    items = Items(
        order=ints([i for i, one in enumerate(c.orders) for _ in one.lines]),
        product=numbered([line[1] for line in c.lines]),
        category=numbered([line[2] for line in c.lines]),
    )
    refunds = Refunds(ints([us(at) for at, _ in c.refunds]), ints([-cents for _, cents in c.refunds]))
    kinds = {kind: events(kind) for kind in KINDS}
    given = {"orders": orders, "items": items, "refunds": refunds, "interactions": events(), "as_of": us(c.as_of)}
    return given | kinds | {"events": kinds["complaint"]}


def customer(seed: int) -> Customer:
    draw = Random(seed)
    as_of = datetime(draw.randint(1960, 2030), draw.randint(1, 12), draw.randint(1, 28), tzinfo=UTC)

    def before(end: datetime) -> datetime:
        """Up to some years earlier; often just before, or exactly as long ago as a window is."""
        us = draw.choice([1, draw.choice([1, 30, 90, 180, 365]) * DAY, *(draw.randint(1, 900 * DAY) for _ in "abc")])
        return end - timedelta(microseconds=us)

    books = []
    for _ in range(draw.choice([1, 2, 3, draw.randint(1, 12)])):
        paid = draw.choice([0, *(draw.randint(1, 90_000) for _ in "abc")])
        one = Order(before(as_of), paid, draw.uniform(-99, 99), draw.randint(0, 500), draw.randint(-1, 3))
        one.lines = [
            (draw.choice([None, *"abcde"]), draw.choice([None, *"xyz"]), draw.randint(1, 9))
            for _ in range(draw.randint(1, 4))
        ]
        if paid and books and draw.random() < 0.3:  # never the first, so that one order at least stays
            one.refunds = [(one.at + (as_of - one.at) // 2, draw.choice([paid, draw.randint(1, paid)]))]
        books.append(one)
    books.sort(key=lambda one: one.at)
    loose = [(before(as_of), draw.randint(1, 9_000), draw.uniform(0, 9)) for _ in range(draw.choice([0, 0, 1, 3]))]
    log = [
        (before(as_of), draw.choice([*KINDS, "visit"]), draw.choice([float("nan"), float(draw.randint(-5, 5))]))
        for _ in range(draw.choice([0, draw.randint(1, 15)]))
    ]
    return Customer(books, as_of, loose, log)


@pytest.fixture(scope="session")
def customers() -> list[tuple[Customer, dict[str, object]]]:
    """Drawn customers, and those at the edges."""
    noon = datetime(2024, 2, 29, 12, tzinfo=UTC)
    soon, later = noon + timedelta(microseconds=1), noon + timedelta(days=30)
    edges = [
        Customer([Order(noon, 500)], soon),
        Customer([Order(noon, 0)], later, loose=[(noon, 20, 1.0)]),
        Customer([Order(noon, 500), Order(noon, 700), Order(noon, 900)], soon),
        Customer([Order(noon - timedelta(days=7 * i), 100) for i in (3, 2, 1, 0)], noon + timedelta(days=7)),
        Customer([Order(noon, 500, refunds=[(noon, 500)]), Order(noon, 700)], later),
    ]
    return [(c, slices_of(c)) for c in [*edges, *map(customer, range(200))]]
