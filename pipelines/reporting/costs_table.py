"""Costs to serve from the config's table `costs`: service, delivery, marketing."""

from datetime import datetime

import pandas as pd

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
