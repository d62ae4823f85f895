"""Extending a model from the shorter windows it learned on to the horizon (models/horizons/longer_horizon.py)."""

from __future__ import annotations

import pandas as pd

from models.btyd import gamma_gamma
from models.btyd.purchase_model import PurchaseModel
from models.ensemble import base_learners, stacking
from models.ensemble.base_learners import BTYD_BASELINES, BaseLearners
from models.ensemble.baselines import BuyTillYouDie, repeat_spend
from models.ensemble.fit_settings import FitSettings
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction
from models.horizons import longer_horizon
from models.horizons.longer_horizon import LongerHorizon


def doubt(learned_days: int, horizon_days: int) -> str:
    """What to doubt of a model that learned on shorter windows, in words."""
    return f"learned on windows of {learned_days} days, extended to {horizon_days}: the log is too short for more"


def extend(
    rows: pd.DataFrame,
    now: pd.DataFrame,
    settings: FitSettings,
    fitted: BaseLearners,
    blended: LogPrediction,
    calibration: SeasonalCalibration,
    purchase_model: PurchaseModel,
    *,
    horizon_days: int,
    trees_share: float,
) -> tuple[LongerHorizon, SeasonalCalibration, PurchaseModel]:
    """The way from the windows learned on to the horizon, the calibration before it, and the counting model of it.

    rows: labelled, of all cut-offs; now: of the day the model is made. blended: the prediction of the latter over the
    windows learned on, and what calibrates it. trees_share: of the trees in the blend of the log-odds, 0 … 1.
    """
    learned_days, alone, counted = settings.terms.horizon_days, settings.recipe.alone, None
    if alone in BTYD_BASELINES:
        counting = fitted.baselines[alone]
        purchase_model = counting.orders  # type: ignore[attr-defined]
    else:
        spend = gamma_gamma.fit(*repeat_spend(now))
        counting = BuyTillYouDie(purchase_model, spend, learned_days, settings.margin_rate)
        counted = base_learners.fit_calibration(stacking.log_prediction_of(counting.predict(rows)), rows)
    longer, calibration = longer_horizon.fit(
        blended,
        now,
        calibration=calibration,
        counted=counted,
        purchase_model=purchase_model,
        learned_days=learned_days,
        horizon_days=horizon_days,
        margin_rate=settings.margin_rate,
        orders_given_one=fitted.value.orders(now, settings.inputs),
        trees_share=trees_share,
    )
    return longer, calibration, purchase_model
