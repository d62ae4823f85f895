"""A scikit-learn classifier of a table of any columns: text and missing cells as they are, in a pipeline or a search.

ChurnClassifier().fit(customers, left).predict_proba(newcomers)[:, 1]
"""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from features.arrays import Floats
from models.labelled.label_model import LabelModel, default_params, fit_label_model
from models.labelled.table_columns import ColumnKind, describe_columns, parse_columns
from models.trees import boosting


class ChurnClassifier(ClassifierMixin, BaseEstimator):
    """Trees and a logistic regression, blended and calibrated on customers they have not seen (label_model.py).

    Parameters are those of XGBoost, None for a default by the number of rows; folds: members of the model, at least 2;
    monotone: by column name, 1 where the probability of the second class may only rise, -1 where it may only fall. A
    frame may hold text, dates, booleans and missing cells; an array holds numbers, NaN where one is missing. Fitted:
    `classes_`, `model_`, `n_features_in_`, `feature_names_in_` of a frame.
    """

    def __init__(
        self,
        *,
        max_depth: int | None = None,
        learning_rate: float | None = None,
        min_child_weight: float | None = None,
        reg_lambda: float | None = None,
        subsample: float | None = None,
        colsample_bytree: float | None = None,
        folds: int = 5,
        monotone: Mapping[str, int] | None = None,
        random_state: int = 7,
    ) -> None:
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.min_child_weight = min_child_weight
        self.reg_lambda = reg_lambda
        self.subsample = subsample
        self.colsample_bytree = colsample_bytree
        self.folds = folds
        self.monotone = monotone
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Fit on rows and labels of two classes, the second of which in order is the one predicted."""
        rows = self._rows(X, y, reset=True)
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        if (kind := type_of_target(labels)) not in ("binary", "multiclass") or len(np.unique(labels)) > 2:
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, churned = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("the labels hold only one class: nothing can be told apart")
        is_frame = hasattr(X, "columns")
        columns = describe_columns(rows) if is_frame else dict.fromkeys(rows.columns, ColumnKind("number"))
        if all(column.kind == "unused" for column in columns.values()):
            raise ValueError("no column can be learned from: all are constant, empty or ids")
        given = {name: value for name in TREES if (value := getattr(self, name)) is not None}
        parsed = parse_columns(rows, columns)
        self.model_: LabelModel = fit_label_model(
            parsed,
            columns,
            churned.astype(float),
            params=default_params(*parsed.shape) | given,
            folds=self.folds,
            seed=self.random_state,
            monotone=self.monotone or boosting.FREE,
        )
        return self

    def decision_function(self, X: Any) -> Floats:
        """The log-odds of the second class, (rows,)."""
        check_is_fitted(self)
        rows = self._rows(X, "no_validation", reset=False)
        return self.model_.log_odds(parse_columns(rows, self.model_.columns))

    def predict_proba(self, X: Any) -> Floats:
        """The probabilities of both classes, (rows, 2)."""
        second = expit(self.decision_function(X))
        return np.column_stack([1 - second, second])

    def predict(self, X: Any) -> np.ndarray:
        """The likelier class of each row."""
        is_second = self.decision_function(X) > 0
        return self.classes_[is_second.astype(int)]

    def _rows(self, X: Any, y: Any, *, reset: bool) -> pd.DataFrame:
        """The rows as a frame; numbers only, unless it came as one."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, y, reset=reset, skip_check_array=True)
            return X.set_axis(X.columns.astype("str"), axis=1).reset_index(drop=True)
        checks: dict[str, Any] = {"reset": reset, "ensure_all_finite": "allow-nan", "dtype": "numeric"}
        if reset:
            numbers, _ = validate_data(self, X, y, multi_output=True, **checks)
        else:
            numbers = validate_data(self, X, **checks)
        return pd.DataFrame(numbers.astype(float), columns=[f"x{place}" for place in range(numbers.shape[1])])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


TREES = ("max_depth", "learning_rate", "min_child_weight", "reg_lambda", "subsample", "colsample_bytree")
"""The parameters that go to XGBoost."""
