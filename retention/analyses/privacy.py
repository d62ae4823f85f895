"""Register of the customer data kept: tables, fields, purposes and ages."""

from typing import NamedTuple

import pandas as pd

from features.clock import YEAR_DAYS
from models.prediction import DATES, NUMBERS, REASONS
from retention.customer_base.customer_base import CustomerBase
from retention.presentation.analysis import Analysis, TableColumn
from retention.presentation.formatting import counted

TITLE = "What is kept about a customer"
DEFINITION = (
    "Every table that the analyses read: its fields apart from the customer's id, what they are used for, the number "
    "of rows, and the days of the oldest and the newest row. This page names customers only if it was asked to."
)
SOURCE = "Regulation (EU) 2016/679 (GDPR), articles 5 and 30: purpose, minimisation, storage limitation, records."


class StoredTable(NamedTuple):
    """A table of the base, with what it is used for."""

    name: str
    rows: pd.DataFrame
    since: str | None
    """Column with the time of a row; None: rows have no time."""
    purpose: str


def stored_tables(base: CustomerBase) -> list[StoredTable]:
    """List the tables that have rows."""
    scores = base.customers[[name for name in SCORE_COLUMNS if name in base.customers]]
    tables = [
        StoredTable("orders", base.orders, "at", "features, labels, all amounts of money"),
        StoredTable("scores", scores, None, "customers at risk, plans, the service"),
        StoredTable("interactions", _or_empty(base.interactions), "at", "features, satisfaction, early warnings"),
        StoredTable("costs", _or_empty(base.costs), "at", "profit per customer"),
        StoredTable("treatments", _or_empty(base.treatments), "at", "readouts, days between contacts, offer effects"),
        StoredTable("customers", _or_empty(base.people), "joined_at", "prospects, causes of churn, share of wallet"),
        StoredTable("former customers", _or_empty(base.former), "left_at", "churn by cause"),
    ]
    return [table for table in tables if len(table.rows)]


SCORE_COLUMNS = (*NUMBERS, *DATES, "segment", *REASONS)
ID_COLUMNS = {"customer", "customer_id"}


def _or_empty(rows: pd.DataFrame | None) -> pd.DataFrame:
    return pd.DataFrame() if rows is None else rows


def data_register(base: CustomerBase) -> pd.DataFrame:
    """The register, a row per table: name, fields (text), purpose, rows, oldest and newest (ISO days, None without
    times)."""
    return pd.DataFrame([_describe(table) for table in stored_tables(base)])


def _describe(table: StoredTable) -> dict[str, object]:
    fields = [name for name in table.rows.columns if name not in ID_COLUMNS and table.rows[name].notna().any()]
    times = table.rows[table.since].dropna() if table.since else pd.Series(dtype="datetime64[us]")
    return {
        "name": table.name,
        "fields": ", ".join(fields),
        "purpose": table.purpose,
        "rows": len(table.rows),
        "oldest": times.min().date().isoformat() if len(times) else None,
        "newest": times.max().date().isoformat() if len(times) else None,
    }


def analyse(base: CustomerBase) -> Analysis:
    """Show the register."""
    table = data_register(base)
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
        f"The analyses read {counted(len(table), 'table')} about {counted(len(base.customers), 'customer')}; the "
        f"oldest row is {years:.1f} years old. Customer ids leave the system in exports, contact lists, requested "
        "scores and reports with names.",
        None,
    )
