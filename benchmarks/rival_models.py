"""The rivals on an order log: LightGBM, CatBoost, a regression, Pareto/NBD with Gamma-Gamma, and a mean of two.

    LightGBM, CatBoost  two parts: a classifier of churn, and a regression of the value of those who order
    regression          the same of linear models: logistic, and Gamma with a log link, on logarithms of the features
    Pareto/NBD          with Gamma-Gamma for the value of an order, as its papers have it (models/btyd)
    mean                of LightGBM and Pareto/NBD

All learn from the same features of the same past cut-offs as our trees. Early stopping, and the choice of a few
settings, is by the latest cut-off, and a refit on all cut-offs follows.
"""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import GammaRegressor, LogisticRegression
from sklearn.metrics import log_loss, mean_gamma_deviance
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from benchmarks.environments import beside
from features.arrays import Floats
from models.btyd import gamma_gamma, pareto_nbd
from models.ensemble.baselines import BuyTillYouDie, purchase_history, repeat_spend
from models.prediction import Prediction
from models.trees import boosting

LIGHTGBM, CATBOOST, REGRESSION, PARETO, MEAN = "LightGBM", "CatBoost", "regression", "Pareto/NBD", "mean"
MOST_ROUNDS, PATIENCE = 1500, 50
"""The most trees, and the rounds without a smaller loss on the latest cut-off that end them."""
LIGHTGBM_SETTINGS: Mapping[str, Any] = {
    "learning_rate": 0.05,
    "min_child_samples": 50,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.6,
    "reg_lambda": 1.0,
    "verbosity": -1,
}
LIGHTGBM_LEAVES = (8, 31)
"""Leaves of a tree that are tried; 31 is LightGBM's default."""
CATBOOST_SETTINGS: Mapping[str, Any] = {
    "learning_rate": 0.06,
    "depth": 6,
    "allow_writing_files": False,
    "verbose": False,
}
PENALTIES = (0.01, 0.1, 1.0)
"""C of the logistic regression; the ridge of the Gamma regression is 0.001 ÷ it."""
SMALLEST_VALUE = 1e-3
"""Of the mean value of those who order: what counts as the value of those who brought less."""


class Split(NamedTuple):
    """Rows to fit on and rows to judge by when to stop: positions."""

    early: np.ndarray
    late: np.ndarray


@dataclass(frozen=True)
class PastRows:
    """Labelled rows of past cut-offs, and what is known on the day."""

    rows: pd.DataFrame
    """Rows with the features and `as_of`, `customer_id`, `churned`, `bought`, `future_value`."""
    current_rows: pd.DataFrame
    features: list[str]
    window_days: int
    """Days of the windows of the labels."""
    horizon_days: int
    margin_rate: float
    seed: int

    def split(self) -> Split:
        """The latest cut-off to judge by, those whose windows had closed by then to fit on; else customers apart."""
        days = self.rows["as_of"]
        late = (days == days.max()).to_numpy()
        early = (days <= days.max() - pd.Timedelta(days=self.window_days)).to_numpy()
        if not early.any():
            codes = pd.factorize(self.rows["customer_id"])[0]
            late = (np.random.default_rng(self.seed).random(codes.max() + 1) < 0.2)[codes]
            early = ~late
        return Split(np.flatnonzero(early), np.flatnonzero(late))


class Part(NamedTuple):
    """One of the two parts to learn: numbers, a target, and the split of its rows."""

    values: Floats
    target: Floats
    split: Split
    seed: int
    named: Sequence[int] = ()
    """Columns that hold codes of names."""


def predict_rivals(past: PastRows, test: pd.DataFrame) -> dict[str, Prediction]:
    """The predictions of all rivals for the rows of the day. Raises Unavailable without LightGBM and CatBoost."""
    import_boosters()
    predictions = {
        LIGHTGBM: two_parts(past, test, lightgbm_churn, lightgbm_value),
        CATBOOST: two_parts(past, test, catboost_churn, catboost_value),
        REGRESSION: two_parts(past, test, logistic_churn, gamma_value),
        PARETO: counting(past, test),
    }
    return predictions | {MEAN: mean_of([predictions[LIGHTGBM], predictions[PARETO]])}


def import_boosters() -> None:
    """Put LightGBM and CatBoost, which are not among our dependencies, on the path."""
    folder = str(beside("boosters"))
    if folder not in sys.path:
        sys.path.append(folder)


Predict = Callable[[Floats], Floats]


def two_parts(
    past: PastRows, test: pd.DataFrame, churn: Callable[[Part], Predict], value: Callable[[Part], Predict]
) -> Prediction:
    """Probability of churn, and P(order) × value of those who order; repeated where the windows are shorter."""
    inputs = boosting.inputs_of(past.rows, past.features)
    values, judged = (boosting.values(frame, inputs) for frame in (past.rows, test))
    split, ordered = past.split(), past.rows["bought"].to_numpy(bool)
    leaves = churn(Part(values, past.rows["churned"].to_numpy(float), split, past.seed))(judged)
    money = past.rows["future_value"].to_numpy(float)[ordered]
    scale = money.mean()  # unit free
    places = np.cumsum(ordered) - 1
    split_of_buyers = Split(*(places[part[ordered[part]]] for part in split))
    target = np.maximum(money / scale, SMALLEST_VALUE)
    if np.ptp(target[split_of_buyers.early]) > 0:
        given_order = value(Part(values[ordered], target, split_of_buyers, past.seed))(judged) * scale
    else:  # every order brings the same: a yearly gift counted as 1
        given_order = np.full(len(judged), scale)
    times = past.horizon_days / past.window_days
    return Prediction(leaves**times, (1 - leaves) * given_order * times)


