"""Costs to serve from the config's table `costs`: service, delivery, marketing."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.arrays import Floats
from features.ingest.side_tables import read_side_table
from pipelines.config import Config


def read_costs(config: Config, *, now: datetime | None) -> pd.DataFrame:
    """The accepted rows, sorted by at, kind and customer_id; nothing is written.

    customer_id, kind (text); at, recorded_at (datetime64[us, UTC]; recorded_at is `at` where the table has none,
    and never before it); amount (currency units, whole minor units; negative: given back). now: rows after it are in
    the future (None: not checked).

    Raises InputError where the config names no costs, and where they cannot be used.
    """
    rows = read_side_table(config.log, "costs", now_us=None if now is None else int(now.timestamp() * 1_000_000)).rows
    return rows.to_pandas()


def costs_if_any(config: Config, *, now: datetime | None) -> pd.DataFrame | None:
    """The costs as `read_costs` has them; None where the config names no such table."""
    return read_costs(config, now=now) if config.data.costs else None


def costs_between(customer_ids: pa.Array | pa.ChunkedArray, costs: pd.DataFrame, first: date, last: date) -> Floats:
    """The costs of each customer on the days [first, last), currency units, 0 where none are booked."""
    days = costs["at"].dt.tz_localize(None)
    inside = costs[(days >= pd.Timestamp(first)) & (days < pd.Timestamp(last))]
    totals = inside.groupby("customer_id")["amount"].sum()
    place = pc.index_in(customer_ids.cast(pa.string()), pa.array(totals.index.astype("str"), pa.string()))
    amounts = np.append(totals.to_numpy(np.float64), 0.0)
    return amounts[pc.fill_null(place, len(totals)).to_numpy(zero_copy_only=False).astype(np.int64)]
