"""Summaries that BG/NBD needs, by the two libraries that compute them: purchase days, in whole days, of one cut-off.

customer_id, frequency (days with a purchase after the first), recency (first to last purchase day), T (first purchase
day to the cut-off) and monetary_value (mean spent per repeat day, 0 without one).
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from benchmarks.task import Files


def lifetimes(log: Files, days: list[date], out: Path) -> Iterator[str]:
    from lifetimes.utils import summary_data_from_transaction_data

    yield from _written(summary_data_from_transaction_data, log, days, out)


def pymc_marketing(log: Files, days: list[date], out: Path) -> Iterator[str]:
    from pymc_marketing.clv.utils import rfm_summary

    yield from _written(rfm_summary, log, days, out)


def _written(summary: Callable[..., pd.DataFrame], log: Files, days: list[date], out: Path) -> Iterator[str]:
    (day,) = days
    as_of = datetime.combine(day, datetime.min.time())
    orders = pd.read_parquet(log.orders, filters=[("ordered_at", "<", as_of)])
    yield "read"
    rows = summary(orders, "customer_id", "ordered_at", "amount", observation_period_end=as_of).reset_index()
    yield "summary"
    columns = ["customer_id", "frequency", "recency", "T", "monetary_value"]
    rows[columns].to_parquet(out / f"{day}.parquet", index=False, compression="zstd")
    yield "write"
