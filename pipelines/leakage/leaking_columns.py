"""Columns that carry no time and tell the label too well: they may have been written after the customer left."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from features.arrays import Floats
from models.evaluation.metrics import roc_auc
from models.labelled.table_encoding import fit_encoding

LEAK_AUC = 0.97
"""A column that alone ranks leavers so well is known only once they have left, or says the label in other words."""
CHANCE = 1e-6
"""A name all of whose customers have one label is suspicious where chance would do that less often."""
MOST_ROWS = 20_000


def leaking_columns(parsed: pd.DataFrame, churned: Floats, *, seed: int) -> list[dict[str, Any]]:
    """Columns that alone tell the label nearly perfectly, and columns with a name that does; the strongest first.

    parsed: numbers, and names as objects. churned: 0 or 1. Each entry has column, auc (by a shallow tree, on customers
    it has not seen), and value and customers: the name with customers of one label only, None and 0 without one.
    """
    drawn = np.random.default_rng(seed).permutation(len(churned))[:MOST_ROWS]
    churned, parsed = churned[drawn], parsed.iloc[drawn]
    rarer = int(np.bincount(churned.astype(int), minlength=2).min())
    if rarer < 2:
        return []
    folds = StratifiedKFold(min(5, rarer), shuffle=True, random_state=0)
    leaks = []
    for name in parsed:
        auc = _auc_alone(parsed[[name]], churned, folds, seed)
        value, customers = _telling_name(parsed[name], churned)
        if auc >= LEAK_AUC or value is not None:
            leaks.append({"column": str(name), "auc": auc, "value": value, "customers": customers})
    return sorted(leaks, key=lambda leak: -leak["auc"])


def leak_in_words(leak: dict[str, Any]) -> str:
    """Say a leak of `leaking_columns`."""
    if leak["auc"] >= LEAK_AUC:
        return f"{leak['column']} alone tells who left (AUC {leak['auc']:.3f}): it may be known only afterwards"
    return (
        f"all {leak['customers']:,} customers whose {leak['column']} is '{leak['value']}' have the same label, by more "
        "than chance: it may be known only afterwards"
    )


def _auc_alone(column: pd.DataFrame, churned: Floats, folds: StratifiedKFold, seed: int) -> float:
    _, values = fit_encoding(column, churned, seed=seed)
    tree = DecisionTreeClassifier(max_leaf_nodes=8, min_samples_leaf=5, random_state=seed)
    probability = cross_val_predict(tree, values, churned, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc(churned, probability))


def _telling_name(cells: pd.Series, churned: Floats) -> tuple[str | None, int]:
    """The most frequent name whose customers all left, or all stayed, though the others did both."""
    if cells.dtype != object:
        return None, 0
    by_name = pd.DataFrame({"name": cells, "churned": churned}).groupby("name")["churned"].agg(["size", "sum"])
    found = []
    for name, size, left in by_name.itertuples():
        if left in (0, size) and size < len(churned):
            others = (churned.sum() - left) / (len(churned) - size)
            if (others if left else 1 - others) ** size * len(by_name) < CHANCE:
                found.append((int(size), str(name)))
    size, name = max(found, default=(0, None))
    return name, size
