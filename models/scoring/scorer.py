"""The whole model: from feature rows to probabilities and money. A bundle stores it and the service runs it.

base_learners   trees, and BG/NBD or Pareto/NBD with Gamma-Gamma: each predicts every customer
blend           one prediction from theirs, with weights learned on a cut-off that none of them was fitted on
calibration     the shift by which season and trend move all customers of a day
intervals       the spread around the prediction, learned on that same cut-off
lifetime        the value of the years to come
keeping         who can be saved, and what saving them adds
longer_horizon  the way to the horizon where the log is too short to learn on windows of it
horizons        the same over other horizons, derived so that none contradicts another
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from features.arrays import Floats
from features.errors import InputError
from features.histories.attributes import AttributeKinds
from models.btyd.purchase_model import PurchaseModel
from models.ensemble.base_learners import BaseLearners
from models.ensemble.baselines import purchase_history
from models.ensemble.business_terms import Terms
from models.ensemble.intervals import HIGH, LOW, Intervals
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import Blend, LogPrediction
from models.horizons.horizon import Horizon, HorizonPrediction, predict_horizons
from models.horizons.longer_horizon import LongerHorizon
from models.keeping.keeping import Keeping, one_order
from models.lifetime import clv, next_order
from models.lifetime.clv import LifetimeValue
from models.lifetime.lifetime_spread import LifetimePrediction
from models.lifetime.next_order import NextOrder, Rhythm
from models.lifetime.state_value import StateValue
from models.prediction import DATES
from models.trees import boosting
from models.trees.churn import Churn
from models.trees.feature_matrix import FeatureMatrix, feature_rows

DAY_TYPES = dict.fromkeys(DATES, "datetime64[ms]")
"""Of a frame, as a table of days comes back as one."""
LEAST_CHURN = 1e-9
"""Below it a probability is taken to be this in a quotient."""


@dataclass(frozen=True)
class Example:
    """Rows of made-up customers by feature, and their scores when the model was made (models/scoring/self_test.py)."""

    as_of: str
    rows: dict[str, list[float | None]]
    scores: dict[str, list[float]]


@dataclass(frozen=True)
class Scorer:
    """A fitted model with everything it needs to score a row."""

    terms: Terms
    inputs: boosting.Inputs
    """Feature columns in the order of the trees; for a column of names, the names they were trained on."""
    base_learners: BaseLearners
    blend: Blend
    calibration: SeasonalCalibration
    intervals: Intervals
    lifetime: LifetimeValue
    """The value of the years to come, for `clv`."""
    purchase_model: PurchaseModel
    """How orders spread over shorter and longer horizons where no window tells."""
    contract_end: Churn | None = None
    """Under a contract, trees for its end; without one, a customer who orders nothing has churned."""
    centre: tuple[float, float] = (0.0, 0.0)
    """The average log-odds of no order and ln of value without features and calibration: where reasons begin."""
    keeping: Keeping | None = None
    """Who can be saved and what that adds; None: one order is added (models/keeping/keeping.py)."""
    horizons: tuple[Horizon, ...] = ()
    """The other horizons it predicts, nearest to that of the terms first."""
    longer_horizon: LongerHorizon | None = None
    """The way to the horizon from the shorter windows that all other parts were fitted on; None: they were not."""
    rhythm: Rhythm | None = None
    """The gaps between orders, for when the next one comes; None where nobody has ordered twice."""
    attributes: AttributeKinds = field(default_factory=dict)
    """What the attributes of customers among the inputs hold."""
    example: Example | None = None
    version: str = "unsaved"
    """The first digits of the bundle's hash."""

    def log_prediction(self, rows: pd.DataFrame) -> LogPrediction:
        """The blended prediction of each row, calibrated to its day."""
        return self.predict_frame(rows).log_prediction

    def predict_frame(self, rows: pd.DataFrame) -> PredictedRows:
        """Predict the rows of a frame with the features and `as_of`."""
        return self.predict_rows(feature_rows(rows, self.inputs))

    def predict_rows(self, rows: FeatureMatrix) -> PredictedRows:
        """Predict the rows; the result keeps their matrix for further predictions."""
        data = rows.matrix(self.inputs)
        predictions = self.base_learners.predict(rows.frame, self.inputs, self.blend.base_learners, data=data)
        prediction = self.calibration.calibrate(self.blend.combine(predictions), as_of=rows.as_of)
        if self.longer_horizon:
            prediction = self.longer_horizon.extend(prediction, purchase_history(rows.frame), self.purchase_model)
        return PredictedRows(rows, data, prediction)

    def end_of_contract(self, data: boosting.Matrix) -> Floats | None:
        """The probability that the contract ends within the horizon, (rows,); None without contracts."""
        within = self.contract_end.of(data) if self.contract_end else None
        return within if within is None or not self.longer_horizon else self.longer_horizon.end_of_contract(within)


