"""Leakage probes: two tests that reveal a model trained on what it cannot know.

Both take rows of the training cut-offs and of the test day, with features and the label `churned`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from features.arrays import Floats
from models.evaluation.bootstrap import percentile_interval, resample_counts
from models.evaluation.estimate import Z95
from models.evaluation.metrics import roc_auc
from models.trees import boosting, churn
from pipelines.training.training_set import MIN_CUSTOMERS_PER_LABEL, TrainingSet

TOLERANCE = 0.02
"""The most that the mean AUC on shuffled labels may differ from 0.50."""
SHUFFLES = 10
SHUFFLED_ROWS, ROWS = 20_000, 100_000
"""The most training rows of a model of shuffled labels and of any other: more would show nothing else."""
OVERFITTING: boosting.Params = {"rounds": 20, "max_depth": 6, "learning_rate": 0.3, "min_child_weight": 1.0}
"""Parameters of trees that learn their rows by heart, for the shuffled labels."""

STRONGEST = 3
"""The number of features, and of attributes, that are compared with all others."""
RESAMPLES = 500
CONFIDENCE = 0.99
"""Of each comparison; it is high because several are made."""


def shuffled_labels(
    rows: pd.DataFrame, test: pd.DataFrame, features: Sequence[str], *, seed: int
) -> dict[str, float | bool | int]:
    """The AUC of a model trained and judged on labels shuffled within each cut-off, mean of ten shuffles.

    auc, low, high (95 %), tolerance, is_widened, shuffles, leaks. Nothing is left to learn, so it is 0.50; more means
    that rows of the test day are among the training rows. A column made of the true label is not detected here:
    `dominant_columns` is for that. tolerance: 0.02, or three standard errors where customers are few: that of an
    AUC by chance is √((m + n + 1) / 12mn) (Mann & Whitney 1947), over √shuffles for the mean.
    """
    rng = np.random.default_rng(seed)
    rows = _sampled(rows, SHUFFLED_ROWS, seed=seed)
    inputs = boosting.inputs_of(rows, features)
    left, stayed = int(test["churned"].sum()), int((~test["churned"]).sum())
    labels = pd.concat([rows, test]).groupby(["as_of", "customer_id"])["churned"].first()
    trained, judged = (pd.MultiIndex.from_frame(table[["as_of", "customer_id"]]) for table in (rows, test))
    aucs = []
    for shuffle in range(SHUFFLES):
        shuffled = labels.groupby(level="as_of").transform(rng.permutation)
        labelled = rows.assign(churned=shuffled[trained].to_numpy())
        model = churn.fit(labelled, inputs, params=OVERFITTING, seed=seed + shuffle)
        aucs.append(roc_auc(shuffled[judged].to_numpy(float), model.probability(test, inputs)))
    mean, error = float(np.mean(aucs)), float(np.sqrt((left + stayed + 1) / (12 * left * stayed * SHUFFLES)))
    tolerance = max(TOLERANCE, 3 * error)
    return {
        "auc": mean,
        "low": mean - Z95 * error,
        "high": mean + Z95 * error,
        "tolerance": tolerance,
        "is_widened": tolerance > TOLERANCE,
        "shuffles": SHUFFLES,
        "leaks": abs(mean - 0.5) > tolerance,
    }


def dominant_columns(
    rows: pd.DataFrame, test: pd.DataFrame, features: Sequence[str], attributes: Sequence[str], *, seed: int
) -> list[dict[str, Any]]:
    """The strongest single columns, each against all other features; strongest first.

    feature, auc (alone), others_auc (of their model, or the best of them alone where that is better, as with few
    customers), suspicious; where auc is the higher, low and high (99 %, paired, of the difference): it is suspicious
    if low is above 0. Then also worth: the AUC gained by adding it to the model of the others.
    Orders show in many ways that a customer has left, so the others tell as much as an honest feature; they do not tell
    as much as a column made of the label. The others of an attribute are the features of the log, without other
    attributes: two leaky ones must not excuse each other. Blind to a leak that ranks worse than the honest features do
    together.
    """
    rows, churned = _sampled(rows, ROWS, seed=seed), test["churned"].to_numpy(float)
    alone = {name: _score_by_column(rows, test, name) for name in features}
    auc = {name: float(roc_auc(churned, score)) for name, score in alone.items()}
    of_log = [name for name in features if name not in attributes]
    examined = []
    for group in (of_log, [name for name in features if name in attributes]):
        examined += sorted(group, key=lambda name: -auc[name])[:STRONGEST]
    others_of = {name: tuple(other for other in of_log if other != name) for name in examined}
    score_of = {others: _score_by_model(rows, test, others, seed=seed) for others in set(others_of.values()) if others}
    columns = []
    for name in sorted((name for name in examined if others_of[name]), key=lambda name: -auc[name]):
        others = others_of[name]
        best = max([score_of[others], *(alone[other] for other in others)], key=partial(roc_auc, churned))
        others_auc = float(roc_auc(churned, best))
        column: dict[str, Any] = {"feature": name, "auc": auc[name], "others_auc": others_auc, "suspicious": False}
        if auc[name] > others_auc:
            low, high = _difference(churned, alone[name], best, seed=seed)
            column |= {"low": low, "high": high, "suspicious": low > 0}
        if column["suspicious"]:
            together = _score_by_model(rows, test, (*others, name), seed=seed)
            column["worth"] = float(roc_auc(churned, together) - roc_auc(churned, score_of[others]))
        columns.append(column)
    return columns


def leakage_probes(training: TrainingSet, test: pd.DataFrame, *, customers: int, seed: int) -> dict[str, Any]:
    """`shuffled_labels` and `strongest` on the rows of a training set and the test rows of its day, or only a `note`
    that says why not.

    customers: the most customers of the test day that are used.
    """
    if min(test["churned"].sum(), (~test["churned"]).sum()) < MIN_CUSTOMERS_PER_LABEL:
        day = training.timeline.as_of
        return {"note": f"fewer than {MIN_CUSTOMERS_PER_LABEL} customers left, or stayed, after {day}"}
    rows = training.rows
    if len(test) > customers:
        test = test.sample(customers, random_state=seed)
        rows = rows[rows["customer_id"].isin(test["customer_id"])].reset_index(drop=True)
    return {
        "customers": len(test),
        "shuffled_labels": shuffled_labels(rows, test, training.features, seed=seed),
        "strongest": dominant_columns(rows, test, training.features, list(training.attributes), seed=seed),
    }


def _sampled(rows: pd.DataFrame, most: int, *, seed: int) -> pd.DataFrame:
    """The rows, or `most` of them at random."""
    return rows.sample(most, random_state=seed) if len(rows) > most else rows


def _score_by_column(rows: pd.DataFrame, test: pd.DataFrame, name: str) -> Floats:
    """A column as a score of churn: the better of both directions, missing values at the better end.

    A category counts as the churn rate of its training rows.
    """
    churned = test["churned"].to_numpy(float)
    if is_numeric_dtype(test[name]):
        values = test[name].to_numpy(float)
    else:
        values = test[name].map(rows.groupby(name)["churned"].mean()).to_numpy(float)
    ranks = np.unique(values, return_inverse=True)[1].astype(float)  # ranks: no value lies beyond the missing ones
    missing = np.isnan(values)
    scores = [sign * np.where(missing, end, ranks) for sign in (1, -1) for end in (-1.0, float(len(values)))]
    return max(scores, key=partial(roc_auc, churned))


def _score_by_model(rows: pd.DataFrame, test: pd.DataFrame, features: Sequence[str], *, seed: int) -> Floats:
    """Churn probabilities of the test rows by a model of these features."""
    inputs = boosting.inputs_of(rows, features)
    return churn.fit(rows, inputs, params=boosting.DEFAULTS, seed=seed).probability(test, inputs)


def _difference(churned: Floats, first: Floats, second: Floats, *, seed: int) -> tuple[float, float]:
    """The interval of AUC(first) − AUC(second) over the same draws of customers."""
    draws = [
        roc_auc(churned, first, weights) - roc_auc(churned, second, weights)
        for weights in resample_counts(len(churned), resamples=RESAMPLES, seed=seed)
    ]
    return percentile_interval(np.concatenate(draws), confidence=CONFIDENCE)
