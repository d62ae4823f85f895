"""Baselines: five established models, fitted on the same rows.

    bgnbd_gamma_gamma       BG/NBD for the number of orders, Gamma-Gamma for their value, a fixed margin rate
    pareto_nbd_gamma_gamma  the same, with Pareto/NBD in place of BG/NBD
    last_period             the next period will be like the last one
    hiatus                  churn rises with the time since the last order, value with past spending
    rfm_logistic            logistic and log-link regression on recency, frequency and monetary value

Each is a frozen record of numbers (`dataclasses.asdict` is JSON), so that a baseline can serve from a bundle if it
wins. All read the features frame; fitting reads the labels `churned` and `future_value` too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, PoissonRegressor

from features.arrays import Floats
from features.errors import Refusal
from features.families.frequency import WINDOWS
from models.btyd import bgnbd, gamma_gamma, pareto_nbd
from models.prediction import Prediction


class Baseline(Protocol):
    """Anything that predicts from a features frame, one value per row."""

    def predict(self, rows: pd.DataFrame) -> Prediction: ...


def fit_baselines(
    rows: pd.DataFrame,
    known: pd.DataFrame,
    *,
    horizon_days: float,
    margin_rate: float,
    label_days: float | None = None,
) -> dict[str, Baseline]:
    """Fit the baselines on training rows (several cut-offs stacked); returns them by name.

    known: rows of the latest day, on whose features alone BG/NBD and Pareto/NBD are fitted: they need no labels.
    margin_rate: the share of revenue that is margin, 0 … 1, for those that predict revenue. label_days: over how many
    days the labels run, if not the horizon; the counting models alone predict the horizon then.
    """
    share = rows["churned"].mean()
    if not 0 < share < 1 or not rows["future_value"].sum() > 0:
        raise Refusal(
            f"{share:.0%} of {len(rows)} training rows churned, with {rows['future_value'].sum():.2f} of value after "
            "them: nothing to distinguish",
            where="training rows",
            next="choose a horizon in which some customers order and some do not",
        )
    history, spend = purchase_history(known), gamma_gamma.fit(*repeat_spend(known))
    return {
        "bgnbd_gamma_gamma": BuyTillYouDie(bgnbd.fit(*history), spend, horizon_days, margin_rate),
        "pareto_nbd_gamma_gamma": BuyTillYouDie(pareto_nbd.fit(*history), spend, horizon_days, margin_rate),
        "last_period": LastPeriod.fit(rows, label_days=label_days or horizon_days, margin_rate=margin_rate),
        "hiatus": Hiatus.fit(rows),
        "rfm_logistic": RfmLogistic.fit(rows),
    }


@dataclass(frozen=True)
class BuyTillYouDie:
    """BG/NBD or Pareto/NBD, times Gamma-Gamma, times a margin rate.

    Fitted once, on the latest cut-off: a refit per cut-off only adds drift. Wrong in seasons, and where margins differ
    between customers.
    """

    orders: bgnbd.BGNBD | pareto_nbd.ParetoNBD
    spend: gamma_gamma.GammaGamma
    horizon_days: float
    margin_rate: float

    def predict(self, rows: pd.DataFrame) -> Prediction:
        history = purchase_history(rows)
        expected_orders = self.orders.expected_orders(self.horizon_days, *history)
        return Prediction(
            churn_probability=1 - self.orders.probability_of_order(self.horizon_days, *history),
            expected_value=expected_orders * self.spend.expected_value(*repeat_spend(rows)) * self.margin_rate,
            expected_orders=expected_orders,
        )


@dataclass(frozen=True)
class LastPeriod:
    """The last period comes again: that of the window of the features, in days, nearest to the labels' by its ratio.

    Churn: the share that churned among customers with, and without, an order in it. Value: the margin of it, made as
    long as the labels' window; at least the mean of those without an order, whom it would call worthless, an error
    without bound. A group that the training rows do not have gets the mean of all.
    """

    window_days: int
    times: float
    """Margin of the labels' window for each unit spent in the last one: lengths and margin rate."""
    churn_after_orders: float
    churn_after_none: float
    value_after_none: float

    @classmethod
    def fit(cls, rows: pd.DataFrame, *, label_days: float, margin_rate: float) -> LastPeriod:
        window_days = min(WINDOWS, key=lambda days: abs(np.log(days / label_days)))
        ordered = _column(rows, f"orders_last_{window_days}d") > 0
        with_orders = rows[ordered] if ordered.any() else rows
        without = rows if ordered.all() else rows[~ordered]
        return cls(
            window_days,
            margin_rate * label_days / window_days,
            float(with_orders["churned"].mean()),
            float(without["churned"].mean()),
            max(float(without["future_value"].mean()), 0.0),
        )

    def predict(self, rows: pd.DataFrame) -> Prediction:
        ordered = _column(rows, f"orders_last_{self.window_days}d") > 0
        spent = _column(rows, f"spend_last_{self.window_days}d") * self.times
        return Prediction(
            churn_probability=np.where(ordered, self.churn_after_orders, self.churn_after_none),
            expected_value=np.maximum(np.where(ordered, spent, 0.0), self.value_after_none),
        )


