"""What followed past cut-offs: who ordered within the horizon, who was silent, and who of the silent was alive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class StayOutcomes:
    """Customers at past cut-offs whose horizon has closed, and the same customers at its end; shape (rows,) each."""

    frame: pd.DataFrame
    """Features, customer_id and as_of at the cut-off."""
    later_frame: pd.DataFrame
    """The same at the end of the horizon, a row per customer and cut-off who had not left by then."""
    later_row: np.ndarray
    """The row of `later_frame` of each row; -1 for one who had left."""
    row_after: np.ndarray
    """The row of `frame` of the same customer when the horizon has ended, or soon after; -1 where there is none."""
    orders: np.ndarray
    """Orders within the horizon."""
    churned: np.ndarray
    """No order within the horizon; under a contract, its end within it. bool."""
    alive: np.ndarray
    """The chance, 0 … 1, that the customer had not yet left for good at the cut-off, by signs of life since: 1 where
    there was one, otherwise by Pareto/NBD on all signs of life. Under a contract 1."""
    alive_later: np.ndarray
    """The same at the end of the horizon."""
    has_other_signs: bool
    """There are signs of life other than orders."""
    is_contractual: bool
    doubts: tuple[str, ...] = ()
    """What a reader should know of them, a sentence each."""
