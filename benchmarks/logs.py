"""The log of the feature benchmark: simulated, skewed like a shop's, and clean."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.task import DAY, Files

FIRST_DAY, LOG_DAYS = date(2023, 1, 1), 731
KINDS = {"visit": 0.6, "email_open": 0.3, "complaint": 0.02, "referral": 0.08}
"""Kinds of interaction and their shares."""


def make_log(folder: Path, *, orders: int, interactions: int, customers: int, seed: int) -> Files:
    """Write a log in which customers join, buy and interact at gamma(½) rates (so that a few do a lot), and leave.

    Each buys at least once, often some time after joining, so that some interactions come before the first order. The
    two rates are correlated: half of a customer's interactions follow from how much they buy.
    """
    rng = np.random.default_rng(seed)
    joined = rng.uniform(0, LOG_DAYS, customers)
    stays = np.minimum(rng.exponential(LOG_DAYS / 2, customers), LOG_DAYS - joined)
    buys, calls = rng.gamma(0.5, size=(2, customers)) * stays
    first = joined + rng.uniform(0, 0.1, customers) * stays
    more = _drawn(rng, buys, orders - customers)
    at = np.concatenate([first, first[more] + rng.uniform(size=len(more)) * (joined + stays - first)[more]])
    amounts = np.round(rng.lognormal(3, 1, orders), 2)
    log = Files(folder / "orders.parquet", folder / "interactions.parquet")
    _write(log.orders, np.concatenate([np.arange(customers), more]), at, ("ordered_at", "amount"), amounts)
    who = _drawn(rng, buys + calls, interactions)
    kinds = rng.choice(len(KINDS), interactions, p=list(KINDS.values())).astype(np.int32)
    at = joined[who] + rng.uniform(size=interactions) * stays[who]
    _write(log.interactions, who, at, ("at", "kind"), pa.DictionaryArray.from_arrays(kinds, list(KINDS)).cast("string"))
    return log


def _drawn(rng: np.random.Generator, weight: np.ndarray, count: int) -> np.ndarray:
    """Numbers of `count` customers, drawn in proportion to their weight."""
    return np.searchsorted(np.cumsum(weight), rng.uniform(0, weight.sum(), count)).clip(max=len(weight) - 1)


def _write(path: Path, customer: np.ndarray, at: np.ndarray, names: tuple[str, str], values: Any) -> None:
    """Write one table sorted by time. customer: numbers from 0; at: days since FIRST_DAY."""
    in_time = np.argsort(at)
    ids = pa.array([f"C{number:07d}" for number in range(int(customer.max()) + 1)])
    times = np.datetime64(FIRST_DAY, "us") + (at[in_time] * DAY).astype("timedelta64[us]")
    columns = [ids.take(pa.array(customer[in_time])), times, pa.array(values).take(pa.array(in_time))]
    pq.write_table(pa.table(columns, names=["customer_id", *names]), path, compression="zstd")
