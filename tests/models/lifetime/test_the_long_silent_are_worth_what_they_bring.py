"""Customers order while they live and give no sign of their end: the longer they are silent, the surer it is.

Nobody could be silent at the first cut-offs for as long as some are at the last, and only for those cut-offs have the
windows of a year closed. The oracle is the posterior probability of being alive, summed by hand.
"""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from models.lifetime import fit_state_value
from models.lifetime.lattice import YEAR, LifetimeRows, lattice_of, row_later
from models.trees import boosting

CUSTOMERS, QUARTERS = 6000, 7
RATE, END = 0.7, 0.15
"""Orders a quarter while alive, and the chance to end at the begin of each."""
INPUTS = {"recency_days": None, "orders": None, "spend_total": None}


def year_after(silent: int) -> float:
    """Orders in the year after so many quarters of silence."""
    quiet = (1 - END) * np.exp(-RATE)
    ended = sum(quiet**before * END for before in range(silent))
    alive = quiet**silent / (quiet**silent + ended)
    return alive * RATE * sum((1 - END) ** quarter for quarter in range(1, 5))


def base() -> LifetimeRows:
    rng = np.random.default_rng(5)
    lattice = lattice_of(date(2023, 1, 1), as_of=date(2025, 1, 1))
    lives = rng.geometric(END, CUSTOMERS)[:, None] > np.arange(1, QUARTERS + 1)
    orders = rng.poisson(RATE, (CUSTOMERS, QUARTERS)) * lives
    parts, silent = [], np.zeros(CUSTOMERS, int)
    for quarter in range(QUARTERS):
        back = 3 * (QUARTERS - 1 - quarter)
        label = np.full((CUSTOMERS, lattice.near_windows), np.nan)
        for window in range(min(lattice.near_windows, back // 3)):
            label[:, window] = orders[:, quarter + window]
        frame = pd.DataFrame({"recency_days": silent * 91.0, "orders": 5.0, "spend_total": 100.0})
        frame["customer_id"] = np.arange(CUSTOMERS).astype(str)
        parts.append((frame, np.full(CUSTOMERS, back), label))
        silent = np.where(orders[:, quarter] > 0, 0, silent + 1)
    frame = pd.concat([part[0] for part in parts], ignore_index=True)
    months_back, label = (np.concatenate([part[number] for part in parts]) for number in (1, 2))
    later = row_later(frame["customer_id"], months_back, YEAR)
    return LifetimeRows(lattice, frame, months_back, later, label, label * 8.0)


def test_the_long_silent_are_worth_what_they_bring():
    model = fit_state_value.fit(base(), INPUTS, lifetime_days=365, annual_discount_rate=0.1, seed=7, device="cpu")
    silent = np.arange(QUARTERS)
    frame = pd.DataFrame({"recency_days": silent * 91.0, "orders": 5.0, "spend_total": 100.0})
    told = model.year_of(model.rates(boosting.matrix(frame, INPUTS), np.zeros(QUARTERS), 1))
    true = np.array([year_after(quarters) for quarters in silent])
    assert told[:3] == pytest.approx(true[:3], rel=0.1)
    assert (told[3:] < true[3:] + 0.1).all(), (told.round(3), true.round(3))
