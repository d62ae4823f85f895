"""The value of a customer of a label table, if they stay and if they leave.

What those who stayed brought, and what those who left brought, is learned apart, each for customers with the same
columns: the difference is what keeping a leaver adds, if one who is kept brings what alike ones who stayed did
(conditional ignorability, Rosenbaum & Rubin 1983, Biometrika 70). Wrong where they differ in what no column shows.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.model_selection import KFold

from features.arrays import Floats
from models.labelled.label_model import default_params
from models.labelled.table_encoding import TableEncoding, fit_encoding
from models.trees import boosting

FOLDS = 3
FEWEST_ROWS = 100
"""With fewer customers, or one value for all, everyone is expected to bring their mean."""


@dataclass(frozen=True)
class ValueTrees:
    """Trees of what one group of customers brings, currency units."""

    members: tuple[tuple[TableEncoding, boosting.Booster], ...]
    factor: float
    """Times the mean of the trees, so that unseen customers bring their total; the mean itself without trees."""

    def expected(self, parsed: pd.DataFrame) -> Floats:
        """The expected value of each parsed row."""
        if not self.members:
            return np.full(len(parsed), self.factor)
        values = [_predict(encoding, booster, parsed) for encoding, booster in self.members]
        return self.factor * np.mean(values, axis=0)


@dataclass(frozen=True)
class LabelValue:
    """What customers bring who stay, and who leave."""

    stayed: ValueTrees
    left: ValueTrees

    def expected_and_gain(self, parsed: pd.DataFrame, probability: Floats) -> tuple[Floats, Floats]:
        """E[value], and what keeping those who would leave adds: P(leave) (E[value | stays] - E[value | leaves]).

        All of them given the row's columns; a gain is not below 0. probability: of leaving, (rows,).
        """
        stayed, left = self.stayed.expected(parsed), self.left.expected(parsed)
        return stayed + probability * (left - stayed), probability * np.maximum(stayed - left, 0)


def fit_label_value(parsed: pd.DataFrame, churned: Floats, value: Floats, *, seed: int) -> LabelValue:
    """Fit on parsed rows, labels 0 or 1, and values in currency units."""
    return LabelValue(*(_fit_trees(parsed[churned == label], value[churned == label], seed) for label in (0, 1)))


def _fit_trees(parsed: pd.DataFrame, value: Floats, seed: int) -> ValueTrees:
    brought = np.maximum(value, 0)
    is_high = (brought > np.median(brought)).astype(float) if len(value) else brought
    if len(value) < FEWEST_ROWS or not 0 < is_high.sum() < len(value):
        return ValueTrees((), float(value.mean()) if len(value) else 0.0)
    members, expected = [], np.empty(len(value))
    for seen, unseen in KFold(FOLDS, shuffle=True, random_state=seed).split(parsed):
        encoding, matrix = fit_encoding(parsed.iloc[seen], is_high[seen], seed=seed)
        data = boosting.matrix_of(matrix, encoding.inputs, brought[seen])
        judged = boosting.matrix_of(encoding.values(parsed.iloc[unseen]), encoding.inputs, brought[unseen], beside=data)
        booster = boosting.grow_trees(
            data, objective="reg:tweedie", params=default_params(len(seen), parsed.shape[1]), seed=seed, unseen=judged
        )
        members.append((encoding, booster))
        expected[unseen] = _predict(encoding, booster, parsed.iloc[unseen])
    return ValueTrees(tuple(members), float(value.sum() / expected.sum()))


def _predict(encoding: TableEncoding, booster: boosting.Booster, parsed: pd.DataFrame) -> Floats:
    data = boosting.matrix_of(encoding.values(parsed), encoding.inputs)
    return booster.predict(data, validate_features=False).astype(float)
