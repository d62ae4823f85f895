"""Feature rows as a model reads them, taken out of their frame once for all its trees."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from models.trees import boosting

FEW = 1_000
"""Rows that somebody waits for: they are not worth a second thread."""


class Given(NamedTuple):
    """Some rows, one customer and day each."""

    rows: pd.DataFrame
    """Their features."""
    values: np.ndarray
    """`trees.values` of them."""
    as_of: np.ndarray
    """Their days, datetime64."""

    def matrix(self, inputs: boosting.Inputs) -> boosting.Matrix:
        """`trees.matrix` of them."""
        threads = 1 if len(self.values) <= FEW else None
        return boosting.Matrix(self.values, **boosting.columns(inputs), enable_categorical=True, nthread=threads)


def given(rows: pd.DataFrame, inputs: boosting.Inputs) -> Given:
    """The rows of a frame with the features and `as_of`."""
    return Given(rows, boosting.values(rows, inputs), rows["as_of"].to_numpy())
