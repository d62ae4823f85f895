"""The relationship state of each customer on any day, by orders alone."""

import numpy as np
import pandas as pd

from retention.customer_base.customer_base import CustomerBase

STATES = ("first-time", "repeat", "loyal", "lapsed", "lost", "won back")
LOYAL_ORDERS = 4
"""The fewest orders with which an active customer counts as loyal."""
LOST_HORIZONS = 2
"""Horizons without an order after which a customer is taken as lost; after one they have lapsed."""


def relationship_states(base: CustomerBase, *, before_days: int = 0) -> pd.Series:
    """Each customer's state so many days before the base's day, by the row in `customers`; None without an order by
    then.

    With h the horizon and s the days since the last order then: lost, s > 2 h; lapsed, h < s ≤ 2 h; else there, and won
    back where the order that ended a pause of more than h came within the last h; loyal from four orders on; repeat
    from two; first-time. The thresholds are the shop's own horizon: customers without an order for so long have
    churned.
    """
    end = base.as_of_time - pd.Timedelta(days=before_days)
    orders = base.orders[base.orders["stands"] & (base.orders["at"] < end)]
    horizon = pd.Timedelta(days=base.horizon_days)
    by = orders.groupby("customer")["at"]
    count, last = by.size(), by.max()
    pause = by.diff() > horizon
    returned = orders.loc[pause & (orders["at"] >= end - horizon), "customer"].unique()
    silent = end - last
    state = np.select(
        [
            silent > LOST_HORIZONS * horizon,
            silent > horizon,
            last.index.isin(returned),
            count >= LOYAL_ORDERS,
            count >= 2,
        ],
        ["lost", "lapsed", "won back", "loyal", "repeat"],
        "first-time",
    )
    return pd.Series(state, index=last.index, dtype=object).reindex(base.customers.index)
