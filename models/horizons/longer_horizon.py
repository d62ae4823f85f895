"""The horizon of a model that learned on shorter windows, since the log is too short for windows of the horizon.

Learned over h days, asked over H > h. Who is more likely to order is carried on; how many order, Pareto/NBD or BG/NBD
says, whichever is likelier (models/btyd):

    log-odds of no order     log-odds over h + s        s: Σ P(order in H) is the counting model's
    expected value           expected value over h · c  c: the total is the root of A · B
        A   value over h, at the mean level of all closed cut-offs · Σ expected orders in H ÷ Σ expected orders in h
        B   the total of the counting model with Gamma-Gamma over H

with s and c the same for all customers, fitted on those known on the day the model is made. Three kinds of log are
extended customer by customer instead, as the counting model moves each from h to H (models/horizons/horizon.py):

    the trees have the lesser weight in the blend   s and c then lead half-way to the counting model's totals
    the level of the latest cut-off lies far from   s = 0, c = 1: no total of the counting model is trusted
    the mean of all, as the counting model sees it
    a counting model serves alone                   s = 0, c = 1: this is its own prediction over H

Where the log has a year, what all customers brought a year before shifts both (models/ensemble/year_ago_level.py).

Source: the combination of two forecasts by their mean, Hyndman & Athanasopoulos, Forecasting: Principles and Practice,
3rd ed., section 13.4; rules by backtests on short logs (docs/explanation/time.md). Wrong where the season of the H days
to come is not that of the windows learned on, which nothing shows in a log of less than a year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import expit

from features.arrays import Floats
from models.btyd import gamma_gamma
from models.btyd.purchase_model import PurchaseModel
from models.btyd.recency_frequency import History
from models.ensemble.baselines import BuyTillYouDie, purchase_history, repeat_spend
from models.ensemble.seasonal_calibration import SeasonalCalibration, total_matching_shift
from models.ensemble.stacking import LogPrediction
from models.horizons.neighbour_ratios import neighbour_ratios

FAR_SHIFT = 0.5
"""Of the log-odds: a latest cut-off whose level is farther from the mean of all is no sign of the level to come."""

LEADING = 0.5
"""Share of the blend's weights from which it is the trees that rank."""


@dataclass(frozen=True)
class LongerHorizon:
    """The way from the windows learned on to the horizon."""

    learned_days: int
    horizon_days: int
    by_customer: bool
    """True if the counting model moves each customer, before the shifts."""
    log_odds: float = 0.0
    """The shift of the log-odds of no order of all customers."""
    log_value: float = 0.0
    """The shift of ln of expected value of all customers."""
    orders_factor: float = 1.0
    """Multiplies the expected orders given an order."""

    def extend(self, prediction: LogPrediction, history: History, purchase_model: PurchaseModel) -> LogPrediction:
        """Extend the prediction of some rows over the windows learned on to the horizon."""
        log_odds = prediction.log_odds + self.log_odds
        expected = np.log(prediction.expected_value) + self.log_value
        if self.by_customer:
            ratios = neighbour_ratios(self.horizon_days, self.learned_days, history, purchase_model)
            log_odds, expected = log_odds + ratios.log_odds_shift, expected - np.log(expit(ratios.value_share))
        return LogPrediction(log_odds, expected - np.log(expit(-log_odds)))

    def shifted(self, log_odds: float, log_value: float) -> LongerHorizon:
        """The same way with further shifts, of the log-odds of no order and of ln of expected value."""
        return replace(self, log_odds=self.log_odds + log_odds, log_value=self.log_value + log_value)

    def end_of_contract(self, probability: Floats) -> Floats:
        """The probability that contracts end within the horizon, at the hazard of the windows learned on."""
        return -np.expm1(np.log1p(-probability) * self.horizon_days / self.learned_days)


