"""Customer lifetime value (`clv`): one definition for batch, service, report and console.

The expected discounted margin of all that a customer will bring in (as_of, as_of + lifetime]. Three models give it, and
a bundle holds one of them:

    ContractValue   under a contract: what it brings while it lasts (models/lifetime/contract_value.py)
    StateValue      learned from the log itself, where it is long enough (models/lifetime/state_value.py)
    CountingValue   the horizon's value, extended by counting models, where it is not, and in bundles before format 5

Beside it the 10 % and 90 % points of what the customer will bring (`clv_p10`, `clv_p90`): under a contract they follow
from when it ends (models/lifetime/contract_points.py), elsewhere from customers alike (models/lifetime/
lifetime_spread.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from scipy.special import expit

from features.arrays import Floats
from features.clock import YEAR_DAYS
from features.errors import InputError
from models.btyd.purchase_model import PurchaseModel
from models.btyd.recency_frequency import checked
from models.ensemble.baselines import purchase_history
from models.ensemble.business_terms import Terms
from models.ensemble.fit_settings import FitSettings
from models.ensemble.intervals import Intervals
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction
from models.lifetime import counting_value, fit_contract_value, fit_state_value
from models.lifetime.contract_value import ContractValue
from models.lifetime.counting_value import COUNTED_MISS, CountingValue
from models.lifetime.fit_lifetime_spread import LEARNED_MISS
from models.lifetime.lattice import LifetimeRows
from models.lifetime.lifetime_spread import LEAST_VALUE, LifetimePrediction, extended_log_odds, points
from models.lifetime.state_value import StateValue
from models.trees import boosting
from models.trees.feature_matrix import FeatureMatrix

LifetimeValue: TypeAlias = StateValue | ContractValue | CountingValue
FARTHEST = 3
"""Lifetimes of more than so many times the days of cut-offs are doubted."""
FEW_CONTRACTS = "too few contracts have ended in the log to see how long they last: counting models extend the horizon"
TOO_SHORT = "the log is too short to see what a customer brings in a second year: counting models extend the horizon"


def fit(
    rows: LifetimeRows | None,
    known: pd.DataFrame,
    settings: FitSettings,
    *,
    blended: LogPrediction,
    calibration: SeasonalCalibration,
    orders: Sequence[PurchaseModel],
    cost_share: float,
    doubts: Sequence[str],
) -> LifetimeValue:
    """Fit on the rows of a lattice; without them, counting models extend the value of the customers known today.

    blended, calibration: their prediction over the horizon, and what calibrates it to a day. orders, doubts: the
    counting models, and what they leave in doubt (models/lifetime/counting_value.py). cost_share: costs to serve ÷
    margin, where the log has them.
    """
    terms = settings.terms
    if terms.lifetime_days < terms.horizon_days:
        raise InputError(
            f"a lifetime of {terms.lifetime_days:g} days is shorter than one horizon of {terms.horizon_days:g} days",
            where="lifetime",
            next="Set lifetime_days to at least horizon_days.",
        )
    learned = _learned(rows, settings) if rows else None
    if rows is None or learned is None:
        return counting_value.fit(
            orders,
            known,
            blended,
            calibration,
            horizon_days=terms.horizon_days,
            margin_rate=settings.margin_rate,
            cost_share=cost_share,
            doubts=(FEW_CONTRACTS if settings.is_contractual else TOO_SHORT, *doubts),
            miss=max(COUNTED_MISS, settings.level_spread),
        )
    log_days = (rows.lattice.as_of - rows.lattice.day(rows.lattice.months_back)).days
    if terms.lifetime_days > FARTHEST * log_days:
        doubts = (f"a lifetime of {terms.lifetime_days:,} days is asked of {log_days:,} days of cut-offs", *doubts)
    return replace(learned, doubts=(*learned.doubts, *doubts))


def typical_miss(model: LifetimeValue) -> float:
    """How far a total of lifetime values usually is from what comes: a standard deviation on the log scale."""
    return model.miss if isinstance(model, CountingValue) else LEARNED_MISS


def _learned(rows: LifetimeRows, settings: FitSettings) -> StateValue | ContractValue | None:
    """The value learned from the rows; None under a contract that hardly anybody has left."""
    inputs, recipe, terms = settings.inputs, settings.recipe, settings.terms
    if rows.left is not None:
        return fit_contract_value.fit(rows, inputs, seed=recipe.seed, device=recipe.device)
    return fit_state_value.fit(
        rows,
        inputs,
        lifetime_days=terms.lifetime_days,
        annual_discount_rate=terms.annual_discount_rate,
        seed=recipe.seed,
        device=recipe.device,
    )


class HorizonPart(NamedTuple):
    """The prediction of the rows over the horizon, which is a part of their lifetime."""

    prediction: LogPrediction
    low: Floats
    """value_p10, currency units, (rows,)."""
    high: Floats
    """value_p90."""
    calibration: SeasonalCalibration
    """What the day has put into it."""
    season_of: date | None = None
    """The day whose season is to hold over the lifetime, as it holds in the prediction; None: each row's own."""


