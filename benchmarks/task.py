"""The task of every contestant: the same log, the same days, the same 28 columns.

Only the standard library: the contestants' own environments import it.
"""

from datetime import date
from pathlib import Path
from typing import NamedTuple

DAY = 86_400_000_000
"""Microseconds."""

CUT_OFFS = [*(date(2024, month, 1) for month in range(2, 13)), date(2025, 1, 1)]
WINDOWS = (30, 90, 180, 365)

FEATURES = (
    "recency_days",
    "tenure_days",
    "orders",
    "repeat_orders",
    *(f"orders_last_{days}d" for days in WINDOWS),
    "spend_total",
    "spend_mean",
    "spend_max",
    "spend_first_order",
    "spend_last_order",
    *(f"spend_last_{days}d" for days in WINDOWS),
    "gap_mean_days",
    "gap_std_days",
    "interactions",
    *(f"interactions_last_{days}d" for days in WINDOWS),
    "interaction_recency_days",
    "interactions_per_order",
    "complaint_count",
    "complaint_recency_days",
)
"""A row per customer with an order before the day; a window is [day - N, day); undefined values are NaN or null."""


class Files(NamedTuple):
    """Two Parquet files sorted by time; times are UTC without a zone, in microseconds."""

    orders: Path
    """customer_id (text), ordered_at, amount (whole cents, as a float of currency units)."""
    interactions: Path
    """customer_id (text), at, kind (text)."""


def midnight(day: date) -> int:
    """Midnight UTC in microseconds since 1970."""
    return (day - date(1970, 1, 1)).days * DAY