def fit(
    blended: LogPrediction,
    known: pd.DataFrame,
    *,
    calibration: SeasonalCalibration,
    counted: SeasonalCalibration | None,
    purchase_model: PurchaseModel,
    learned_days: int,
    horizon_days: int,
    margin_rate: float,
    orders_given_one: Floats,
    trees_share: float,
) -> tuple[LongerHorizon, SeasonalCalibration]:
    """Fit on the customers known; returns the way to the horizon, and the calibration of predictions before it.

    blended: their prediction over `learned_days`, before calibration. calibration: of that, on closed cut-offs;
    counted: of the counting model alone, None where it serves alone. orders_given_one: their expected orders over
    `learned_days` given one, (rows,); margin_rate: margin as a share of revenue, 0 … 1; trees_share: of trees in the
    blend of the log-odds, 0 … 1.
    """
    history, as_of = purchase_history(known), known["as_of"].to_numpy()
    by_customer = LongerHorizon(learned_days, horizon_days, by_customer=True)
    is_far = counted is not None and abs(counted.log_odds[-1] - np.mean(counted.log_odds)) > FAR_SHIFT
    if counted is None:
        calibration, way = _constant(0.0, 0.0, as_of=as_of), by_customer
    elif is_far:
        way = by_customer
    else:
        is_led = trees_share >= LEADING
        if is_led:
            calibration = _constant(
                float(np.mean(calibration.log_odds)), float(np.mean(calibration.log_value)), as_of=as_of
            )
        way = _matched(
            replace(by_customer, by_customer=not is_led),
            calibration.calibrate(blended, as_of=as_of),
            known,
            purchase_model=purchase_model,
            margin_rate=margin_rate,
        )
    near = calibration.calibrate(blended, as_of=as_of)
    far = way.extend(near, history, purchase_model)
    wanted = float(((1 - near.no_order) * orders_given_one).sum()) * _growth(by_customer, known, purchase_model)
    factor = wanted / float(((1 - far.no_order) * orders_given_one).sum())
    return replace(way, orders_factor=factor), calibration


def _matched(
    way: LongerHorizon,
    near: LogPrediction,
    known: pd.DataFrame,
    *,
    purchase_model: PurchaseModel,
    margin_rate: float,
) -> LongerHorizon:
    """The way with the shifts by which it reaches the totals, of orders and of value."""
    history, own = purchase_history(known), way.extend(near, purchase_history(known), purchase_model)
    orders = float(purchase_model.probability_of_order(way.horizon_days, *history).sum())
    if way.by_customer:
        orders = (orders + float((1 - own.no_order).sum())) / 2

    def excess(shift: float) -> float:
        return float(expit(own.log_odds + shift).sum() - (len(known) - orders))

    log_odds = total_matching_shift(excess)
    if log_odds is None:
        return replace(way, by_customer=True)
    total = float(own.expected_value.sum())
    carried = total if way.by_customer else total * _growth(way, known, purchase_model)
    counted = _counted_total(purchase_model, known, way, margin_rate)
    to_come = np.sqrt(carried * counted) if counted > 0 else carried
    return replace(way, log_odds=log_odds, log_value=float(np.log(to_come / total)))


def _growth(way: LongerHorizon, known: pd.DataFrame, purchase_model: PurchaseModel) -> float:
    """Σ expected orders over the horizon ÷ Σ over the windows learned on, by the counting model."""
    history = purchase_history(known)
    far, near = (purchase_model.expected_orders(days, *history).sum() for days in (way.horizon_days, way.learned_days))
    return float(far / near)


def _counted_total(purchase_model: PurchaseModel, known: pd.DataFrame, way: LongerHorizon, margin_rate: float) -> float:
    """The margin that the counting model with Gamma-Gamma expects over the horizon; 0 where nobody came back."""
    frequency, mean_spend = repeat_spend(known)
    if not (mean_spend[frequency > 0] > 0).any():
        return 0.0
    spend = gamma_gamma.fit(frequency, mean_spend)
    return float(
        BuyTillYouDie(purchase_model, spend, way.horizon_days, margin_rate).predict(known).expected_value.sum()
    )


def _constant(log_odds: float, log_value: float, *, as_of: np.ndarray) -> SeasonalCalibration:
    """The same shifts on every day."""
    day = str(as_of.astype("datetime64[D]").max())
    return SeasonalCalibration([day], [log_odds], [log_value])
