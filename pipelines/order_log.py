"""The config's log of orders: read, and reconciled to the cent."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from features.clock import day_of
from features.errors import InputError
from features.histories.attributes import AttributeKind
from features.histories.columns import Histories
from features.ingest.build_histories import Ingested, ingest, no_order
from features.ingest.open_log import Reading
from features.ingest.reconciliation import Reconciliation, ReconciliationLine
from pipelines import run_folder
from pipelines.config import Config

WEEK_US = 7 * 86_400_000_000
MONDAY_US = 4 * 86_400_000_000
"""The first Monday after 1970-01-01, a Thursday, in microseconds."""


def read_orders(config: Config, *, now: datetime, kinds: Mapping[str, AttributeKind] | None = None) -> Ingested:
    """Read the orders; nothing is written. kinds: what attributes hold, where a model has learned it."""
    learned = {name: kind for name, kind in (kinds or {}).items() if name in config.log.attributes}
    log = replace(config.log, attribute_kinds=learned) if learned else config.log
    return ingest(log, now_us=int(now.timestamp() * 1_000_000))


def write_reconciliation(config: Config, account: Reconciliation, quarantine: Iterable[pa.Table]) -> None:
    """Write the quarantine and the reconciliation of the orders to the output folder."""
    run_folder.write_tables(config.folder / run_folder.QUARANTINE, quarantine)
    run_folder.write_json(config.folder / run_folder.RECONCILIATION, reconciliation_rows(account.orders))


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


def extent(opened: Reading) -> tuple[date, date]:
    """The day of the first order and the day after the last event; raises InputError where there is no order."""
    first, last = opened.rows('select min("at") filter (cents >= 0), max("at") from usable_orders')[0]
    if first is None:
        raise no_order(opened)
    return day_of(first), day_of(last) + timedelta(days=1)


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
