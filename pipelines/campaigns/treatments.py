"""The config's table `treatments`: the customers that campaigns contacted or held out, and the costs."""

from datetime import datetime

import pandas as pd

from features.ingest.side_tables import read_side_table
from pipelines.config import Config


def read_treatments(config: Config, *, now: datetime | None) -> pd.DataFrame:
    """The accepted rows, sorted by at, campaign and customer_id; nothing is written.

    customer_id, campaign, offer (text); at, recorded_at (datetime64[us, UTC]; recorded_at is `at` where the table does
    not say it, and never before it); treated (bool); cost (currency units, NaN where it was not booked). now: rows
    after it are in the future (None: not checked).

    Raises InputError where the config names no treatments, and where they cannot be used or contradict themselves.
    """
    rows = read_side_table(
        config.log, "treatments", now_us=None if now is None else int(now.timestamp() * 1_000_000)
    ).rows
    return rows.to_pandas()


def treatments_if_any(config: Config, *, now: datetime | None) -> pd.DataFrame | None:
    """The treatments as `read_treatments` has them; None where the config names no such table."""
    return read_treatments(config, now=now) if config.data.treatments else None
