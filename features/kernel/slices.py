"""Slices: the parts of one customer's history known before `as_of`, which features take as arguments:

    orders        Orders: never empty, net of the refunds known by then
    refunds       Refunds: every refund, netted against its order or not
    items         Items: the lines of the orders
    interactions  Events: interactions of all kinds
    events        Events of one kind: one feature for every kind, named `<kind>_<function>`
    complaint, …  Events of the kind of that name: a feature only of logs that have this kind
    as_of         the cut-off
    days          the length of the window, for a windowed feature

Times are int64 microseconds UTC, ascending within a slice; money is minor units (cents).
"""

from typing import NamedTuple

import numpy as np


class Orders(NamedTuple):
    """The orders known before `as_of`, net of the refunds known before it; never empty.

    An order that was refunded in full is left out. Refunds whose order was not found stand apart.
    """

    at: np.ndarray
    """The time of each order: microseconds UTC, ascending."""
    amount_cents: np.ndarray
    """The amount of each order, net of its refunds: minor units, int64."""
    margin_cents: np.ndarray
    """The margin in it: minor units, float64."""
    discount_cents: np.ndarray
    """The discount on its price: minor units, int64; empty where the log has no `discount`."""
    pieces: np.ndarray
    """Pieces bought: the sum of `quantity`, or the number of lines where the log has none; float64."""
    channel: np.ndarray
    """Code of the channel of its first line, -1 where there is none: int32; empty where the log has no `channel`."""
    refund_at: np.ndarray
    """The time of each refund without an order: microseconds UTC."""
    refund_cents: np.ndarray
    """The amount taken back: minor units, int64, negative."""
    refund_margin_cents: np.ndarray
    """The margin taken back: minor units, float64."""


class Refunds(NamedTuple):
    """Every refund known before `as_of`, whether its order was found or not."""

    at: np.ndarray
    """The time of each: microseconds UTC, ascending."""
    cents: np.ndarray
    """The amount taken back: minor units, int64, negative."""


class Items(NamedTuple):
    """The lines of `orders`, in their order. Empty where the log has neither products nor categories."""

    order: np.ndarray
    """The place in `orders` of the line's order: int64, ascending from 0."""
    product: np.ndarray
    """Products numbered as this customer first bought them (0, 1, …); -1 where the line names none; int64."""
    category: np.ndarray
    """Categories numbered in the same way; int64."""


class InteractionsByKind(NamedTuple):
    """A customer's interactions by kind, then time: kind k in `starts[k]:starts[k + 1]`."""

    starts: np.ndarray
    at: np.ndarray
    value: np.ndarray


class Events(NamedTuple):
    """Interactions known before `as_of`; may be empty."""

    at: np.ndarray
    """The time of each: microseconds UTC, ascending."""
    value: np.ndarray
    """The value of each (a survey's score), NaN where it has none: float64."""


class Slices(NamedTuple):
    """All slices of a customer as of one cut-off."""

    orders: Orders
    refunds: Refunds
    items: Items
    interactions: Events
    kinds: InteractionsByKind
    """May reach beyond the cut-off: `events` are cut out of it."""