class PredictedRows(NamedTuple):
    """Some rows with their prediction, calibrated to each row's day."""

    rows: FeatureMatrix
    data: boosting.Matrix
    log_prediction: LogPrediction


def predict(scorer: Scorer, rows: pd.DataFrame, *, horizon_days: int | None = None) -> pd.DataFrame:
    """The numbers of the scores, without reasons, over one horizon: that of the terms, or one of `Scorer.horizons`.

    Probabilities in (0, 1); expected_orders in orders; all others are margin in currency units: expected_value,
    value_p10 and value_p90 over the horizon; clv, clv_p10 and clv_p90, the same for all horizons, over the lifetime.
    next_order_at: the day of the median, NaT where no order is as likely as not within the lifetime.
    """
    days = horizon_days or scorer.terms.horizon_days
    known_days = [scorer.terms.horizon_days, *(horizon.days for horizon in scorer.horizons)]
    if days not in known_days:
        raise InputError(
            f"the model looks {', '.join(str(known) for known in sorted(known_days))} days ahead, not {days}",
            where="horizon_days",
            next="Train it with this horizon among time.horizons.",
        )
    others = scorer.horizons if days != known_days[0] else ()
    return frames_by_horizon(scorer, scorer.predict_frame(rows), others)[days]


def frames_by_horizon(scorer: Scorer, predicted: PredictedRows, others: Sequence[Horizon]) -> dict[int, pd.DataFrame]:
    """The frames of `predict` by horizon in days: that of the terms first, then the others from the shortest on."""
    frame = predicted.rows.frame
    keys = {"customer_id": frame["customer_id"], "as_of": frame["as_of"]}
    return {
        days: pd.DataFrame(keys | {"horizon_days": np.full(len(frame), days, np.int32)} | numbers).astype(DAY_TYPES)
        for days, numbers in numbers_by_horizon(scorer, predicted, others).items()
    }


def numbers_by_horizon(
    scorer: Scorer, predicted: PredictedRows, others: Sequence[Horizon]
) -> dict[int, dict[str, np.ndarray]]:
    """The numbers and days of `predict` by horizon in days, in the order of `frames_by_horizon`; shape (rows,) each."""
    rows, terms, inputs = predicted.rows, scorer.terms, scorer.inputs
    frame = rows.frame
    main = _over_main_horizon(scorer, predicted)
    lifetime = _over_lifetime(scorer, rows, main)
    churn = _churn_probability(main)
    savable, gain = _kept(scorer, predicted, main)
    (median,) = _next_order(scorer, predicted, lifetime, shares=(0.5,))
    next_order_at = next_order.median_day(median, as_of=rows.as_of)
    predictions = predict_horizons(
        others,
        main,
        frame.assign(as_of=rows.as_of) if others else frame,
        inputs,
        main_days=terms.horizon_days,
        purchase_model=scorer.purchase_model,
        data=rows.matrix(inputs) if others else None,
    )
    shares = {days: _churn_probability(over) / np.maximum(churn, LEAST_CHURN) for days, over in predictions.items()}
    return {
        days: {
            "churn_probability": _churn_probability(over),
            "expected_orders": over.expected_orders,
            "expected_value": over.log_prediction.expected_value,
            "value_p10": over.value_p10,
            "value_p90": over.value_p90,
            "clv": lifetime.value,
            "clv_p10": lifetime.low,
            "clv_p90": lifetime.high,
            "savable_probability": savable * shares[days],
            "gain": gain * shares[days],
            "next_order_at": next_order_at,
        }
        for days, over in sorted(predictions.items(), key=lambda item: (item[0] != terms.horizon_days, item[0]))
    }


def predict_lifetime(scorer: Scorer, predicted: PredictedRows, *, season_of: date | None = None) -> LifetimePrediction:
    """The lifetime values of predicted rows with their distribution, of which `predict` gives value and ends.

    season_of: the day whose season is to hold, if not that of each row's own day.
    """
    rows, prediction = predicted.rows, predicted.log_prediction
    if season_of is not None:
        prediction = scorer.calibration.in_season_of(prediction, as_of=rows.as_of, day=season_of)
    main = _over_main_horizon(scorer, predicted._replace(log_prediction=prediction))
    return _over_lifetime(scorer, rows, main, season_of=season_of)


