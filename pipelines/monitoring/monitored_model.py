"""Monitoring of one model: drift since it was made, and matured scores, without the own campaigns' effects."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from features.errors import InputError
from features.histories.columns import Histories
from models.lifetime.clv import typical_miss
from models.scoring.scorer import Scorer
from pipelines.batches.total_misses import TotalMisses
from pipelines.monitoring import alarm, lifetime_alarm
from pipelines.monitoring.feature_drift import absent_features, feature_drifts, sampled_rows
from pipelines.monitoring.lifetime_calm import lifetime_move
from pipelines.monitoring.matured_lifetimes import LifetimeBatch, evaluate_lifetimes, judged_days
from pipelines.monitoring.matured_scores import MaturedBatch, evaluate_batch
from pipelines.monitoring.usual_drift import usual_pairs
from retention.measurement.inverse_propensity import inverse_propensity_weights

SEED = 7
NOT_JUDGED = TotalMisses([])

CampaignsBetween = Callable[[date, date], Mapping[str, pd.DataFrame]]
"""The own campaigns from a day on and before another: the customers each chose, by campaign."""


@dataclass(frozen=True)
class MonitoredModel:
    """A model to monitor."""

    model: Scorer
    number: str
    """Its number in the registry."""
    made: date
    """It knew everything before this day."""
    at_gate: Mapping[str, float]
    """Its metrics at the gate."""


def monitor_model(
    histories: Histories,
    monitored: MonitoredModel,
    batches: Sequence[MaturedBatch],
    campaigns: CampaignsBetween,
    *,
    as_of: date,
    say: Callable[[str], None],
    lifetimes: LifetimeBatch | None = None,
    misses: TotalMisses = NOT_JUDGED,
    costs: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """Judge a model: the verdict and all it rests on, as JSON. batches: matured by `as_of`, the oldest first.

    lifetimes: scores whose first year has passed by `as_of`; misses: those of lifetime totals that the log has judged;
    costs: costs to serve, where the log has them.
    """
    say("comparing customers with those of the day the model was made")
    drift, reasons = _feature_drift(histories, monitored, campaigns, misses, as_of=as_of)
    say("comparing scores with what happened")
    matured = [evaluate_batch(batch, histories, campaigns(batch.as_of, batch.until), seed=SEED) for batch in batches]
    if matured:
        reasons = [*reasons, *alarm.matured_reasons(matured[-1], monitored.at_gate)]
    first_year = None
    if lifetimes:
        say("comparing lifetime values with the year that followed")
        within = campaigns(lifetimes.as_of, lifetimes.until)
        with suppress(InputError):  # the log no longer gives a feature: of the champion, that is a reason of its own
            first_year = evaluate_lifetimes(lifetimes, histories, within, costs=costs, seed=SEED)
            reasons = [*reasons, *lifetime_alarm.matured_lifetime_reasons(first_year, misses)]
    return {
        "verdict": alarm.worst_verdict(reasons),
        "reasons": [reason.content for reason in reasons],
        "as_of": as_of.isoformat(),
        "model": {
            "version": monitored.number,
            "bundle": monitored.model.version,
            "made_as_of": monitored.made.isoformat(),
            "horizon_days": monitored.model.terms.horizon_days,
            "at_the_gate": dict(monitored.at_gate),
        },
        "moved": drift,
        "matured": matured,
        "first_matures": None if matured else _matures(monitored, monitored.model.terms.horizon_days),
        "lifetimes": first_year,
        "lifetimes_mature": None if lifetimes else _matures(monitored, judged_days(monitored.model.terms)),
    }


def _feature_drift(
    histories: Histories,
    monitored: MonitoredModel,
    campaigns: CampaignsBetween,
    misses: TotalMisses,
    *,
    as_of: date,
) -> tuple[dict[str, Any], list[alarm.Reason]]:
    """The drift since the model was made, as JSON, and the reasons that follow from it."""
    made, model = monitored.made, monitored.model
    absent = absent_features(histories, model, as_of=as_of)
    reasons = alarm.absence_reasons(absent)
    content: dict[str, Any] = {"since": made.isoformat(), "days": (as_of - made).days, "absent": absent, "columns": []}
    if as_of == made:
        return content | {"note": "the model was made as of this very day"}, reasons
    pairs = usual_pairs(histories.first_day, made=made, as_of=as_of)
    content["quiet"] = [[day.isoformat() for day in pair] for pair in pairs]
    if not pairs:
        before, since = (made - histories.first_day).days, (as_of - made).days
        note = (
            f"the log before the model was made, {before:,} day{'s' * (before != 1)}, is too short to say what is "
            f"usual within {since:,} day{'s' * (since != 1)}"
        )
        reason = alarm.Reason("features", "watch", note, "Retrain once the log is longer.")
        return content | {"note": note}, [*reasons, reason]
    features = [name for name in model.inputs if name not in absent]
    rows = sampled_rows(histories, [made, as_of, *(day for pair in pairs for day in pair)], features, seed=SEED)
    untreated = inverse_propensity_weights(rows[as_of]["customer_id"], campaigns(made, as_of))
    content |= {"customers": len(rows[as_of]), "treated_since": int(untreated.treated.sum())}
    days = {"first_day": histories.first_day, "made": made, "as_of": as_of}
    drifts = feature_drifts(rows, model, usual=pairs, weights=untreated.weights, **days)
    content["columns"] = [drift.content for drift in drifts]
    move = None
    if not absent:
        move = lifetime_move(rows, model, made=made, as_of=as_of, usual=pairs, weights=untreated.weights)
        content["lifetime"] = move.content if move else None
    if not untreated.is_whole:
        alone = ", ".join(f"'{name}' ({number:,} contacted)" for name, number in untreated.alone.items())
        note = f"nobody was held out of {alone}: the drift may be due to the campaigns, so it counts for no verdict"
        return content | {"note": note}, reasons
    miss = typical_miss(model.lifetime)
    moved = lifetime_alarm.lifetime_move_reasons(move, misses, typical_miss=miss, apart_days=content["days"])
    return content, [*reasons, *alarm.drift_reasons(drifts, apart_days=content["days"]), *moved]


def _matures(monitored: MonitoredModel, days: int) -> str:
    return (monitored.made + timedelta(days=days)).isoformat()
