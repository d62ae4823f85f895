"""Feature rows as a model reads them, taken out of their frame once for all its trees."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from models.trees import boosting

SINGLE_THREAD_ROWS = 1_000
"""Up to this many rows, as in a request, a second thread costs more than it saves."""


class FeatureMatrix(NamedTuple):
    """Feature rows, one customer and day each."""

    frame: pd.DataFrame
    """The features."""
    values: np.ndarray
    """`boosting.values` of the rows."""
    as_of: np.ndarray
    """The days, datetime64."""

    def matrix(self, inputs: boosting.Inputs) -> boosting.Matrix:
        """`boosting.matrix` of the rows."""
        threads = 1 if len(self.values) <= SINGLE_THREAD_ROWS else None
        return boosting.Matrix(self.values, **boosting.columns(inputs), enable_categorical=True, nthread=threads)


def feature_rows(rows: pd.DataFrame, inputs: boosting.Inputs) -> FeatureMatrix:
    """Take the feature rows out of a frame with the features and `as_of`."""
    return FeatureMatrix(rows, boosting.values(rows, inputs), rows["as_of"].to_numpy())
