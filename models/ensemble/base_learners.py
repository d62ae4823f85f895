"""The base learners of a blend: trees, and the baselines that a model is blended with or served by.

The season of each cut-off is taken off before the trees learn: what BG/NBD or Pareto/NBD, which know no seasons, missed
of each cut-off's totals is an offset of the log-odds and divides the value. Without it trees take whatever tells
cut-offs apart, such as how far back the log reaches, for a cause of the season.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logit

from features.arrays import Floats
from models.btyd import gamma_gamma
from models.btyd.bgnbd import BGNBD
from models.btyd.gamma_gamma import GammaGamma
from models.btyd.pareto_nbd import ParetoNBD
from models.btyd.purchase_model import PurchaseModel
from models.ensemble import seasonal_calibration, stacking
from models.ensemble.baselines import (
    Baseline,
    BuyTillYouDie,
    Hiatus,
    LastPeriod,
    RfmLogistic,
    fit_baselines,
    repeat_spend,
)
from models.ensemble.fit_settings import FitSettings
from models.ensemble.recipe import TREES
from models.ensemble.seasonal_calibration import SeasonalCalibration
from models.ensemble.stacking import LogPrediction, Outcome
from models.trees import boosting, churn, value
from models.trees.churn import Churn
from models.trees.training_rows import Rows, Stream, changed
from models.trees.value import Value

BTYD_BASELINES: dict[str, type[BGNBD] | type[ParetoNBD]] = {
    "bgnbd_gamma_gamma": BGNBD,
    "pareto_nbd_gamma_gamma": ParetoNBD,
}
"""The baselines that model orders until a customer stops, and the purchase model of each."""
SIMPLE_BASELINES: dict[str, Callable[..., LastPeriod | Hiatus | RfmLogistic]] = {
    "last_period": LastPeriod,
    "hiatus": Hiatus,
    "rfm_logistic": RfmLogistic,
}
"""The other baselines."""
NO_ORDER, OFFSET = "(no order)", "(offset)"
"""Columns of the target and of its log-odds by season; no feature has such names."""
PARTS = 3
"""Into so many parts customers are divided; the trees that tell of one have seen the others."""


@dataclass(frozen=True)
class BaseLearners:
    """Base learners fitted on the same rows."""

    no_order: Churn
    """Trees for the probability of no order."""
    value: Value
    """Trees for orders and value given an order."""
    baselines: Mapping[str, Baseline]
    """The other base learners, by name."""

    def predict(
        self, rows: pd.DataFrame, inputs: boosting.Inputs, names: Sequence[str], *, data: boosting.Matrix | None = None
    ) -> dict[str, LogPrediction]:
        """The predictions of the named base learners; data: the matrix of the rows, if it is at hand."""
        predictions = {
            name: stacking.log_prediction_of(self.baselines[name].predict(rows)) for name in names if name != TREES
        }
        if TREES in names:
            data = boosting.matrix(rows, inputs) if data is None else data
            predictions[TREES] = stacking.log_prediction(self.no_order.of(data), self.value.margin_of(data))
        return {name: predictions[name] for name in names}


def fit(rows: pd.DataFrame, known: pd.DataFrame, settings: FitSettings, *, more: Stream | None = None) -> BaseLearners:
    """Fit the base learners of the settings on labelled rows; the trees in any case, for the expected orders.

    known: rows of the latest day, on whose features alone BG/NBD and Pareto/NBD are fitted. more: rows of the same
    cut-offs on which the trees are grown instead.
    """
    recipe, inputs, names = settings.recipe, settings.inputs, settings.base_learners
    baselines = _baselines(rows, known, settings)
    data = _without_season(rows, baselines, settings, more=more)
    order_value = value.fit(data, inputs, params=recipe.value, kind=recipe.kind, seed=recipe.seed, device=recipe.device)
    kept = {name: baseline for name, baseline in baselines.items() if name in names}
    return BaseLearners(_order_trees(data, settings), order_value, kept)


def unseen_log_odds(rows: pd.DataFrame, known: pd.DataFrame, settings: FitSettings) -> Floats:
    """The log-odds of no order of each row by trees that have not seen its customer; their level is left open.

    Arguments as of `fit`.
    """
    data = _without_season(rows, _baselines(rows, known, settings), settings)
    codes = pd.factorize(rows["customer_id"])[0]
    part = np.random.default_rng(settings.recipe.seed).integers(0, PARTS, codes.max() + 1)[codes]
    log_odds, taught = np.zeros(len(rows)), pd.Series(part, index=rows.index).loc[data.index].to_numpy()
    for number in range(PARTS):
        unseen = rows[part == number]
        if (taught != number).any() and len(unseen):
            trees = _order_trees(data[taught != number], settings)
            log_odds[part == number] = trees.raw_log_odds(boosting.matrix(unseen, settings.inputs))
    return log_odds


def _baselines(rows: pd.DataFrame, known: pd.DataFrame, settings: FitSettings) -> dict[str, Baseline]:
    no_order_rows = rows.assign(churned=~rows["bought"])  # under a contract, a customer who left may have ordered
    days, margin_rate = settings.terms.horizon_days, settings.margin_rate
    return fit_baselines(no_order_rows, known, horizon_days=days, margin_rate=margin_rate)


def _without_season(
    rows: pd.DataFrame, baselines: Mapping[str, Baseline], settings: FitSettings, *, more: Stream | None = None
) -> Any:
    """The rows that trees are grown on, with what the season did taken off their labels."""
    btyd_baseline = next(
        baselines[name] for name in (*settings.base_learners, *BTYD_BASELINES) if name in BTYD_BASELINES
    )
    seasons = fit_calibration(stacking.log_prediction_of(btyd_baseline.predict(rows)), rows)
    sample = settings.recipe.sample(rows)
    start = float(logit(1 - sample["bought"].mean()) - _shifts_of(seasons, sample)[0].mean())
    return changed(sample if more is None else more, partial(_deseasonalise, seasons, start))


def _order_trees(rows: Rows, settings: FitSettings) -> Churn:
    """Trees of no order, on rows of `_without_season`."""
    recipe = settings.recipe
    return churn.fit(
        rows,
        settings.inputs,
        target=NO_ORDER,
        offset=OFFSET,
        params=recipe.churn,
        seed=recipe.seed,
        monotone=recipe.monotone,
        device=recipe.device,
    )


def fit_calibration(
    prediction: LogPrediction, rows: pd.DataFrame, *, drift: tuple[float, float] | None = None
) -> SeasonalCalibration:
    """Measure the shift of each cut-off of labelled rows against their prediction."""
    return seasonal_calibration.fit(*_by_cut_off(prediction, rows), drift=drift)


def yearly_drift(
    purchase_model: PurchaseModel, now: pd.DataFrame, recent: pd.DataFrame, *, days: int, margin_rate: float
) -> tuple[float, float] | None:
    """Measure the move of the base in a year beyond a purchase model that knows no season, in windows of `days`.

    now: the rows that the purchase model was fitted on; recent: rows labelled over such windows, of some days and of
    the same days a year before.
    """
    if recent.empty:
        return None
    baseline = BuyTillYouDie(purchase_model, gamma_gamma.fit(*repeat_spend(now)), days, margin_rate)
    prediction = stacking.log_prediction_of(baseline.predict(recent))
    return seasonal_calibration.yearly_drift(*_by_cut_off(prediction, recent))


def _by_cut_off(prediction: LogPrediction, rows: pd.DataFrame) -> tuple[dict[str, LogPrediction], dict[str, Outcome]]:
    """The prediction and the outcome of labelled rows by ISO day."""
    days = rows["as_of"].to_numpy().astype("datetime64[D]")
    masks = {str(day): days == day for day in np.unique(days)}
    return (
        {day: LogPrediction(prediction.log_odds[mask], prediction.log_value[mask]) for day, mask in masks.items()},
        {day: outcome(rows[mask]) for day, mask in masks.items()},
    )


def outcome(rows: pd.DataFrame) -> Outcome:
    """The observed outcome of labelled rows."""
    return Outcome(rows["bought"].to_numpy(bool), rows["future_value"].to_numpy(np.float64))


def _deseasonalise(seasons: SeasonalCalibration, start: float, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows for the trees: the target `NO_ORDER`, the offset of its log-odds, and the value without its season."""
    log_odds, log_value = _shifts_of(seasons, rows)
    value = rows["future_value"] * np.exp(-log_value)
    return rows.assign(future_value=value, **{NO_ORDER: ~rows["bought"], OFFSET: log_odds + start})


def _shifts_of(seasons: SeasonalCalibration, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The shifts of each row's cut-off, (rows,) each."""
    place = np.searchsorted(seasons.days, rows["as_of"].dt.strftime("%Y-%m-%d").to_numpy(str))
    return np.array(seasons.log_odds)[place], np.array(seasons.log_value)[place]


def to_json(baselines: Mapping[str, Baseline]) -> dict[str, Any]:
    """The baselines as plain numbers."""
    return {name: asdict(baseline) for name, baseline in baselines.items()}  # type: ignore[call-overload]


def from_json(content: Mapping[str, Any]) -> dict[str, Baseline]:
    """Read the output of `to_json`; raises KeyError or TypeError on anything else."""
    return {name: _baseline(name, dict(fields)) for name, fields in content.items()}


def _baseline(name: str, fields: dict[str, Any]) -> Baseline:
    if name in BTYD_BASELINES:
        orders, spend = BTYD_BASELINES[name](**fields.pop("orders")), GammaGamma(**fields.pop("spend"))
        return BuyTillYouDie(orders, spend, **fields)
    return SIMPLE_BASELINES[name](
        **{field: tuple(value) if isinstance(value, list) else value for field, value in fields.items()}
    )
