"""Signs of life: the days on which a customer ordered or did anything else that the log knows of."""

from datetime import date
from typing import NamedTuple

import numpy as np

from features.arrays import Integers
from features.clock import DAY, microseconds
from features.histories.columns import Histories

MOST_DAYS = 1 << 20
"""More days than any log has since 1970: a customer and a day are one number, which sorts fast."""


class SignsOfLife(NamedTuple):
    """The days with a sign of life of each customer from their first order on, days since 1970; shape (customers,).

    `days` is 0, and first and last are meaningless, for customers without an order before the day.
    """

    days: Integers
    first: Integers
    last: Integers


def signs_of_life(histories: Histories, *, as_of: date) -> SignsOfLife:
    """Count the days with an order or an interaction known before `as_of`; before the first order nothing counts."""
    columns, end = histories.columns, microseconds(as_of)
    customers = np.arange(histories.customers)
    buyer, ordered = np.repeat(customers, np.diff(columns.starts)), columns.at // DAY
    known = (columns.at < end) & (columns.known_at < end)
    buyer, ordered = buyer[known], ordered[known]
    first = np.full(len(customers), np.iinfo(np.int64).max)
    np.minimum.at(first, buyer, ordered)
    if len(columns.interaction_at):
        seen = (columns.interaction_at < end) & (columns.interaction_known_at < end)
        guest = np.repeat(customers, np.diff(columns.interaction_starts))[seen]
        day = columns.interaction_at[seen] // DAY
        since = day >= first[guest]
        buyer, ordered = np.append(buyer, guest[since]), np.append(ordered, day[since])
    customer, day = np.divmod(np.unique(buyer * MOST_DAYS + ordered), MOST_DAYS)
    last = np.full(len(customers), -1)
    np.maximum.at(last, customer, day)
    return SignsOfLife(np.bincount(customer, minlength=len(customers)), first, last)
