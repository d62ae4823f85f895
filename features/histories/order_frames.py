"""The orders and interactions known before a day as flat frames, for analyses to group and count.

They hold the same rows as the slices that features see, of all customers at once.
"""

from datetime import date

import numpy as np
import pandas as pd

from features.clock import microseconds
from features.histories.columns import Histories


def known_orders(histories: Histories, *, as_of: date) -> pd.DataFrame:
    """A row per order known before the day, by customer, then time; refunds without an order have rows of their own.

    customer (int64, the customer's number in the histories), at (datetime64[us], UTC), gross (the amount ordered),
    discount (on its price; NaN where the log has none), refunded (taken back, not negative), net (gross − refunded),
    margin (of net), all in currency units; channel (categorical) and stands (bool: True for a row that counts as an
    order; False for an order refunded in full, and for a refund without an order). gross − refunded over all rows is
    the feature `spend_total`.
    """
    columns, units, day = histories.columns, histories.minor_units, microseconds(as_of)
    customer = np.repeat(np.arange(histories.customers), np.diff(columns.starts))
    known = (columns.at < day) & (columns.known_at < day)
    changed = (columns.adjusted_at < day) & (columns.adjustment_known_at < day)
    rows, cents = columns.adjusted_order[changed], columns.adjustment_cents[changed]
    margins = columns.adjustment_margin_cents[changed]
    loose = (rows < 0) | ~known[rows]
    of_order = rows[~loose]

    def added(amounts: np.ndarray) -> np.ndarray:
        return np.bincount(of_order, amounts[~loose], minlength=len(known))

    late, refunded = added(np.where(cents > 0, cents, 0)), added(np.where(cents < 0, -cents, 0))
    gross = columns.amount_cents + late
    orders = pd.DataFrame(
        {
            "customer": customer,
            "at": columns.at.view("datetime64[us]"),
            "gross": gross / units,
            "discount": columns.discount_cents / units if len(columns.discount_cents) else np.nan,
            "refunded": refunded / units,
            "net": (gross - refunded) / units,
            "margin": (columns.margin_cents + added(margins)) / units,
            "channel": _channels(histories),
            "stands": (refunded == 0) | (gross > refunded),
        }
    )
    orders = orders if known.all() else orders[known]
    by_customer = np.searchsorted(columns.adjustment_starts, np.flatnonzero(changed)[loose], "right") - 1
    alone = pd.DataFrame(
        {
            "customer": by_customer,
            "at": columns.adjusted_at[changed][loose].view("datetime64[us]"),
            "gross": np.maximum(cents[loose], 0) / units,
            "discount": np.nan,
            "refunded": np.maximum(-cents[loose], 0) / units,
            "net": cents[loose] / units,
            "margin": margins[loose] / units,
            "channel": pd.Categorical.from_codes(np.full(len(by_customer), -1), categories=histories.channels),
            "stands": False,
        }
    )
    if not len(alone):
        return orders.reset_index(drop=True)
    both = pd.concat([orders, alone], ignore_index=True)
    return both.iloc[np.lexsort((both["at"], both["customer"]))].reset_index(drop=True)


def known_interactions(histories: Histories, *, as_of: date) -> pd.DataFrame:
    """A row per interaction known before the day: customer, at, kind (categorical), value (NaN where it has none)."""
    columns, day = histories.columns, microseconds(as_of)
    known = (columns.interaction_at < day) & (columns.interaction_known_at < day)
    customer = np.repeat(np.arange(histories.customers), np.diff(columns.interaction_starts)) if len(known) else known
    value = columns.interaction_value[known] if len(columns.interaction_value) else np.nan
    return pd.DataFrame(
        {
            "customer": customer[known].astype(np.int64),
            "at": columns.interaction_at[known].view("datetime64[us]"),
            "kind": pd.Categorical.from_codes(columns.interaction_kind[known], categories=list(histories.kinds)),
            "value": value,
        }
    )


def _channels(histories: Histories) -> pd.Categorical:
    """The channel of each order."""
    codes = histories.columns.channel
    missing = np.full(len(histories.columns.at), -1)
    return pd.Categorical.from_codes(codes if len(codes) else missing, categories=histories.channels)
