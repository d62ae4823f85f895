"""A table of parsed columns as the two matrices that models read: for trees, and for a logistic regression.

A column of few names gets a code per name for trees, which split them as sets, and an indicator each for the
regression. One of many names is encoded by the churn rate of each name, shrunk towards the mean (Micci-Barreca 2001, A
Preprocessing Scheme for High-Cardinality Categorical Attributes, SIGKDD Explorations 3), cross-fitted in training, so
that no row is encoded by its own label. A name that training did not have is missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from features.arrays import Floats

MOST_NAMES = 30
"""The most names with a code of their own; a column of more is encoded by rates."""
FEWEST_ROWS = 5
"""A name with fewer rows has no code of its own: it counts as missing."""
RATE_FOLDS = 5
KNOTS = (0.2, 0.4, 0.6, 0.8)
"""Quantiles at which the line of the regression may bend."""
FARTHEST = 4.0
"""Standard deviations from the mean at which a number is cut off for the regression."""


@dataclass(frozen=True)
class EncodedColumn:
    """How a column becomes numbers."""

    names: tuple[str, ...] | None
    """Names with a code, in their order; None of a number, a day, or a column encoded by rates."""
    rates: Mapping[str, float] | None
    """Churn rate of each name, where they are too many for codes."""
    mean: float
    deviation: float
    """Of the numbers in training, for the regression."""
    has_missing: bool
    knots: tuple[float, ...] = ()
    """Quantiles of the numbers, standardised, at which the regression's line may bend."""


@dataclass(frozen=True)
class TableEncoding:
    """The columns of a table in their order, and how each becomes numbers."""

    columns: Mapping[str, EncodedColumn]

    @property
    def inputs(self) -> dict[str, Sequence[str] | None]:
        """The inputs of the trees by their place: XGBoost refuses some characters in names."""
        return {str(place): column.names for place, column in enumerate(self.columns.values())}

    def by_place(self, monotone: Mapping[str, int]) -> dict[str, int]:
        """Monotone constraints by column, under the names of `inputs`."""
        return {str(place): monotone[name] for place, name in enumerate(self.columns) if name in monotone}

    def values(self, rows: pd.DataFrame) -> np.ndarray:
        """The matrix for trees, float32 of shape (rows, columns)."""
        matrix: np.ndarray = np.empty((len(rows), len(self.columns)), np.float32)
        for place, (name, column) in enumerate(self.columns.items()):
            matrix[:, place] = _encoded(rows[name], column)
        return matrix

    def design(self, values: Floats) -> Floats:
        """The matrix for the regression, of `values`: standardised numbers, indicators of names and of missing ones."""
        parts: list[Floats] = []
        for place, column in enumerate(self.columns.values()):
            cells = values[:, place].astype(np.float64)
            missing = np.isnan(cells)
            if column.names is not None:
                parts += [(cells == code).astype(float) for code in range(len(column.names))]
            else:
                standard = (np.where(missing, column.mean, cells) - column.mean) / column.deviation
                standard = np.clip(standard, -FARTHEST, FARTHEST)
                parts += [standard, *(np.maximum(standard - knot, 0) for knot in column.knots)]
            if column.has_missing:
                parts.append(missing.astype(float))
        return np.column_stack(parts)

    def places(self) -> np.ndarray:
        """The column that each column of `design` belongs to."""
        widths = [
            (1 + len(column.knots) if column.names is None else len(column.names)) + column.has_missing
            for column in self.columns.values()
        ]
        return np.repeat(np.arange(len(widths)), widths)


def fit_encoding(rows: pd.DataFrame, target: Floats, *, seed: int) -> tuple[TableEncoding, Floats]:
    """Fit the encoding on parsed rows and their labels (0 or 1); returns it with the values to train on."""
    columns: dict[str, EncodedColumn] = {}
    values = np.empty((len(rows), rows.shape[1]), np.float32)
    for place, (name, cells) in enumerate(rows.items()):
        names, rates = None, None
        if cells.dtype == object:
            counts = cells.value_counts()
            frequent = counts[counts >= min(FEWEST_ROWS, counts.iloc[0])] if len(counts) else counts
            if len(frequent) > MOST_NAMES:
                values[:, place], rates = _fit_rates(cells, target, seed=seed)
            else:
                names = tuple(sorted(frequent.index))
        column = EncodedColumn(names, rates, 0.0, 1.0, False)
        if rates is None:
            values[:, place] = _encoded(cells, column)
        encoded = values[:, place].astype(np.float64)
        present = encoded[np.isfinite(encoded)]
        mean, deviation = (float(present.mean()), float(present.std())) if len(present) else (0.0, 1.0)
        deviation = deviation or 1.0
        knots = () if names is not None else np.unique(np.quantile((present - mean) / deviation, KNOTS))
        columns[str(name)] = EncodedColumn(
            names, rates, mean, deviation, len(present) < len(encoded), tuple(map(float, knots))
        )
    return TableEncoding(columns), values


def _fit_rates(cells: pd.Series, target: Floats, *, seed: int) -> tuple[Floats, dict[str, float]]:
    """The encoding of each row by the rates of other rows, and the rate of each name over all rows."""
    known = np.flatnonzero(cells.notna())
    names, labels = cells.to_numpy(object)[known, None], target[known]
    encoded = np.full(len(cells), np.nan)
    folds = int(min(RATE_FOLDS, np.bincount(labels.astype(int), minlength=2).min()))
    if folds < 2:
        encoded[known] = labels.mean()
        return encoded, dict.fromkeys(names[:, 0].tolist(), float(labels.mean()))
    for seen, unseen in StratifiedKFold(folds, shuffle=True, random_state=seed).split(names, labels):
        encoder = TargetEncoder(target_type="binary").fit(names[seen], labels[seen])
        encoded[known[unseen]] = encoder.transform(names[unseen])[:, 0]
    encoder = TargetEncoder(target_type="binary").fit(names, labels)
    return encoded, dict(zip(encoder.categories_[0].tolist(), encoder.encodings_[0].tolist(), strict=True))


def _encoded(cells: pd.Series, column: EncodedColumn) -> Floats:
    if column.rates is not None:
        return cells.map(column.rates).to_numpy(float)
    if column.names is None:
        return cells.to_numpy(float)
    codes = pd.Index(column.names, dtype=object).get_indexer(cells).astype(float)
    return np.where(codes < 0, np.nan, codes)
