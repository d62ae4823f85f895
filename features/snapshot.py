"""Histories at one or many cut-offs → one row of features per customer and cut-off."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa

from features.catalogue import CATALOGUE
from features.clock import DAY, cut_offs
from features.histories import Histories
from features.kernel import kernel


def snapshot(histories: Histories, *, as_of: list[date]) -> pa.Table:
    """Features of every customer with an order known before each day of `as_of`.

    Returns customer_id (text), as_of (date) and the catalogue's columns (float64, money in currency units, undefined
    = NaN), sorted by customer, then day.
    """
    days = cut_offs(as_of)
    walk = kernel().walk
    bounds = np.unique(np.linspace(0, histories.customers, (os.cpu_count() or 1) + 1).astype(int)).tolist()
    with ThreadPoolExecutor(len(bounds)) as pool:
        tables = list(pool.map(lambda span: _rows(walk, histories, days, *span), pairwise(bounds)))
    return pa.concat_tables(tables)


def _rows(walk: Callable[..., int], histories: Histories, days: np.ndarray, first: int, last: int) -> pa.Table:
    """The rows of the customers `first:last`; the compiled pass holds no lock, so threads share the work."""
    columns = histories.columns
    span = columns._replace(
        starts=columns.starts[first : last + 1], adjustment_starts=columns.adjustment_starts[first : last + 1]
    )
    begun = columns.at[columns.starts[first:last]]
    most = int(sum((begun < day).sum() for day in days))
    out = np.empty((most, len(CATALOGUE)), order="F")
    customer, day = np.empty(most, np.int64), np.empty(most, np.int64)
    rows = walk(span, days, out, customer, day)
    table = {
        "customer_id": histories.customer_ids.take(pa.array(customer[:rows] + first)),
        "as_of": pa.array((day[:rows] // DAY).astype(np.int32)).cast(pa.date32()),
    }
    for i, (name, feature) in enumerate(CATALOGUE.items()):
        values = out[:rows, i]
        table[name] = pa.array(values / histories.minor_units if feature.unit == "money" else values)
    return pa.table(table)
