"""Telco: contractual churn from attributes alone; five folds of a snapshot without time or orders.

Our model is what `train` makes for contracts (models.scoring.scorer): trees with parameters tuned on inner folds, and a
straight line that corrects their log-odds, fitted on rows the validation fit had not seen. All of it happens inside the
training part of each fold.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.accuracy_shops import SHARED
from models import STAYWORTH
from models.evaluation import metrics
from models.prediction import Prediction
from models.trees import boosting as trees
from models.trees import churn
from pipelines.training.tuning import tune

CUSTOMERS = SHARED / "telco" / "customers.parquet"
FOLDS, INNER = 5, 3
SEED, TRIALS, RESAMPLES = 7, 10, 500
NUMBERS = ["tenure", "MonthlyCharges", "TotalCharges"]


def telco() -> dict[str, Any]:
    """The evaluation of `models.evaluation.metrics`, of churn only, over the pooled predictions of all folds."""
    rows = customers()
    probabilities = {name: np.empty(len(rows)) for name in MODELS}
    for train_places, test_places in folds(rows, FOLDS):
        for name, model in MODELS.items():
            probabilities[name][test_places] = model(
                rows.iloc[train_places].reset_index(drop=True), rows.iloc[test_places]
            )
    nothing = np.zeros(len(rows))
    predictions = {name: Prediction(probability, nothing) for name, probability in probabilities.items()}
    evaluation = metrics.evaluate(
        rows.assign(future_value=nothing), predictions, resamples=RESAMPLES, seed=SEED, confidence=0.95
    )
    return {"as_of": None, "horizon_days": None, "customers": len(rows), **evaluation}


def customers() -> pd.DataFrame:
    """One row per customer: `churned` and the attributes; a blank `TotalCharges` is missing."""
    table = pd.read_parquet(CUSTOMERS).rename(columns={"customerID": "customer_id"})
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")
    return table.assign(churned=table.pop("Churn") == "Yes")


def attributes(rows: pd.DataFrame) -> list[str]:
    """The columns that a model may use."""
    return [name for name in rows.columns if name not in ("customer_id", "churned")]


def folds(rows: pd.DataFrame, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Positions of training and test rows per fold, stratified by churn."""
    split = StratifiedKFold(number, shuffle=True, random_state=SEED)
    return list(split.split(rows, rows["churned"]))


def ours(rows: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Churn probabilities of the test rows by the product's trees."""
    features = attributes(rows)
    inputs = trees.inputs_of(rows, features)
    parts = folds(rows, INNER)
    settings = {"params": _params(rows, features, parts), "seed": SEED}
    early, latest = parts[0]
    validated = churn.calibrate(churn.fit(rows.iloc[early], inputs, **settings), rows.iloc[latest], inputs)
    return replace(validated, booster=churn.fit(rows, inputs, **settings).booster).probability(test, inputs)


def _params(rows: pd.DataFrame, features: list[str], parts: list[tuple[np.ndarray, np.ndarray]]) -> trees.Params:
    """The search of `train`, whose folds are days: each part gets a day. Nobody buys, so there is no value to tune."""
    days = [date(2000, 1, 1) + timedelta(days=number) for number in range(len(parts))]
    dated = rows.assign(as_of=pd.NaT, bought=False, future_value=0.0, future_orders=0)
    for day, (_, place) in zip(days, parts, strict=True):
        dated.loc[place, "as_of"] = pd.Timestamp(day)
    day_folds = [([train_day for train_day in days if train_day != day], day) for day in days]
    return tune(dated, features, day_folds, trials=TRIALS, seed=SEED, say=lambda _: None).churn


def logistic(rows: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Churn probabilities by logistic regression on scaled numbers and indicators of names."""
    names = [name for name in attributes(rows) if name not in NUMBERS]
    columns = make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), names))
    model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(_filled(rows), rows["churned"])
    return model.predict_proba(_filled(test))[:, 1]


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    """Fill in 0 for the charges of new customers, who have not been billed yet."""
    return rows.fillna({"TotalCharges": 0.0})


def boosting(rows: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Churn probabilities by scikit-learn's histogram gradient boosting with its defaults."""
    names = [name for name in attributes(rows) if name not in NUMBERS]
    train, test_attributes = (
        frame[attributes(rows)].astype(dict.fromkeys(names, "category")) for frame in (rows, test)
    )
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=SEED)
    return model.fit(train, rows["churned"]).predict_proba(test_attributes)[:, 1]


Model = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]
MODELS: dict[str, Model] = {STAYWORTH: ours, "logistic": logistic, "hist_gradient_boosting": boosting}
