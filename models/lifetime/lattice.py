"""The lattice that lifetime values are learned on: cut-offs a month apart, windows of a few months after each.

Whatever the horizon of the scores, the windows are the same, so that a lifetime value does not depend on it. A log of
less than four years has windows of three months, with the season taken out; a longer one has windows of a year, in
which there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.arrays import Floats, Integers
from features.clock import YEAR_DAYS

MONTH_DAYS = YEAR_DAYS / 12
QUARTER, YEAR = 3, 12
"""The lengths of a window in months."""
YEARLY_FROM = 48
"""Months of log from which windows are of a year: three years of cut-offs have then closed."""
HISTORY_MONTHS = 4
"""Months of log before the first cut-off: with less, customers whom the shop has long known look new."""
MIN_YEARS_BACK = 3
"""Cut-offs whose year has closed, at least: with fewer, nothing is learned about later years."""
NEAR_YEARS = 3
"""The most windows of a year that are learned directly."""
COHORT_SHARE, COHORT_DAYS = 0.8, 92
"""Where so many customers first ordered within so few days, tenure is the calendar."""


@dataclass(frozen=True)
class Lattice:
    """The cut-offs `as_of` − 0, 1, … `months_back` months, and the length of the windows that follow each."""

    as_of: date
    """The day the model is made: nothing after it is read."""
    months_back: int
    window_months: int

    def day(self, months_back: int) -> date:
        """The cut-off so many months before `as_of`; negative: after it."""
        return self.as_of - timedelta(days=round(months_back * MONTH_DAYS))

    def days(self, months_back: Integers) -> Floats:
        """The cut-offs so many months before `as_of`, in days since 1970."""
        days = {back: float(np.datetime64(self.day(back), "D").astype(int)) for back in np.unique(months_back).tolist()}
        return np.array([days[back] for back in months_back.tolist()])

    @property
    def near_windows(self) -> int:
        """How many windows are learned directly: the first year's, or up to three years'."""
        if self.window_months == QUARTER:
            return YEAR // QUARTER
        return min(NEAR_YEARS, (self.months_back - MIN_YEARS_BACK) // YEAR)


def lattice_of(first_day: date, *, as_of: date, is_contractual: bool = False) -> Lattice | None:
    """The lattice of a log that begins on `first_day`; None if it is too short for what is to be learned.

    A year and a few cut-offs; under a contract, whose survival is learned a window at a time, two windows.
    """
    months = (as_of - first_day).days / MONTH_DAYS
    back = int(months) - HISTORY_MONTHS
    if is_contractual:
        return Lattice(as_of, back, QUARTER) if back >= 2 * QUARTER else None
    if back < YEAR + MIN_YEARS_BACK:
        return None
    return Lattice(as_of, back, YEAR if months >= YEARLY_FROM else QUARTER)


def is_one_cohort(days: Floats | Integers) -> bool:
    """True if most customers first ordered within a few months: nothing tells a customer's fade from the shop's then.

    days: of first orders, counted from any day, forwards or backwards, (customers,).
    """
    ordered = np.sort(days)
    inside = np.searchsorted(ordered, ordered + COHORT_DAYS, side="left") - np.arange(len(ordered))
    return bool(inside.max() >= COHORT_SHARE * len(ordered))


def window_weights(window_days: float, lifetime_days: float, annual_discount_rate: float) -> Floats:
    """The weight of each window of a lifetime: the share of it that lies within, discounted from the middle of that.

    >>> window_weights(100.0, 250.0, 0.0).tolist()
    [1.0, 1.0, 0.5]
    """
    begins = np.arange(-int(-lifetime_days // window_days)) * window_days
    share = np.minimum(1.0, (lifetime_days - begins) / window_days)
    return share * (1 + annual_discount_rate) ** (-(begins + share * window_days / 2) / YEAR_DAYS)


@dataclass(frozen=True)
class LifetimeRows:
    """Customers at the cut-offs of a lattice."""

    lattice: Lattice
    frame: pd.DataFrame
    """Features, customer_id and as_of, a row each."""
    months_back: np.ndarray
    """Of each row's cut-off, int64."""
    year_later: np.ndarray
    """The row of the same customer a year later; -1 for one who had left by then, -2 where that day is to come."""
    orders: np.ndarray
    """Orders in each of the near windows, (rows, windows); NaN where it has not closed."""
    margin: np.ndarray
    """Margin in them, currency units."""
    left: np.ndarray | None = None
    """True if the customer's contract ended in the first window, bool; None without contracts."""
    costs: np.ndarray | None = None
    """Costs to serve booked in the first window, currency units, (rows,); None where the log has none."""


def row_later(customer_ids: pd.Series, months_back: Integers, months: int) -> Integers:
    """The row of the same customer so many months later: -1 if they had left by then, -2 if that day is to come."""
    codes = pd.factorize(customer_ids)[0]
    places = pd.Series(np.arange(len(codes)), index=pd.MultiIndex.from_arrays([codes, months_back]))
    later = places.reindex(pd.MultiIndex.from_arrays([codes, months_back - months])).fillna(-1).to_numpy(np.int64)
    return np.where(months_back >= months, later, -2)
