"""The config's log of orders: read, and reconciled to the cent."""

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.errors import InputError
from features.histories.attributes import AttributeKind
from features.histories.columns import Histories
from features.history_store.asked_log import Inspection
from features.history_store.entry import Entry
from features.history_store.open_histories import HOW, open_histories
from features.history_store.stored_customer import StoredCustomers
from features.history_store.stored_log import StoredLog
from features.ingest.log import Log
from features.ingest.reconciliation import Reconciliation, ReconciliationLine
from pipelines import run_folder
from pipelines.config import Config

WEEK_US = 7 * 86_400_000_000
MONDAY_US = 4 * 86_400_000_000
"""The first Monday after 1970-01-01, a Thursday, in microseconds."""


def read_orders(
    config: Config,
    *,
    now: datetime | None,
    log: Log | None = None,
    kinds: Mapping[str, AttributeKind] | None = None,
    before_us: int | None = None,
    inspect: Inspection | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> StoredLog:
    """The histories of the orders, from the store in the output folder; they are read where it does not have them.

    now: rows after it are in the future (None: not checked). log: the log of the config as a model reads it, or kinds:
    what attributes hold, where a model has learned it. before_us: leave out rows from then on, but keep earlier ones
    that became known later. inspect: a look at the open log. Raises InputError where no row is an order.
    """
    learned = {name: kind for name, kind in (kinds or {}).items() if name in config.log.attributes}
    log = log or (replace(config.log, attribute_kinds=learned) if learned else config.log)
    orders = open_histories(
        log,
        home=config.folder / run_folder.HISTORIES if config.store_bytes else None,
        limit_bytes=config.store_bytes,
        now_us=None if now is None else int(now.timestamp() * 1_000_000),
        memory_bytes=config.memory_bytes,
        before_us=before_us,
        is_fresh=config.is_read_anew,
        inspect=inspect,
        say=say,
    )
    if orders.how not in HOW:
        print(f"stayworth: {orders.how}", file=sys.stderr)
    return orders


def stored_entry(config: Config) -> Entry | None:
    """The config's log in the store, for the rows of few customers; None where it is not there as its files are now."""
    if not config.store_bytes or config.is_read_anew:
        return None
    return StoredCustomers(config.log, config.folder / run_folder.HISTORIES).entry()


def write_reconciliation(config: Config, account: Reconciliation, quarantine: Iterable[pa.Table]) -> int:
    """Write the quarantine and the reconciliation of the orders to the output folder; returns the quarantined rows."""
    rows = run_folder.write_tables(config.folder / run_folder.QUARANTINE, quarantine)
    run_folder.write_json(config.folder / run_folder.RECONCILIATION, reconciliation_rows(account.orders))
    return rows


def reconciliation_rows(lines: list[ReconciliationLine]) -> list[dict[str, str | int]]:
    """A reconciliation as JSON rows: what, rows, amount (text, exact)."""
    return [{"what": line.what, "rows": line.rows, "amount": str(line.amount)} for line in lines]


def refuse_input_as_output(config: Config, targets: list[Path]) -> None:
    """Raise InputError if a file to write is one of the files of the log, or of those side tables that exist."""
    log = config.log
    inputs = {file.resolve() for source in log.tables.values() for file in source.paths()}
    for source in log.books.values():
        with suppress(InputError):
            inputs |= {file.resolve() for file in source.paths()}
    for target in targets:
        if target.resolve() in inputs:
            raise InputError("is one of the log's own files", where=str(target), next="Name another file with -o.")


def refuse_too_early(first_day: date, end: date, *, as_of: date) -> None:
    """Raise InputError for a day before which no customer had ordered."""
    if as_of <= first_day:
        raise InputError(
            f"no customer had ordered before {as_of}; the first order is of {first_day}",
            where="--as-of",
            next=f"Name a later day, e.g. {end}.",
        )


def weeks_of(histories: Histories) -> list[dict[str, Any]]:
    """Orders and revenue of each week of the log, with weeks without any: week (its Monday), orders, revenue.

    Revenue is that of the orders as they were placed, in currency units.
    """
    columns = histories.columns
    week = (columns.at - MONDAY_US) // WEEK_US
    first, count = int(week.min()), int(week.max() - week.min()) + 1
    orders = np.bincount(week - first, minlength=count)
    cents = np.bincount(week - first, weights=columns.amount_cents, minlength=count)
    mondays = ((first + np.arange(count)) * WEEK_US + MONDAY_US).astype("datetime64[us]").astype("datetime64[D]")
    return [
        {"week": str(monday), "orders": int(placed), "revenue": round(float(money) / histories.minor_units, 2)}
        for monday, placed, money in zip(mondays, orders, cents, strict=True)
    ]