def counting(past: PastRows, test: pd.DataFrame) -> Prediction:
    """Pareto/NBD and Gamma-Gamma, fitted on what is known of every customer on the day."""
    orders = pareto_nbd.fit(*purchase_history(past.current_rows))
    spend = gamma_gamma.fit(*repeat_spend(past.current_rows))
    return BuyTillYouDie(orders, spend, past.horizon_days, past.margin_rate).predict(test)


def mean_of(predictions: Iterable[Prediction]) -> Prediction:
    """The mean of probabilities and of values."""
    pairs = [(prediction.churn_probability, prediction.expected_value) for prediction in predictions]
    return Prediction(*np.mean(pairs, axis=0))


def lightgbm_churn(part: Part) -> Predict:
    from lightgbm import LGBMClassifier

    model = _lightgbm(LGBMClassifier, part, "binary_logloss")
    return lambda values: np.asarray(model.predict_proba(values))[:, 1]


def lightgbm_value(part: Part) -> Predict:
    from lightgbm import LGBMRegressor

    return _lightgbm(partial(LGBMRegressor, objective="gamma"), part, "gamma").predict


def _lightgbm(kind: Callable[..., Any], part: Part, metric: str) -> Any:
    """The best of a few numbers of leaves, with as many trees as the late rows ask for, refitted on all rows."""
    from lightgbm import early_stopping

    (early, late), found = part.split, []
    for leaves in LIGHTGBM_LEAVES:
        settings = {**LIGHTGBM_SETTINGS, "num_leaves": leaves, "random_state": part.seed}
        trial = kind(n_estimators=MOST_ROUNDS, **settings).fit(
            part.values[early],
            part.target[early],
            eval_X=(part.values[late],),
            eval_y=(part.target[late],),
            eval_metric=metric,
            categorical_feature=list(part.named) or "auto",
            callbacks=[early_stopping(PATIENCE, first_metric_only=True, verbose=False)],
        )
        found.append((trial.best_score_["valid_0"][metric], trial.best_iteration_, settings))
    _, rounds, settings = min(found, key=lambda result: result[0])
    return kind(n_estimators=max(rounds, 1), **settings).fit(
        part.values, part.target, categorical_feature=list(part.named) or "auto"
    )


def catboost_churn(part: Part) -> Predict:
    from catboost import CatBoostClassifier

    model = _catboost(CatBoostClassifier, part)
    return lambda values: np.asarray(model.predict_proba(_with_names(values, part.named)))[:, 1]


def catboost_value(part: Part) -> Predict:
    from catboost import CatBoostRegressor

    model = _catboost(partial(CatBoostRegressor, loss_function="Tweedie:variance_power=1.5"), part)
    return lambda values: np.exp(model.predict(values, prediction_type="RawFormulaVal"))


def _catboost(kind: Callable[..., Any], part: Part) -> Any:
    """As many trees as the late rows ask for, refitted on all rows."""
    early, late = part.split
    values, settings = _with_names(part.values, part.named), {**CATBOOST_SETTINGS, "random_seed": part.seed}
    settings["cat_features"] = list(part.named) or None
    trial = kind(iterations=MOST_ROUNDS, **settings).fit(
        values[early],
        part.target[early],
        eval_set=(values[late], part.target[late]),
        early_stopping_rounds=PATIENCE,
    )
    return kind(iterations=trial.tree_count_, **settings).fit(values, part.target)


def _with_names(values: Floats, named: Sequence[int]) -> np.ndarray:
    """CatBoost's form of names: text beside numbers."""
    if not named:
        return values
    cells = values.astype(object)
    for place in named:
        cells[:, place] = [str(code) for code in values[:, place]]
    return cells


def logistic_churn(part: Part) -> Predict:
    def fit(penalty: float, rows: np.ndarray) -> Any:
        model = LogisticRegression(C=penalty, solver="newton-cholesky")
        return _on_logarithms(model).fit(part.values[rows], part.target[rows])

    def loss(model: Any, rows: np.ndarray) -> float:
        return log_loss(part.target[rows], model.predict_proba(part.values[rows])[:, 1])

    model = _least_loss(part, fit, loss)
    return lambda values: np.asarray(model.predict_proba(values))[:, 1]


def gamma_value(part: Part) -> Predict:
    def fit(penalty: float, rows: np.ndarray) -> Any:
        model = GammaRegressor(alpha=0.001 / penalty, solver="newton-cholesky", max_iter=1000)
        return _on_logarithms(model).fit(part.values[rows], part.target[rows])

    def loss(model: Any, rows: np.ndarray) -> float:
        return mean_gamma_deviance(part.target[rows], model.predict(part.values[rows]))

    return _least_loss(part, fit, loss).predict


def _least_loss(part: Part, fit: Callable[[float, np.ndarray], Any], loss: Callable[[Any, np.ndarray], float]) -> Any:
    """The model with the penalty of the least loss on the late rows, refitted on all."""
    early, late = part.split
    best = min(PENALTIES, key=lambda penalty: loss(fit(penalty, early), late))
    return fit(best, np.arange(len(part.target)))


def _on_logarithms(model: Any) -> Any:
    """A linear model of the logarithms of the features, standardised, and never beyond their range in training."""
    return make_pipeline(
        FunctionTransformer(_signed_log),
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        MinMaxScaler(clip=True),
        StandardScaler(),
        model,
    )


def _signed_log(values: Floats) -> Floats:
    numbers = values.astype(float)
    return np.sign(numbers) * np.log1p(np.abs(numbers))
