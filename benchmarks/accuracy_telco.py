"""Telco: who leaves under a contract, from attributes alone; five folds of a snapshot without time or orders.

Ours is what `train` makes for a contract (models.scoring.scorer): trees with parameters tuned on inner folds, and a
line that corrects their log-odds, learnt where a rehearsal had not looked. All of it inside each fold's training part.
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
    said = {name: np.empty(len(rows)) for name in MODELS}
    for taught, judged in folds(rows, FOLDS):
        for name, model in MODELS.items():
            said[name][judged] = model(rows.iloc[taught].reset_index(drop=True), rows.iloc[judged])
    nothing = np.zeros(len(rows))
    predictions = {name: Prediction(probability, nothing) for name, probability in said.items()}
    found = metrics.evaluate(
        rows.assign(future_value=nothing), predictions, resamples=RESAMPLES, seed=SEED, confidence=0.95
    )
    return {"as_of": None, "horizon_days": None, "customers": len(rows), **found}


def customers() -> pd.DataFrame:
    """A customer a row, `churned` and the attributes; a blank `TotalCharges` is missing."""
    table = pd.read_parquet(CUSTOMERS).rename(columns={"customerID": "customer_id"})
    table["TotalCharges"] = pd.to_numeric(table["TotalCharges"], errors="coerce")
    return table.assign(churned=table.pop("Churn") == "Yes")


def attributes(rows: pd.DataFrame) -> list[str]:
    """The columns to learn from."""
    return [name for name in rows.columns if name not in ("customer_id", "churned")]


def folds(rows: pd.DataFrame, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places to learn from and places to judge on, of equal churn."""
    split = StratifiedKFold(number, shuffle=True, random_state=SEED)
    return list(split.split(rows, rows["churned"]))


def ours(rows: pd.DataFrame, judged: pd.DataFrame) -> np.ndarray:
    """Churn probabilities of `judged` by the product's trees."""
    features = attributes(rows)
    inputs = trees.inputs_of(rows, features)
    parts = folds(rows, INNER)
    how = {"params": _params(rows, features, parts), "seed": SEED}
    early, latest = parts[0]
    rehearsed = churn.calibrate(churn.fit(rows.iloc[early], inputs, **how), rows.iloc[latest], inputs)
    return replace(rehearsed, booster=churn.fit(rows, inputs, **how).booster).probability(judged, inputs)


def _params(rows: pd.DataFrame, features: list[str], parts: list[tuple[np.ndarray, np.ndarray]]) -> trees.Params:
    """The search of `train`, which knows folds by days: each part stands for one. Nobody buys: no value to tune."""
    days = [date(2000, 1, 1) + timedelta(days=number) for number in range(len(parts))]
    dated = rows.assign(as_of=pd.NaT, bought=False, future_value=0.0, future_orders=0)
    for day, (_, place) in zip(days, parts, strict=True):
        dated.loc[place, "as_of"] = pd.Timestamp(day)
    apart = [([other for other in days if other != day], day) for day in days]
    return tune(dated, features, apart, trials=TRIALS, seed=SEED, say=lambda _: None).churn


def logistic(rows: pd.DataFrame, judged: pd.DataFrame) -> np.ndarray:
    """Churn probabilities by logistic regression on scaled numbers and indicators of names."""
    names = [name for name in attributes(rows) if name not in NUMBERS]
    columns = make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), names))
    model = make_pipeline(columns, LogisticRegression(max_iter=1000)).fit(_filled(rows), rows["churned"])
    return model.predict_proba(_filled(judged))[:, 1]


def _filled(rows: pd.DataFrame) -> pd.DataFrame:
    """Charges of new customers, who were not billed yet, are 0."""
    return rows.fillna({"TotalCharges": 0.0})


def boosting(rows: pd.DataFrame, judged: pd.DataFrame) -> np.ndarray:
    """Churn probabilities by scikit-learn's histogram gradient boosting with its defaults."""
    names = [name for name in attributes(rows) if name not in NUMBERS]
    taught, asked = (of[attributes(rows)].astype(dict.fromkeys(names, "category")) for of in (rows, judged))
    model = HistGradientBoostingClassifier(categorical_features="from_dtype", random_state=SEED)
    return model.fit(taught, rows["churned"]).predict_proba(asked)[:, 1]


Model = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]
MODELS: dict[str, Model] = {STAYWORTH: ours, "logistic": logistic, "hist_gradient_boosting": boosting}