def predict(
    model: LifetimeValue,
    rows: FeatureMatrix,
    inputs: boosting.Inputs,
    *,
    terms: Terms,
    horizon: HorizonPart,
    intervals: Intervals,
    purchase_model: PurchaseModel,
) -> LifetimePrediction:
    """Lifetime values and their distribution, currency units.

    Before costs to serve, neither they nor their ends lie below those of the horizon, discounted. intervals: of the
    horizon; purchase_model: carries them to the lifetime where the model has no spread of its own.
    """
    prediction, days, rate = horizon.prediction, terms.horizon_days, terms.annual_discount_rate
    checked(*purchase_history(rows.frame), where="lifetime")
    span = {"lifetime_days": terms.lifetime_days, "annual_discount_rate": rate}
    discount = (1 + rate) ** (-days / 2 / YEAR_DAYS)
    floor = 0.0 if has_costs(model) else discount
    soon = floor * prediction.expected_value if floor else np.full(len(rows.frame), -np.inf)
    log_odds = None
    if isinstance(model, ContractValue):
        expected, low, high, nothing = model.predict(rows, inputs, **span)
        value = np.maximum(expected, soon)
        raised = np.divide(value, expected, out=np.ones(len(value)), where=expected > LEAST_VALUE)
        low, high = low * raised, high * raised
    else:
        if isinstance(model, StateValue):
            expected, year_orders = model.predict(rows, inputs, season_of=horizon.season_of, **span)
            value = np.maximum(expected, soon)
            if model.spread:
                intervals = model.spread.intervals
                log_odds = model.spread.nothing_log_odds(year_orders, rows.frame["orders"].to_numpy(float))
        else:
            days_of_season = rows.as_of if horizon.season_of is None else np.full_like(rows.as_of, horizon.season_of)
            season = horizon.calibration.season_of(model.log_odds, as_of=days_of_season)
            value = model.value(prediction.expected_value, season, rows.frame, horizon_days=days, **span)
        if log_odds is None:
            span_days = {"horizon_days": days, "lifetime_days": terms.lifetime_days}
            log_odds = extended_log_odds(prediction.log_odds, rows.frame, purchase_model, **span_days)
        low, high = points(value, log_odds, intervals)
        nothing = expit(log_odds)
    return LifetimePrediction(
        value, np.maximum(low, floor * horizon.low), np.maximum(high, floor * horizon.high), nothing
    )


def has_costs(model: LifetimeValue) -> bool:
    """True if the values are after costs to serve."""
    return model.cost_share != 0 if isinstance(model, CountingValue) else model.margin.serving is not None


def before_costs(model: LifetimeValue) -> LifetimeValue:
    """The same model of values before costs to serve."""
    if isinstance(model, CountingValue):
        return replace(model, cost_share=0.0)
    return replace(model, margin=replace(model.margin, serving=None))
