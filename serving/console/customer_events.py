"""Events of one customer, read from a history: orders, refunds, late order lines, interactions."""

from dataclasses import dataclass
from datetime import date

import pandas as pd

from features.clock import microseconds
from features.histories.columns import Histories


@dataclass(frozen=True)
class CustomerEvent:
    """An order, a refund, a late order line or an interaction."""

    at: pd.Timestamp
    """UTC."""
    kind: str
    amount: float | None
    """Currency units, negative for a refund; None for an interaction."""
    total: float | None
    """Running total of orders and refunds; None for an interaction."""
    value: float | None
    """Value of an interaction, if it has one."""
    is_later: bool
    """True if the scores do not reflect the event: it happened, or was recorded, on their day or later."""


def customer_events(histories: Histories, *, as_of: date) -> list[CustomerEvent]:
    """List all events of the only customer in the histories, the oldest first."""
    columns, units, end = histories.columns, histories.minor_units, microseconds(as_of)
    rows = []
    for at, known, cents in zip(
        columns.at.tolist(), columns.known_at.tolist(), columns.amount_cents.tolist(), strict=True
    ):
        rows.append((at, known, "order", cents / units, None))
    for at, known, cents in zip(
        columns.adjusted_at.tolist(),
        columns.adjustment_known_at.tolist(),
        columns.adjustment_cents.tolist(),
        strict=True,
    ):
        rows.append((at, known, "refund" if cents < 0 else "late order line", cents / units, None))
    kinds = list(histories.kinds)
    values = columns.interaction_value.tolist() or [None] * len(columns.interaction_at)
    for at, known, kind, value in zip(
        columns.interaction_at.tolist(),
        columns.interaction_known_at.tolist(),
        columns.interaction_kind.tolist(),
        values,
        strict=True,
    ):
        rows.append((at, known, kinds[kind], None, None if value is None or value != value else value))
    rows.sort(key=lambda row: row[0])
    listed, total = [], 0.0
    for at, known, kind, amount, value in rows:
        total = round(total + (amount or 0.0), 6)
        is_later = at >= end or known >= end
        listed.append(
            CustomerEvent(
                pd.Timestamp(at, unit="us"), kind, amount, total if amount is not None else None, value, is_later
            )
        )
    return listed
