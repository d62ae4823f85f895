"""The judgement of a label table: every customer predicted by models that have seen neither them nor their label.

Tuning, blending and calibration happen inside the other folds (nested cross-validation, Varma & Simon 2006, BMC
Bioinformatics 7). The folds are drawn several times, and each metric is the mean over the draws; a draw's intervals are
over customers, the same ones for every model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from features.arrays import Floats
from models import CHAMPION, STAYWORTH
from models.evaluation import metrics
from models.labelled.label_model import fit_label_model
from models.labelled.label_value import fit_label_value
from models.labelled.table_columns import ColumnKind, describe_columns, parse_columns
from models.labelled.table_encoding import fit_encoding
from models.prediction import Prediction
from models.trees import boosting
from pipelines.labelled.label_config import LabelledRows, LabelTraining
from pipelines.labelled.tune_classifier import tune_classifier

RESAMPLES, CONFIDENCE = 200, 0.95
REPEATED_ROWS = 20_000
"""With more rows the folds are drawn once: another draw hardly changes anything."""
LOGISTIC, BOOSTING = "logistic_regression", "gradient_boosting"
BASELINES = {LOGISTIC: "Logistic regression", BOOSTING: "Gradient boosting"}
"""The baselines and their names for people."""


@dataclass(frozen=True)
class TrainingTable:
    """The rows of a label table, ready to learn from."""

    columns: Mapping[str, ColumnKind]
    parsed: pd.DataFrame
    churned: Floats
    value: Floats | None

    @property
    def used(self) -> list[str]:
        """The columns that are learned from."""
        return list(self.parsed.columns)


def training_table(rows: LabelledRows) -> TrainingTable:
    """Read off the columns of a label table what they hold, and parse them."""
    columns = describe_columns(rows.features)
    return TrainingTable(columns, parse_columns(rows.features, columns), rows.churned, rows.value)


def judge_folds(
    table: TrainingTable,
    settings: LabelTraining,
    *,
    trials: int,
    champion: tuple[boosting.Params, list[str]] | None = None,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The evaluation of `models.evaluation.metrics`, of our model, the baselines, and the champion's recipe.

    champion: its parameters and its columns, refitted in every fold.
    """
    repeats = settings.repeats if len(table.churned) <= REPEATED_ROWS else 1
    draws = []
    for repeat in range(repeats):
        seed = settings.seed + repeat
        folds = StratifiedKFold(_possible_folds(table.churned, settings.folds), shuffle=True, random_state=seed)
        names = [STAYWORTH, *([CHAMPION] if champion else []), *BASELINES]
        predicted = {name: np.empty((2, len(table.churned))) for name in names}
        for number, (seen, unseen) in enumerate(folds.split(table.parsed, table.churned), 1):
            where = f"draw {repeat + 1} of {repeats}, fold {number} of {folds.n_splits}"

            def tell(text: str, where: str = where) -> None:
                say(f"judging, {where}: {text}")

            fold = _predict_fold(table, settings, seen, unseen, trials=trials, seed=seed, champion=champion, say=tell)
            for name, prediction in fold.items():
                predicted[name][:, unseen] = prediction
        draws.append(_evaluate(table, predicted, seed=seed))
    first = draws[0]
    averaged = {part: _mean_of([draw[part] for draw in draws]) for part in ("models", "differences")}
    return (
        first
        | averaged
        | {
            "kind": "label table",
            "customers": len(table.churned),
            "folds": settings.folds,
            "repeats": repeats,
            "churn_rate": float(table.churned.mean()),
        }
    )


def _predict_fold(
    table: TrainingTable,
    settings: LabelTraining,
    seen: np.ndarray,
    unseen: np.ndarray,
    *,
    trials: int,
    seed: int,
    champion: tuple[boosting.Params, list[str]] | None,
    say: Callable[[str], None],
) -> dict[str, Floats]:
    """Probabilities and expected values, (2, rows), of the unseen rows by every model."""
    parsed, churned = table.parsed.iloc[seen], table.churned[seen]
    judged = table.parsed.iloc[unseen]
    params = tune_classifier(parsed, churned, trials=trials, seed=seed, monotone=settings.monotone, say=say)
    recipes: dict[str, tuple[boosting.Params, list[str]]] = {STAYWORTH: (params, table.used)}
    if champion:
        recipes[CHAMPION] = champion
    probabilities = {}
    for name, (recipe, used) in recipes.items():
        model = fit_label_model(
            parsed[used],
            table.columns,
            churned,
            params=recipe,
            folds=settings.folds,
            seed=seed,
            monotone=settings.monotone,
        )
        probabilities[name] = expit(model.log_odds(judged[used]))
    probabilities |= {
        LOGISTIC: logistic_probability(parsed, churned, judged),
        BOOSTING: _boosting(parsed, churned, judged, seed),
    }
    values = dict.fromkeys(probabilities, np.zeros(len(unseen)))
    if table.value is not None:
        values = dict.fromkeys(probabilities, np.full(len(unseen), table.value[seen].mean()))
        fitted = fit_label_value(parsed, churned, table.value[seen], seed=seed)
        values[STAYWORTH] = fitted.expected_and_gain(judged, probabilities[STAYWORTH])[0]
    return {name: np.stack([probability, values[name]]) for name, probability in probabilities.items()}


def logistic_probability(parsed: pd.DataFrame, churned: Floats, judged: pd.DataFrame) -> Floats:
    """A logistic regression on scaled numbers and indicators of names."""
    names = [name for name in parsed if parsed[name].dtype == object]
    numbers = [name for name in parsed if name not in names and parsed[name].notna().any()]
    indicators = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, max_categories=100)
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
        (make_pipeline(SimpleImputer(strategy="constant", fill_value="", missing_values=None), indicators), names),
    )
    model = make_pipeline(columns, LogisticRegression(solver="newton-cholesky")).fit(parsed, churned)
    return model.predict_proba(judged)[:, 1]


def _boosting(parsed: pd.DataFrame, churned: Floats, judged: pd.DataFrame, seed: int) -> Floats:
    """scikit-learn's histogram gradient boosting with its defaults."""
    encoding, values = fit_encoding(parsed, churned, seed=seed)
    named = [column.names is not None for column in encoding.columns.values()]
    model = HistGradientBoostingClassifier(categorical_features=named, random_state=seed).fit(values, churned)
    return model.predict_proba(encoding.values(judged))[:, 1]


def _evaluate(table: TrainingTable, predicted: Mapping[str, Floats], *, seed: int) -> dict[str, Any]:
    value = np.zeros(len(table.churned)) if table.value is None else table.value
    truth = pd.DataFrame({"churned": table.churned > 0, "future_value": value})
    predictions = {name: Prediction(probability, expected) for name, (probability, expected) in predicted.items()}
    return metrics.evaluate(truth, predictions, resamples=RESAMPLES, seed=seed, confidence=CONFIDENCE)


def _mean_of(parts: list[Any]) -> Any:
    """The mean of nested numbers; None where one is None."""
    if isinstance(parts[0], dict):
        return {name: _mean_of([part[name] for part in parts]) for name in parts[0]}
    return None if any(part is None for part in parts) else float(np.mean(parts))


def _possible_folds(churned: Floats, folds: int) -> int:
    return int(min(folds, np.bincount(churned.astype(int), minlength=2).min()))
