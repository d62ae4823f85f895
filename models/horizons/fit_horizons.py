"""Fitting other horizons (models/horizons/horizon.py) on the windows of past cut-offs that have closed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.arrays import Floats
from models.btyd.purchase_model import PurchaseModel, published_name
from models.ensemble import intervals, seasonal_calibration
from models.ensemble.baselines import purchase_history
from models.ensemble.fit_settings import FitSettings
from models.ensemble.intervals import Intervals
from models.ensemble.recipe import Recipe
from models.ensemble.stacking import Outcome
from models.ensemble.validation_fit import ValidationFit
from models.horizons import share_trees
from models.horizons.horizon import LEAVING, ORDER, VALUE, Horizon, HorizonPrediction, predict_horizons
from models.horizons.neighbour_ratios import neighbour_ratios
from models.horizons.share_trees import ShareTrees

MIN_CUT_OFFS = 3
"""Cut-offs at which a longer window must have closed: fewer share a single season."""
MIN_ROWS_PER_OUTCOME = 50
"""With fewer rows of either outcome, the purchase model predicts better than trees."""


def label_column(name: str, days: int) -> str:
    """The column of `bought`, `future_value` or `churned` over another horizon than the main one.

    >>> label_column("bought", 30)
    'bought_30d'
    """
    return f"{name}_{days}d"


def neighbours_outward(main_days: int, days: Sequence[int]) -> list[tuple[int, int]]:
    """Pair each other horizon with its neighbour, nearest to the main one first: (days, neighbour's days).

    >>> neighbours_outward(90, [365, 30, 7, 90, 180])
    [(30, 90), (7, 30), (180, 90), (365, 180)]
    """
    shorter = sorted({span for span in days if span < main_days}, reverse=True)
    longer = sorted({span for span in days if span > main_days})
    return [(span, neighbour) for way in (shorter, longer) for neighbour, span in pairwise([main_days, *way])]


def fit(
    rows: pd.DataFrame,
    validation: ValidationFit,
    settings: FitSettings,
    *,
    days: Sequence[int],
    purchase_model: PurchaseModel,
    main_intervals: Intervals,
) -> tuple[Horizon, ...]:
    """Fit each of `days` on labelled rows, in the order in which they follow from one another.

    Labels are the columns that `label_column` names, NaN where a window had not closed. Shorter horizons have intervals
    of their own, learned from the validation fit; longer ones have those of the main horizon.
    """
    main_days = settings.terms.horizon_days
    shorter = [span for span in days if span < main_days]
    own_intervals = _validate(
        validation, settings, shorter, purchase_model=purchase_model, main_intervals=main_intervals
    )
    return tuple(
        _fit_horizon(
            rows,
            settings,
            span,
            neighbour_days,
            purchase_model=purchase_model,
            spread=own_intervals.get(span, main_intervals),
        )
        for span, neighbour_days in neighbours_outward(main_days, days)
    )


def extended(
    days: Sequence[int], main_days: int, purchase_model: PurchaseModel, main_intervals: Intervals
) -> tuple[Horizon, ...]:
    """Each of `days` extended from the main horizon by the purchase model alone: where that has no windows itself."""
    derivation = f"extended by {published_name(purchase_model)}, the log is too short to learn it"
    return tuple(
        Horizon(span, neighbour_days, derivation, {}, main_intervals)
        for span, neighbour_days in neighbours_outward(main_days, days)
    )


def _validate(
    validation: ValidationFit,
    settings: FitSettings,
    days: Sequence[int],
    *,
    purchase_model: PurchaseModel,
    main_intervals: Intervals,
) -> dict[int, Intervals]:
    """The intervals of shorter horizons: fitted on the early rows, measured on the latest, where anybody ordered."""
    main_days, prediction = settings.terms.horizon_days, validation.prediction
    horizons = [
        _fit_horizon(
            validation.early, settings, span, neighbour_days, purchase_model=purchase_model, spread=main_intervals
        )
        for span, neighbour_days in neighbours_outward(main_days, days)
    ]
    main = HorizonPrediction(prediction, 1 - prediction.no_order, None, *main_intervals.interval(prediction))
    predictions = predict_horizons(
        horizons, main, validation.latest, settings.inputs, main_days=main_days, purchase_model=purchase_model
    )
    fitted = {}
    for span, horizon_prediction in predictions.items():
        labels = _labels(validation.latest, span, main_days)
        outcome = Outcome(labels.ordered == 1, labels.value)
        if span != main_days and outcome.ordered.any():
            shorter = horizon_prediction.log_prediction
            shifts = seasonal_calibration.base_rate_shifts(shorter, outcome)
            fitted[span] = intervals.fit(shorter.shifted(*shifts), outcome)
    return fitted


class _Labels(NamedTuple):
    """The outcomes of customers within one horizon, NaN where its window has not closed; shape (rows,) each."""

    ordered: Floats
    value: Floats
    left: Floats


def _labels(rows: pd.DataFrame, days: int, main_days: int) -> _Labels:
    columns = [
        name if days == main_days else label_column(name, days) for name in ("bought", "future_value", "churned")
    ]
    return _Labels(*(rows[column].to_numpy(np.float64) for column in columns))


def _fit_horizon(
    rows: pd.DataFrame,
    settings: FitSettings,
    days: int,
    neighbour_days: int,
    *,
    purchase_model: PurchaseModel,
    spread: Intervals,
) -> Horizon:
    """Fit one horizon, or extend its neighbour by the purchase model where too little has been observed."""
    main_days = settings.terms.horizon_days
    labels, neighbour = _labels(rows, days, main_days), _labels(rows, neighbour_days, main_days)
    closed = ~np.isnan(labels.value)
    cut_offs = int(rows["as_of"][closed].nunique())
    model_name = published_name(purchase_model)
    if days > main_days and cut_offs < MIN_CUT_OFFS:
        windows = f"windows have closed at {cut_offs} cut-offs only" if cut_offs else "no such window has closed yet"
        return Horizon(days, neighbour_days, f"extended by {model_name}, {windows}", {}, spread)
    is_shorter = days < neighbour_days
    shares: dict[str, ShareTrees] = {}
    at_risk = _at_risk(neighbour.ordered, closed, is_shorter=is_shorter)
    rarer = _rarer_outcome(labels.ordered[at_risk])
    if rarer >= MIN_ROWS_PER_OUTCOME:
        ratios = neighbour_ratios(days, neighbour_days, purchase_history(rows), purchase_model)
        near, far = (labels.value, neighbour.value) if is_shorter else (neighbour.value, labels.value)
        has_value = far > 0
        share = np.clip(np.divide(near, far, out=np.zeros(len(rows)), where=has_value), 0, 1)
        shares[ORDER] = _fit_share(
            rows, settings, at_risk, labels.ordered, weight=np.ones(len(rows)), offset=ratios.event, churn_sign=-1
        )
        shares[VALUE] = _fit_share(
            rows, settings, has_value, share, weight=far, offset=ratios.value_share, churn_sign=0
        )
    if settings.is_contractual:
        at_risk = _at_risk(neighbour.left, closed, is_shorter=is_shorter)
        if _rarer_outcome(labels.left[at_risk]) >= MIN_ROWS_PER_OUTCOME:
            even, none = np.ones(len(rows)), np.zeros(len(rows))
            shares[LEAVING] = _fit_share(rows, settings, at_risk, labels.left, weight=even, offset=none, churn_sign=1)
    # bundles store these texts: other words would change their hashes
    derivation = f"learnt from {cut_offs} cut-offs"
    if ORDER not in shares:
        counts = f"{rarer} of {MIN_ROWS_PER_OUTCOME}"
        derivation = f"moved by {model_name}, too few customers tell it from {neighbour_days} days ({counts})"
    return Horizon(days, neighbour_days, derivation, shares, spread)


def _fit_share(
    rows: pd.DataFrame,
    settings: FitSettings,
    chosen: NDArray[np.bool_],
    share: Floats,
    *,
    weight: Floats,
    offset: Floats,
    churn_sign: int,
) -> ShareTrees:
    """Grow the trees of a share on the chosen rows; churn_sign: 1 if it rises with churn, -1 if it falls, else 0."""
    places = _sample(np.flatnonzero(chosen), settings.recipe)
    return share_trees.fit(
        rows.iloc[places],
        settings.inputs,
        share=share[places],
        weight=weight[places],
        offset=offset[places],
        recipe=settings.recipe,
        monotone={name: churn_sign * way for name, way in settings.recipe.monotone.items()},
    )


def _at_risk(happened_in_neighbour: Floats, closed: NDArray[np.bool_], *, is_shorter: bool) -> NDArray[np.bool_]:
    """Rows that tell an event within h from one within h': for a shorter h those with the event in h', else without."""
    return closed & (happened_in_neighbour == (1.0 if is_shorter else 0.0))


def _rarer_outcome(happened: Floats) -> int:
    """The number of rows of the rarer outcome."""
    return int(min(happened.sum(), (1 - happened).sum()))


def _sample(places: NDArray[np.intp], recipe: Recipe) -> NDArray[np.intp]:
    """As many of the rows as trees are grown on, drawn at random."""
    if len(places) <= recipe.rows:
        return places
    return np.sort(np.random.default_rng(recipe.seed).choice(places, recipe.rows, replace=False))
