"""Dwyer's two models of customers who come and go, with parameters from the base's own orders."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from features.arrays import Floats, Integers
from retention.customer_base.customer_base import CustomerBase

CELLS = 4
"""Recency cells, one per period since the last order; after the last cell a customer is gone."""
MOST_PERIODS = 24


class RecencyCells(NamedTuple):
    """Counts by recency cell (1, 2, … periods since the last order): customers in it, and those who then ordered."""

    seen: Integers
    ordered: Integers
    margin: float
    """Mean margin of a customer in a period with an order, currency units; NaN without any."""

    @property
    def probability(self) -> Floats:
        """Probability of an order in the next period; NaN for an empty cell."""
        return np.divide(self.ordered, self.seen, out=np.full(len(self.seen), np.nan), where=self.seen > 0)


def observed_cells(base: CustomerBase, *, period_days: int) -> RecencyCells:
    """Count the cells over the whole periods before the day that the log covers."""
    orders = base.orders
    back = ((base.as_of_time - orders["at"]) // pd.Timedelta(days=period_days)).to_numpy()
    whole = int((base.as_of_time - orders["at"].min()) // pd.Timedelta(days=period_days)) if len(orders) else 0
    periods = min(whole, MOST_PERIODS)
    bought = np.zeros((len(base.customers), periods), dtype=bool)
    inside = (back < periods) & orders["stands"].to_numpy()
    bought[orders["customer"].to_numpy()[inside], periods - 1 - back[inside]] = True
    seen, ordered = np.zeros(CELLS, np.int64), np.zeros(CELLS, np.int64)
    since = np.full(len(bought), -1)  # periods since the last order; -1: none yet
    for period in range(periods):
        for cell in range(1, CELLS + 1):
            in_cell = since == cell
            seen[cell - 1] += in_cell.sum()
            ordered[cell - 1] += bought[in_cell, period].sum()
        since = np.where(bought[:, period], 1, np.where(since > 0, since + 1, since))
    money = orders.loc[back < periods, "margin"].sum()
    return RecencyCells(seen, ordered, float(money / bought.sum()) if bought.any() else float("nan"))


def migration_model(probability: ArrayLike, *, periods: int) -> Floats:
    """The expected share of a cohort that orders in each period, the first (all of them) included: (periods,).

    probability: of an order 1, 2, … periods after the last one; a customer who passes the last cell without one is
    gone. Dwyer's migration model: customers are always a share, and a pause does not end them (1989, Journal of Direct
    Marketing 3(4); 1997, 11(4)). Wrong where the history before the last order tells customers apart, which it does.
    """
    p = np.asarray(probability, float)
    waiting, buyers = np.zeros(len(p)), np.zeros(periods)
    waiting[0], buyers[:1] = 1.0, 1.0
    for period in range(1, periods):
        buyers[period] = (waiting * p).sum()
        waiting = np.concatenate([[buyers[period]], (waiting * (1 - p))[:-1]])
    return buyers


def retention_model(rate: float, *, periods: int) -> Floats:
    """The same by Dwyer's retention model: a customer who pauses is lost for good, so rate^k are left: (periods,)."""
    return np.asarray(rate ** np.arange(periods, dtype=float))
