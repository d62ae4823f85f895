"""What happened with one customer, event by event, out of a history: orders, refunds, late lines, interactions."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from features.clock import microseconds
from features.histories.columns import Histories


@dataclass(frozen=True)
class CustomerEvent:
    """One of them."""

    at: pd.Timestamp
    """UTC."""
    what: str
    amount: float | None
    """Currency units, negative for a refund; None for an interaction."""
    total: float | None
    """What orders and refunds came to by then."""
    value: float | None
    """That of an interaction, if it has one."""
    is_later: bool
    """Whether the scores do not know of it: it happened on their day or after, or was recorded then."""


def customer_events(histories: Histories, *, as_of: date) -> list[CustomerEvent]:
    """All events of the only customer in the histories, the oldest first."""
    columns, units, end = histories.columns, histories.minor_units, microseconds(as_of)
    found = []
    for at, known, cents in zip(
        columns.at.tolist(), columns.known_at.tolist(), columns.amount_cents.tolist(), strict=True
    ):
        found.append((at, known, "order", cents / units, None))
    for at, known, cents in zip(
        columns.adjusted_at.tolist(),
        columns.adjustment_known_at.tolist(),
        columns.adjustment_cents.tolist(),
        strict=True,
    ):
        found.append((at, known, "refund" if cents < 0 else "late line of an order", cents / units, None))
    kinds = list(histories.kinds)
    values = columns.interaction_value.tolist() or [None] * len(columns.interaction_at)
    for at, known, kind, value in zip(
        columns.interaction_at.tolist(),
        columns.interaction_known_at.tolist(),
        columns.interaction_kind.tolist(),
        values,
        strict=True,
    ):
        found.append((at, known, kinds[kind], None, None if value is None or value != value else value))
    found.sort(key=lambda one: one[0])
    told, total = [], 0.0
    for at, known, what, amount, value in found:
        total = round(total + (amount or 0.0), 6)
        is_later = at >= end or known >= end
        told.append(
            CustomerEvent(
                pd.Timestamp(at, unit="us"), what, amount, total if amount is not None else None, value, is_later
            )
        )
    return told
