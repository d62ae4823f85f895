"""Histories at one or many cut-offs → one row of features per customer and cut-off."""

from datetime import date

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
    most = int(sum((histories.columns.at[histories.columns.starts[:-1]] < day).sum() for day in days))
    out = np.empty((most, len(CATALOGUE)))
    customer, day = np.empty(most, np.int64), np.empty(most, np.int64)
    rows = kernel().walk(histories.columns, days, out, customer, day)
    columns = {
        "customer_id": histories.customer_ids.take(pa.array(customer[:rows])),
        "as_of": pa.array((day[:rows] // DAY).astype(np.int32)).cast(pa.date32()),
    }
    for i, (name, feature) in enumerate(CATALOGUE.items()):
        values = out[:rows, i]
        columns[name] = values / histories.minor_units if feature.unit == "money" else np.ascontiguousarray(values)
    return pa.table(columns)