def predict_value(scorer: Scorer, predicted: PredictedRows, *, days: int) -> Floats:
    """Margin of predicted rows over so many days, undiscounted, currency units, by the model of lifetime values.

    days: at least those of the horizon. What is learned stands alone here: its total is to be judged, and the floor of
    the horizon's value would raise it.
    """
    if isinstance(scorer.lifetime, StateValue):
        return scorer.lifetime.predict(predicted.rows, scorer.inputs, lifetime_days=days, annual_discount_rate=0.0)[0]
    terms = replace(scorer.terms, lifetime_days=days, annual_discount_rate=0.0)
    return predict_lifetime(replace(scorer, terms=terms), predicted).value


def predict_next_order(scorer: Scorer, predicted: PredictedRows) -> NextOrder:
    """Days until the next order of predicted rows: the median, whose day `predict` tells, and its 80 % interval."""
    return NextOrder(*_next_order(scorer, predicted, predict_lifetime(scorer, predicted), shares=(LOW, 0.5, HIGH)))


def _next_order(
    scorer: Scorer, predicted: PredictedRows, lifetime: LifetimePrediction, *, shares: Sequence[float]
) -> list[Floats]:
    return next_order.predict(
        scorer.rhythm,
        predicted.rows.frame,
        scorer.purchase_model,
        no_order=predicted.log_prediction.no_order,
        nothing=lifetime.nothing,
        horizon_days=scorer.terms.horizon_days,
        lifetime_days=scorer.terms.lifetime_days,
        shares=shares,
    )


def churn_probability(scorer: Scorer, predicted: PredictedRows) -> Floats:
    """The churn probability of predicted rows over the horizon, alone: a fraction of the work of `predict`."""
    end = scorer.end_of_contract(predicted.data)
    return predicted.log_prediction.no_order if end is None else end


def order_margin(scorer: Scorer, predicted: PredictedRows) -> Floats:
    """The margin of one expected order of predicted rows, currency units."""
    return _order_margin(_over_main_horizon(scorer, predicted))


def savable_and_gain(scorer: Scorer, predicted: PredictedRows) -> tuple[Floats, Floats]:
    """savable_probability and gain of predicted rows over the horizon, alone."""
    return _kept(scorer, predicted, _over_main_horizon(scorer, predicted))


def _order_margin(over: HorizonPrediction) -> Floats:
    return np.maximum(over.log_prediction.expected_value, 0) / np.maximum(over.expected_orders, LEAST_CHURN)


def _churn_probability(over: HorizonPrediction) -> Floats:
    return over.log_prediction.no_order if over.contract_end is None else over.contract_end


def _kept(scorer: Scorer, predicted: PredictedRows, main: HorizonPrediction) -> tuple[Floats, Floats]:
    """savable_probability and gain over the main horizon, (rows,) each."""
    churn, margin = _churn_probability(main), _order_margin(main)
    if scorer.keeping is not None:
        return scorer.keeping.predict(predicted.data, churn_probability=churn, order_margin=margin)
    alive = np.ones(len(churn))
    if main.contract_end is None:
        alive = scorer.purchase_model.probability_alive(*purchase_history(predicted.rows.frame))
    return one_order(
        alive=alive,
        probability_of_order=1 - churn,
        churn_probability=churn,
        order_margin=margin,
    )


def _over_main_horizon(scorer: Scorer, predicted: PredictedRows) -> HorizonPrediction:
    data, prediction = predicted.data, predicted.log_prediction
    orders_factor = scorer.longer_horizon.orders_factor if scorer.longer_horizon else 1.0
    return HorizonPrediction(
        prediction,
        (1 - prediction.no_order) * np.maximum(scorer.base_learners.value.orders_of(data) * orders_factor, 1.0),
        scorer.end_of_contract(data),
        *scorer.intervals.interval(prediction),
    )


def _over_lifetime(
    scorer: Scorer, rows: FeatureMatrix, main: HorizonPrediction, *, season_of: date | None = None
) -> LifetimePrediction:
    return clv.predict(
        scorer.lifetime,
        rows,
        scorer.inputs,
        terms=scorer.terms,
        horizon=clv.HorizonPart(main.log_prediction, main.value_p10, main.value_p90, scorer.calibration, season_of),
        intervals=scorer.intervals,
        purchase_model=scorer.purchase_model,
    )
