"""What is kept about customers, what for, and how old it is."""

from typing import NamedTuple

import pandas as pd

from features.clock import YEAR_DAYS
from models.prediction import NUMBERS, REASONS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.formatting import counted

TITLE = "What is kept about a customer"
DEFINITION = (
    "Every table that the analyses read: its fields beside the customer's id, what they are used for, how many rows it "
    "has, and the days of its oldest and newest row. This page names no customer unless it was asked to."
)
SOURCE = "Regulation (EU) 2016/679 (GDPR), articles 5 and 30: purpose, minimisation, storage limitation, records."


class Kept(NamedTuple):
    """A table that the base holds."""

    name: str
    rows: pd.DataFrame
    since: str | None
    """The column that says when; None: rows carry no time."""
    purpose: str


def kept(base: CustomerBase) -> list[Kept]:
    """The tables there are, each with what it is used for."""
    scores = base.customers[[name for name in SCORED if name in base.customers]]
    found = [
        Kept("orders", base.orders, "at", "features, labels, every figure in money"),
        Kept("scores", scores, None, "who is at risk, plans, the service"),
        Kept("interactions", _or_empty(base.interactions), "at", "features, satisfaction, early warning"),
        Kept("costs", _or_empty(base.costs), "at", "profit per customer"),
        Kept("treatments", _or_empty(base.treatments), "at", "readouts, quiet days, effects"),
        Kept("customers", _or_empty(base.people), "joined_at", "prospects, causes of churn, share of wallet"),
        Kept("former customers", _or_empty(base.former), "left_at", "churn by cause"),
    ]
    return [one for one in found if len(one.rows)]


SCORED = (*NUMBERS, "segment", *REASONS)
HIDDEN = {"customer", "customer_id"}


def _or_empty(rows: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame() if rows is None else rows


def register(base: CustomerBase) -> pd.DataFrame:
    """A row per table: name, fields (text), purpose, rows, oldest and newest (ISO days, None without times)."""
    return pd.DataFrame([_described(one) for one in kept(base)])


def _described(one: Kept) -> dict[str, object]:
    fields = [name for name in one.rows.columns if name not in HIDDEN and one.rows[name].notna().any()]
    times = one.rows[one.since].dropna() if one.since else pd.Series(dtype="datetime64[us]")
    return {
        "name": one.name,
        "fields": ", ".join(fields),
        "purpose": one.purpose,
        "rows": len(one.rows),
        "oldest": times.min().date().isoformat() if len(times) else None,
        "newest": times.max().date().isoformat() if len(times) else None,
    }


def analyse(base: CustomerBase) -> Analysis:
    """The register of what is kept."""
    table = register(base)
    oldest = pd.Timestamp(min(day for day in table["oldest"] if isinstance(day, str)))
    years = (base.as_of_time - oldest).days / YEAR_DAYS
    return Analysis(
        TITLE,
        DEFINITION,
        SOURCE,
        table,
        {
            "name": TableColumn("Table", "text"),
            "fields": TableColumn("Fields", "text"),
            "purpose": TableColumn("Used for", "text"),
            "rows": TableColumn("Rows", "count"),
            "oldest": TableColumn("Oldest", "text"),
            "newest": TableColumn("Newest", "text"),
        },
        f"{counted(len(table), 'table')} about {counted(len(base.customers), 'customer')} are read, the oldest row "
        f"{years:.1f} years old; an id leaves the house in an export, a contact list, a score that is asked for, or a "
        "report with names.",
        None,
    )