@dataclass(frozen=True)
class Hiatus:
    """Churn rises with `recency_days`, value with `spend_total`, each by isotonic regression.

    The best rising curve is kept as knots and read with straight lines between them, flat beyond them.
    """

    recency_days: tuple[float, ...]
    churn_probability: tuple[float, ...]
    spend_total: tuple[float, ...]
    expected_value: tuple[float, ...]

    @classmethod
    def fit(cls, rows: pd.DataFrame) -> Hiatus:
        return cls(
            *_rising(rows, "recency_days", "churned"),
            *_rising(rows, "spend_total", "future_value"),
        )

    def predict(self, rows: pd.DataFrame) -> Prediction:
        return Prediction(
            churn_probability=np.interp(_column(rows, "recency_days"), self.recency_days, self.churn_probability),
            expected_value=np.interp(_column(rows, "spend_total"), self.spend_total, self.expected_value),
        )


@dataclass(frozen=True)
class RfmLogistic:
    """Regression on ln(1 + x) of recency_days, orders and spend_mean (a mean below 0, all refunds, counts as 0).

    Churn by logistic regression, value by a Poisson (quasi-likelihood) regression with a log link, each with a ridge
    worth about one row; both reproduce the total of their training rows. Coefficients: intercept first.
    Wrong for whales, whose value it extrapolates as a power law.
    """

    churn: tuple[float, ...]
    value: tuple[float, ...]

    @classmethod
    def fit(cls, rows: pd.DataFrame) -> RfmLogistic:
        X, value = _rfm(rows), _column(rows, "future_value").clip(min=0)
        scale = value.mean()  # unit free, so that the ridge weighs the same in any currency
        churn = LogisticRegression(C=1, tol=1e-7, solver="newton-cholesky").fit(X, rows["churned"])
        money = PoissonRegressor(alpha=1 / len(rows), tol=1e-7, solver="newton-cholesky").fit(X, value / scale)
        return cls(
            (float(churn.intercept_[0]), *churn.coef_[0].tolist()),
            (float(money.intercept_ + np.log(scale)), *money.coef_.tolist()),
        )

    def predict(self, rows: pd.DataFrame) -> Prediction:
        X = _rfm(rows)
        return Prediction(
            churn_probability=expit(self.churn[0] + X @ np.array(self.churn[1:])),
            expected_value=np.exp(self.value[0] + X @ np.array(self.value[1:])),
        )


BTYD_FEATURES = ("recency_days", "tenure_days", "repeat_orders", "spend_total", "spend_first_order")
"""The features that the BTYD baselines read."""


def purchase_history(rows: pd.DataFrame) -> tuple[Floats, Floats, Floats]:
    """BG/NBD's and Pareto/NBD's frequency (orders), recency and T (days) of a features frame."""
    tenure_days = _column(rows, "tenure_days")
    return _column(rows, "repeat_orders"), tenure_days - _column(rows, "recency_days"), tenure_days


def repeat_spend(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    """Gamma-Gamma's frequency and mean value of repeat orders (currency units, 0 where refunds exceed them)."""
    frequency = _column(rows, "repeat_orders")
    total = (_column(rows, "spend_total") - _column(rows, "spend_first_order")).clip(min=0)
    return frequency, total / np.maximum(frequency, 1)


def _rfm(rows: pd.DataFrame) -> Floats:
    columns = [_column(rows, name) for name in ("recency_days", "orders", "spend_mean")]
    return np.log1p(np.column_stack(columns).clip(min=0))


def _rising(rows: pd.DataFrame, feature: str, target: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The knots of the isotonic regression of one column on another."""
    curve = IsotonicRegression().fit(_column(rows, feature), _column(rows, target))
    return tuple(curve.X_thresholds_.tolist()), tuple(curve.y_thresholds_.tolist())


def _column(rows: pd.DataFrame, name: str) -> Floats:
    return rows[name].to_numpy(dtype=np.float64)
