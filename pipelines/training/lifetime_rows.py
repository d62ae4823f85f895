"""The rows that lifetime values are learned on: customers at cut-offs over the whole log, what followed, and how they
stood a year later (models/lifetime/lattice.py)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrays import Integers
from features.clock import DAY
from features.histories.columns import Histories
from features.snapshots.labels import has_left, orders_and_margin
from features.snapshots.snapshot import snapshot
from models.lifetime.lattice import (
    MIN_YEARS_BACK,
    QUARTER,
    YEAR,
    Lattice,
    LifetimeRows,
    is_one_cohort,
    lattice_of,
    row_later,
)
from pipelines.training.serving_costs import costs_between

MOST_ROWS = 150_000
"""More rows teach little more: of larger logs, customers are drawn."""
FEWEST_ROWS = 300
"""Rows with a closed year: with fewer, counting models are the better guess."""
BLOCK = 50
"""Customers drawn together, neighbours by id."""


def lifetime_rows(
    histories: Histories, *, as_of: date, features: Sequence[str], costs: pd.DataFrame | None = None
) -> LifetimeRows | None:
    """The rows of a lattice up to a day; None if the log is too short, or its customers too few or of one cohort.

    costs: costs to serve, as pipelines/training/serving_costs.py reads them; None where the log has none.
    """
    lattice = lattice_of(histories.first_day, as_of=as_of, is_contractual=histories.contractual)
    first_days = histories.columns.at[histories.columns.starts[:-1]] // DAY
    if lattice is None or (
        lattice.window_months == QUARTER and not histories.contractual and is_one_cohort(first_days)
    ):
        return None
    tables = list(_tables(histories, lattice, features, costs))
    table = pa.concat_tables(tables) if tables else None
    if table is None or table.num_rows == 0:
        return None
    order = np.lexsort((-table["months_back"].to_numpy(), pd.factorize(table["customer_id"].to_numpy())[0]))
    frame = table.take(pa.array(order)).to_pandas(date_as_object=False)
    months_back = frame.pop("months_back").to_numpy(np.int64)
    if int((months_back >= (lattice.window_months if histories.contractual else YEAR)).sum()) < FEWEST_ROWS:
        return None
    windows = range(lattice.near_windows)
    labels = {
        what: np.column_stack([frame.pop(f"{what}_{window}").to_numpy(np.float64) for window in windows])
        for what in ("orders", "margin")
    }
    return LifetimeRows(
        lattice,
        frame,
        months_back,
        row_later(frame["customer_id"], months_back, YEAR),
        **labels,
        costs=None if costs is None else frame.pop("costs").to_numpy(np.float64),
        left=frame.pop("left").to_numpy(bool) if histories.contractual else None,
    )


def rows_years_before(rows: LifetimeRows, years: int) -> LifetimeRows | None:
    """The rows as they were known a number of years before: what closed later is unknown, what came later left out.

    None if the log was too short then, or its customers too few. They are those of a training as of that day, but for
    windows of a year where the log was not long enough for them yet, and for which customers of a large log are drawn.
    """
    months, is_contractual, length = years * YEAR, rows.left is not None, rows.lattice.window_months
    least = 2 * QUARTER if is_contractual else YEAR + MIN_YEARS_BACK
    if rows.lattice.months_back - months < least:
        return None
    lattice = replace(rows.lattice, as_of=rows.lattice.day(months), months_back=rows.lattice.months_back - months)
    known = rows.months_back >= months
    months_back = rows.months_back[known] - months
    if int((months_back >= (length if is_contractual else YEAR)).sum()) < FEWEST_ROWS:
        return None
    later = rows.year_later[known]
    later = np.where(later >= 0, (np.cumsum(known) - 1)[later], later)
    is_open = months_back[:, None] < length * (np.arange(lattice.near_windows) + 1)
    orders, margin = (
        np.where(is_open, np.nan, labels[known, : lattice.near_windows]) for labels in (rows.orders, rows.margin)
    )
    return LifetimeRows(
        lattice,
        rows.frame[known].reset_index(drop=True),
        months_back,
        np.where(months_back >= YEAR, later, -2),
        orders,
        margin,
        left=None if rows.left is None else rows.left[known],
        costs=None if rows.costs is None else rows.costs[known],
    )


def drawn_spans(customers: int, *, cut_offs: int) -> list[tuple[int, int]]:
    """Spans of customers by number: all of them, or blocks drawn at random where all would be too many rows."""
    share = MOST_ROWS * 2 / (customers * cut_offs)
    if share >= 1:
        return [(0, customers)]
    blocks = -(-customers // BLOCK)
    drawn = np.sort(np.random.default_rng(0).choice(blocks, max(int(blocks * share), 1), replace=False))
    return [(block * BLOCK, min((block + 1) * BLOCK, customers)) for block in drawn.tolist()]


def _tables(
    histories: Histories, lattice: Lattice, features: Sequence[str], costs: pd.DataFrame | None
) -> Iterator[pa.Table]:
    """The rows with their labels, of all customers or of blocks of them drawn at random."""
    days = [lattice.day(back) for back in range(lattice.months_back, -1, -1)]
    backs = {pd.Timestamp(day): lattice.months_back - place for place, day in enumerate(days)}
    for first, last in drawn_spans(histories.customers, cut_offs=len(days)):
        part = histories.span(first, last)
        table = snapshot(part, as_of=days, features=list(features))
        months_back = pd.Series(table["as_of"].to_pandas(date_as_object=False)).map(backs).to_numpy(np.int64)
        yield _labelled(part, lattice, table, months_back, costs)


def _labelled(
    histories: Histories, lattice: Lattice, table: pa.Table, months_back: Integers, costs: pd.DataFrame | None
) -> pa.Table:
    """The rows with orders and margin in each near window, and costs to serve in the first."""
    orders, margin = (np.full((len(months_back), lattice.near_windows), np.nan) for _ in range(2))
    left, booked = np.zeros(len(months_back), bool), np.zeros(len(months_back))
    length = lattice.window_months
    for back in np.unique(months_back).tolist():
        rows = np.flatnonzero(months_back == back)
        part, day = table.select(["customer_id", "as_of"]).take(pa.array(rows)), lattice.day(back)
        if histories.contractual and back >= length:
            left[rows] = has_left(histories, part, horizon_days=(lattice.day(back - length) - day).days)
        if costs is not None and back >= length:
            booked[rows] = costs_between(part["customer_id"], costs, day, lattice.day(back - length))
        for window in range(min(lattice.near_windows, back // length)):
            orders[rows, window], margin[rows, window] = orders_and_margin(
                histories,
                part,
                from_days=(lattice.day(back - window * length) - day).days,
                to_days=(lattice.day(back - (window + 1) * length) - day).days,
            )
    table = table.append_column("months_back", pa.array(months_back))
    if histories.contractual:
        table = table.append_column("left", pa.array(left))
    if costs is not None:
        table = table.append_column("costs", pa.array(booked))
    for window in range(lattice.near_windows):
        table = table.append_column(f"orders_{window}", pa.array(orders[:, window]))
        table = table.append_column(f"margin_{window}", pa.array(margin[:, window]))
    return table
