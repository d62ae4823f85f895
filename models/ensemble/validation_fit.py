"""The validation fit: base learners fitted on earlier cut-offs and judged on the latest one, which they have not seen.

It gives the weights of the blend, and the predictions from which the intervals are learned.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pandas as pd

from models.ensemble import base_learners, seasonal_calibration, stacking
from models.ensemble.fit_settings import FitSettings
from models.ensemble.stacking import Blend, LogPrediction, Outcome
from models.trees.training_rows import Stream


class ValidationFit(NamedTuple):
    """The rows of a validation fit, and its results on the latest cut-off over the main horizon."""

    early: pd.DataFrame
    """Labelled rows it was fitted on: their windows had closed by the latest cut-off."""
    latest: pd.DataFrame
    """Labelled rows of the latest cut-off."""
    outcome: Outcome
    """Observed on the latest cut-off."""
    blend: Blend
    """Weights learned on the latest cut-off."""
    prediction: LogPrediction
    """For the latest cut-off, shifted so that its totals equal the observed ones."""


def validate(rows: pd.DataFrame, settings: FitSettings, *, more: Stream | None = None) -> ValidationFit:
    """Fit on the cut-offs whose windows had closed by the latest one, and learn the blend on that one.

    rows: labelled, of all matured cut-offs. more: rows of the same cut-offs on which the trees are grown instead.
    """
    latest_day = rows["as_of"].max()
    latest = rows[rows["as_of"] == latest_day]
    early = rows[rows["as_of"] <= latest_day - timedelta(days=settings.terms.horizon_days)]
    outcome = base_learners.outcome(latest)
    fitted = base_learners.fit(early, latest, settings, more=more.on(early["as_of"]) if more else None)
    predictions = fitted.predict(latest, settings.inputs, settings.base_learners)
    alone = settings.recipe.alone
    blend = stacking.single(alone) if alone else stacking.fit(predictions, outcome)
    prediction = blend.combine(predictions)
    shifts = seasonal_calibration.base_rate_shifts(prediction, outcome)
    return ValidationFit(early, latest, outcome, blend, prediction.shifted(*shifts))
