"""Lifetime values whose first year has passed, beside what the customers brought in it.

A batch keeps `clv`, discounted over the whole lifetime, which nobody can judge for years. So its own model scores the
day again, once over the lifetime and once over the first year, undiscounted: that share of each `clv` as it was given
out is what it had said of the year. Customers whom one of our campaigns contacted in the year are left out, as in
pipelines/monitoring/matured_scores.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrays import Floats
from features.clock import YEAR_DAYS
from features.histories.columns import Histories
from features.snapshots.labels import orders_and_margin
from features.snapshots.snapshot import snapshot
from models.ensemble.business_terms import Terms
from models.evaluation.bootstrap import resample_counts
from models.evaluation.evaluation_tables import with_interval
from models.evaluation.metrics import total_bias
from models.lifetime.clv import has_costs, typical_miss
from models.scoring import scorer
from models.scoring.scorer import Scorer
from pipelines.training.holdout_evaluation import CONFIDENCE
from pipelines.training.serving_costs import costs_between
from retention.measurement.inverse_propensity import inverse_propensity_weights

RESAMPLES = 200


@dataclass(frozen=True)
class LifetimeBatch:
    """Scores of a day whose first year has passed."""

    as_of: date
    model: Scorer
    """It made them."""
    clv: pd.Series | None
    """As given out, by customer_id, currency units; None: no batch was kept, and the model scores the day again."""
    is_champion: bool
    """The model serves today."""

    @property
    def until(self) -> date:
        """The first day after the judged days."""
        return self.as_of + timedelta(days=judged_days(self.model.terms))


def judged_days(terms: Terms) -> int:
    """The days over which lifetime values are judged: a year, within the lifetime and no shorter than the horizon."""
    return max(min(YEAR_DAYS, terms.lifetime_days), terms.horizon_days)


def evaluate_lifetimes(
    batch: LifetimeBatch,
    histories: Histories,
    campaigns: Mapping[str, pd.DataFrame],
    *,
    costs: pd.DataFrame | None,
    seed: int,
) -> dict[str, Any]:
    """Judge the total of a batch whose judged days the log covers; returns JSON.

    campaigns: those within the days; costs: costs to serve, where the log has them. Raises InputError where the log no
    longer gives a feature of the model. Customers whom the log no longer has are left out.
    """
    days = judged_days(batch.model.terms)
    table = snapshot(histories, as_of=[batch.as_of], features=list(batch.model.inputs))
    rows = table.to_pandas(date_as_object=False)
    said = _said(batch, rows, days=days)
    known = np.isfinite(said)
    untreated = inverse_propensity_weights(rows["customer_id"], campaigns)
    kept = known & untreated.kept
    came = _came(batch, table, histories, costs, days=days)[kept]
    said, weights = said[kept], untreated.weights[kept]
    content = {
        "as_of": batch.as_of.isoformat(),
        "until": batch.until.isoformat(),
        "days": days,
        "model_version": batch.model.version,
        "by_champion": batch.is_champion,
        "kept": batch.clv is not None,
        "typical_miss": typical_miss(batch.model.lifetime),
        "customers": int(kept.sum()),
        "nobody_stands_for": untreated.alone,
        "said": float(weights @ said),
        "came": float(weights @ came),
    }
    if not kept.any():
        return content | {"total_bias": {"value": None, "low": None, "high": None}}
    draws = [
        total_bias(came, said, counts * weights)
        for counts in resample_counts(len(came), resamples=RESAMPLES, seed=seed)
    ]
    value = total_bias(came, said, weights[None, :])[0]
    return content | {"total_bias": with_interval(value, np.concatenate(draws), confidence=CONFIDENCE)}


def _said(batch: LifetimeBatch, rows: pd.DataFrame, *, days: int) -> Floats:
    """What the batch had said of the judged days, currency units, (rows,); NaN for a customer it does not have."""
    model = batch.model
    terms = replace(model.terms, lifetime_days=days, annual_discount_rate=0.0)
    again, first = (scorer.predict(made, rows)["clv"].to_numpy() for made in (model, replace(model, terms=terms)))
    if batch.clv is None:
        return first
    given = batch.clv.reindex(rows["customer_id"]).to_numpy(np.float64)
    return np.where(
        again == 0, np.where(np.isnan(given), np.nan, first), given * first / np.where(again == 0, 1, again)
    )


def _came(
    batch: LifetimeBatch, table: pa.Table, histories: Histories, costs: pd.DataFrame | None, *, days: int
) -> Floats:
    """The margin of the judged days, after costs to serve where the model's values are, currency units."""
    _, margin = orders_and_margin(histories, table, from_days=0, to_days=days)
    if costs is None or not has_costs(batch.model.lifetime):
        return margin
    return margin - costs_between(table["customer_id"], costs, batch.as_of, batch.until)
