"""Why a customer is at risk, in words: what the trees added to the churn score, largest first."""

import numpy as np
import pandas as pd

from features.catalogue import words
from models import trees

REASONS = 3


def reasons(booster: trees.Booster, rows: pd.DataFrame, inputs: trees.Inputs) -> pd.DataFrame:
    """Up to three features that raise the churn score, with the customer's value: "62 days since the last order".

    Columns reason_1 … reason_3 (text or None), largest contribution first (exact tree contributions, log-odds).
    """
    added = trees.contributions(booster, trees.matrix(rows, inputs))[:, :-1]
    order = np.argsort(-added, axis=1, kind="stable")[:, :REASONS]
    raises = np.take_along_axis(added, order, axis=1) > 0
    said: dict[str, list[str | None]] = {}
    names = list(inputs)
    columns = {name: rows[name].to_numpy() for name in names}
    for place in range(REASONS):
        said[f"reason_{place + 1}"] = [
            words(names[feature], columns[names[feature]][row]) if raised else None
            for row, (feature, raised) in enumerate(zip(order[:, place], raises[:, place], strict=True))
        ]
    return pd.DataFrame(said, index=rows.index, dtype=object)
