"""Label tables, yes or no for each customer, on which we and tuned rivals predict the customers of five folds.

Ours is the model that `train` makes of a label table, tuned inside each fold. Rivals are tuned inside the same fold, on
a quarter of its customers: settings and the number of trees, then a refit on all of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, train_test_split

from benchmarks import rival_models
from benchmarks.accuracy_shops import SHARED
from benchmarks.accuracy_telco import CUSTOMERS
from benchmarks.environments import beside
from benchmarks.rival_models import CATBOOST, LIGHTGBM, REGRESSION, Part, Split
from features.arrays import Floats
from models import STAYWORTH
from models.evaluation import metrics
from models.labelled.label_model import fit_label_model
from models.labelled.table_columns import ColumnKind, describe_columns, parse_columns
from models.prediction import Prediction
from pipelines.labelled.judge_folds import logistic_probability
from pipelines.labelled.tune_classifier import tune_classifier

FOLDS, TRIALS, RESAMPLES, SEED = 5, 10, 500, 7
MOST_ROWS = 10_000
"""Rows of a table at most, drawn at random."""
HIST_BOOSTING = "hist. boosting"
HIST_LEAVES = (4, 8, 31)
SHOP_LABEL = "TARGET_LABEL_BAD=1"
HILLSTROM = SHARED / "hillstrom" / "customers.parquet"


@dataclass(frozen=True)
class LabelTable:
    """A table, its label, the value that means yes, and columns that are known only afterwards or name the rows."""

    read: Callable[[], pd.DataFrame]
    label: str
    yes: object = 1
    unused: tuple[str, ...] = ()
    needs: Path | None = None


def packaged(name: str, **options: Any) -> pd.DataFrame:
    """A table inside empulse's wheel (MIT), which is not among our dependencies."""
    return pd.read_csv(beside("empulse") / "empulse" / "datasets" / "data" / f"{name}.csv.gz", **options)


def shop_credit() -> pd.DataFrame:
    """Applications for a shop's credit, without the few whose label is neither 0 nor 1."""
    rows = packaged("creditscoring2", sep="\t", index_col=False)
    return rows[rows[SHOP_LABEL].isin(["0", "1"])]


def breast_cancer() -> pd.DataFrame:
    return load_breast_cancer(as_frame=True).frame


TABLES = {
    "Telco": LabelTable(partial(pd.read_parquet, CUSTOMERS), "Churn", "Yes", ("customerID",), CUSTOMERS),
    "TV subscriptions": LabelTable(
        partial(packaged, "churn_tv_subscriptions"), "target", unused=("id", "C_FP", "C_FN", "C_TP", "C_TN")
    ),
    "bank telemarketing": LabelTable(partial(packaged, "bankmarketing", sep=";"), "y", "yes", ("duration",)),
    "credit cards": LabelTable(partial(packaged, "creditscoring1"), "SeriousDlqin2yrs", unused=("id",)),
    "shop credit": LabelTable(shop_credit, SHOP_LABEL, "1"),
    "Hillstrom visits": LabelTable(
        partial(pd.read_parquet, HILLSTROM), "visit", unused=("conversion", "spend"), needs=HILLSTROM
    ),
    "breast cancer": LabelTable(breast_cancer, "target"),
}
"""By a name that says what the label is of."""


@dataclass(frozen=True)
class Fold:
    """What one fold learns from, and the rows it predicts."""

    parsed: pd.DataFrame
    columns: dict[str, ColumnKind]
    churned: Floats
    judged: pd.DataFrame

    def split(self) -> Split:
        places = np.arange(len(self.churned))
        early, late = train_test_split(places, test_size=0.25, stratify=self.churned, random_state=SEED)
        return Split(early, late)


def measure_table(table: LabelTable) -> dict[str, Any]:
    """The evaluation of our model and the rivals, every customer predicted by models that have not seen them."""
    rows = table.read()
    rows = rows.sample(min(len(rows), MOST_ROWS), random_state=SEED).reset_index(drop=True)
    churned = (rows[table.label] == table.yes).to_numpy(float)
    features = rows.drop(columns=[table.label, *table.unused])
    columns = describe_columns(features)
    parsed = parse_columns(features, columns)
    predicted = {name: np.empty(len(rows)) for name in MODELS}
    for seen, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(parsed, churned):
        fold = Fold(parsed.iloc[seen], columns, churned[seen], parsed.iloc[unseen])
        for name, predict in MODELS.items():
            predicted[name][unseen] = predict(fold)
    truth = pd.DataFrame({"churned": churned > 0, "future_value": np.zeros(len(rows))})
    predictions = {name: Prediction(probability, np.zeros(len(rows))) for name, probability in predicted.items()}
    evaluation = metrics.evaluate(truth, predictions, resamples=RESAMPLES, seed=SEED, confidence=0.95)
    return {"customers": len(rows), "churn_rate": float(churned.mean()), **evaluation}


def ours(fold: Fold) -> Floats:
    params = tune_classifier(fold.parsed, fold.churned, trials=TRIALS, seed=SEED, say=lambda _: None)
    model = fit_label_model(fold.parsed, fold.columns, fold.churned, params=params, folds=FOLDS, seed=SEED)
    return expit(model.log_odds(fold.judged))


def lightgbm(fold: Fold) -> Floats:
    names, values, judged = codes(fold)
    return rival_models.lightgbm_churn(Part(values, fold.churned, fold.split(), SEED, names))(judged)


def catboost(fold: Fold) -> Floats:
    names, values, judged = codes(fold)
    return rival_models.catboost_churn(Part(values, fold.churned, fold.split(), SEED, names))(judged)


def hist_boosting(fold: Fold) -> Floats:
    """scikit-learn's booster: as many leaves as are best for the customers kept apart, and early stopping."""
    names, values, judged = codes(fold, most=250)
    early, late = fold.split()

    def fit(leaves: int, rows: np.ndarray) -> HistGradientBoostingClassifier:
        model = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=rival_models.MOST_ROUNDS,
            max_leaf_nodes=leaves,
            categorical_features=names,
            early_stopping=True,
            n_iter_no_change=rival_models.PATIENCE,
            random_state=SEED,
        )
        return model.fit(values[rows], fold.churned[rows])

    def loss(leaves: int) -> float:
        return log_loss(fold.churned[late], fit(leaves, early).predict_proba(values[late])[:, 1])

    return fit(min(HIST_LEAVES, key=loss), np.arange(len(values))).predict_proba(judged)[:, 1]


def regression(fold: Fold) -> Floats:
    return logistic_probability(fold.parsed, fold.churned, fold.judged)


def codes(fold: Fold, most: int | None = None) -> tuple[list[int], Floats, Floats]:
    """The columns of names, and both tables as numbers: names as codes, the commonest `most` apart."""
    named = [place for place, name in enumerate(fold.parsed) if fold.columns[name].kind == "names"]
    values, judged = np.empty(fold.parsed.shape), np.empty(fold.judged.shape)
    for place, name in enumerate(fold.parsed):
        seen, unseen = fold.parsed[name], fold.judged[name]
        if place in named:
            known = pd.Index(seen.value_counts().index[:most])
            seen, unseen = (
                pd.Series(known.get_indexer(cells), dtype=float).where(lambda code: code >= 0)
                for cells in (seen, unseen)
            )
        values[:, place], judged[:, place] = seen.to_numpy(float), unseen.to_numpy(float)
    return named, values, judged


MODELS = {
    STAYWORTH: ours,
    LIGHTGBM: lightgbm,
    CATBOOST: catboost,
    HIST_BOOSTING: hist_boosting,
    REGRESSION: regression,
}
