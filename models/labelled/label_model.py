"""The model of a label table: trees and a logistic regression, blended on the log-odds scale and calibrated.

Stratified folds of customers give each member of the model: trees and a regression fitted on all folds but one, which
says when the trees stop. What the members predict for the customers they have not seen gives the weights of the blend,
its slope and its level (stacked generalisation, Wolpert 1992, Neural Networks 5; calibrated as by Platt 1999). A
prediction is the mean of the members'.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from features.arrays import Floats
from features.errors import Refusal
from models.evaluation.metrics import log_loss
from models.labelled.table_columns import ColumnKind, parse_columns
from models.labelled.table_encoding import TableEncoding, fit_encoding
from models.trees import boosting

FEWEST_COLUMNS = 6
"""Columns that a tree chooses from at least, so that it can find what they do together."""
PENALTIES = (0.01, 0.1, 1.0, 10.0)
"""C of the regression: the smaller, the stronger its ridge penalty. The best for unseen customers is taken."""
MOST_PENALISED = 20_000
"""With more rows the penalty hardly matters, and is not looked for."""
FARTHEST_LOG_ODDS = 12.0


def default_params(rows: int, columns: int) -> boosting.Params:
    """Untuned parameters of trees; `rounds` are the most, since customers that a member has not seen end them."""
    return {
        "rounds": 2000,
        "max_depth": 3,
        "learning_rate": 0.05,
        "min_child_weight": min(max(rows / 500, 1.0), 10.0),
        "reg_lambda": 5.0,
        "subsample": 0.8,
        "colsample_bytree": min(max(FEWEST_COLUMNS / columns, 0.4), 1.0),
    }


@dataclass(frozen=True)
class Member:
    """The trees and the regression of one fold."""

    encoding: TableEncoding
    booster: boosting.Booster
    coefficients: Floats
    """Of the columns of `TableEncoding.design`."""
    intercept: float
    centre: Floats
    """Mean of each of these columns in training: what contributions are measured from."""

    def log_odds(self, values: Floats) -> Floats:
        """The log-odds by the trees and by the regression, (2, rows)."""
        data = boosting.matrix_of(values, self.encoding.inputs)
        trees = self.booster.predict(data, output_margin=True, validate_features=False)
        regression = self.encoding.design(values) @ self.coefficients + self.intercept
        return np.clip(np.stack([trees.astype(float), regression]), -FARTHEST_LOG_ODDS, FARTHEST_LOG_ODDS)

    def contributions(self, values: Floats) -> Floats:
        """What each column adds to the log-odds, by trees and by regression, (2, rows, columns)."""
        data = boosting.matrix_of(values, self.encoding.inputs)
        trees = boosting.contributions(self.booster, data)[:, :-1]
        parts = (self.encoding.design(values) - self.centre) * self.coefficients
        places = self.encoding.places()
        regression = np.stack([parts[:, places == place].sum(axis=1) for place in range(values.shape[1])], axis=1)
        return np.stack([trees.astype(float), regression])


@dataclass(frozen=True)
class LabelModel:
    """The members, and the blend of their log-odds."""

    columns: Mapping[str, ColumnKind]
    """Every column of the training table, the unused too."""
    members: tuple[Member, ...]
    weights: tuple[float, float]
    """Of the log-odds of the trees, and of the regression; neither is negative."""
    intercept: float

    def probability(self, rows: pd.DataFrame) -> Floats:
        """The probability that the label is yes of each row of a table with the used columns, in (0, 1)."""
        return expit(self.log_odds(parse_columns(rows, self.columns)))

    def log_odds(self, parsed: pd.DataFrame) -> Floats:
        """The log-odds of parsed rows."""
        odds = np.mean([member.log_odds(member.encoding.values(parsed)) for member in self.members], axis=0)
        return np.asarray(self.weights) @ odds + self.intercept

    def contributions(self, parsed: pd.DataFrame) -> Floats:
        """What each used column adds to the log-odds of each row, beside a customer of average cells, (rows, used)."""
        parts = [member.contributions(member.encoding.values(parsed)) for member in self.members]
        return np.tensordot(np.asarray(self.weights), np.mean(parts, axis=0), axes=1)


def fit_label_model(
    parsed: pd.DataFrame,
    columns: Mapping[str, ColumnKind],
    churned: Floats,
    *,
    params: boosting.Params,
    folds: int,
    seed: int,
    monotone: Mapping[str, int] = boosting.FREE,
) -> LabelModel:
    """Fit on parsed rows and their labels, 0 or 1. Raises Refusal for fewer than two rows of either label.

    params: of XGBoost; `rounds` are the most trees of a member. monotone: 1 for a column with which the probability may
    only rise, -1 for one with which it may only fall, as far as the trees go.
    """
    rarer = int(np.bincount(churned.astype(int), minlength=2).min())
    if rarer < 2:
        raise Refusal(f"only {rarer} of {len(churned):,} rows have the rarer label", next="Give more of them.")
    odds, members = np.empty((2, len(churned))), []
    split = StratifiedKFold(min(folds, rarer), shuffle=True, random_state=seed)
    for seen, unseen in split.split(parsed, churned):
        member = _fit_member(
            parsed.iloc[seen], churned[seen], parsed.iloc[unseen], churned[unseen], params, seed, monotone
        )
        odds[:, unseen] = member.log_odds(member.encoding.values(parsed.iloc[unseen]))
        members.append(member)
    weights, intercept = blend(odds, churned)
    return LabelModel(columns, tuple(members), weights, intercept)


def _fit_member(
    rows: pd.DataFrame,
    churned: Floats,
    unseen: pd.DataFrame,
    unseen_churned: Floats,
    params: boosting.Params,
    seed: int,
    monotone: Mapping[str, int],
) -> Member:
    encoding, values = fit_encoding(rows, churned, seed=seed)
    unseen_values, inputs = encoding.values(unseen), encoding.inputs
    data = boosting.matrix_of(values, inputs, churned)
    booster = boosting.grow_trees(
        data,
        objective="binary:logistic",
        params=params,
        seed=seed,
        monotone=encoding.by_place(monotone),
        unseen=boosting.matrix_of(unseen_values, inputs, unseen_churned, beside=data),
    )
    design, judged = encoding.design(values), encoding.design(unseen_values)
    penalties = PENALTIES if len(rows) <= MOST_PENALISED else PENALTIES[-2:-1]
    with threadpool_limits(1, user_api="blas"):  # on a busy machine threads wait for each other
        regressions = [
            LogisticRegression(C=penalty, solver="newton-cholesky").fit(design, churned) for penalty in penalties
        ]
    losses = [log_loss(unseen_churned, regression.predict_proba(judged)[:, 1]) for regression in regressions]
    best = regressions[int(np.argmin(losses))]
    return Member(encoding, booster, best.coef_[0], float(best.intercept_[0]), design.mean(axis=0))


def blend(odds: Floats, churned: Floats) -> tuple[tuple[float, float], float]:
    """The weights of two log-odds, (2, rows), and the intercept, by logistic regression; no weight is negative."""
    kept = [0, 1]
    while True:
        fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(odds[kept].T, churned)
        if len(kept) == 1 or (fitted.coef_[0] >= 0).all():
            break
        kept = [kept[int(np.argmax(fitted.coef_[0]))]]
    weights = np.zeros(2)
    weights[kept] = np.maximum(fitted.coef_[0], 0)
    return (float(weights[0]), float(weights[1])), float(fitted.intercept_[0])
