"""Has the model's world moved, and was the model right? Both without what our own campaigns did."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd

from features.histories.columns import Histories
from models.scoring.scorer import Scorer
from pipelines.monitoring import alarm
from pipelines.monitoring.feature_drift import absent_features, feature_drifts, sampled_rows
from pipelines.monitoring.matured_scores import MaturedBatch, evaluate_batch
from pipelines.monitoring.usual_drift import usual_pairs
from retention.measurement.inverse_propensity import inverse_propensity_weights

SEED = 7

CampaignsBetween = Callable[[date, date], Mapping[str, pd.DataFrame]]
"""The own campaigns from a day on and before another: by name, whom each chose."""


@dataclass(frozen=True)
class MonitoredModel:
    """The model that is watched."""

    model: Scorer
    number: str
    """Its number in the registry."""
    made: date
    """It knew everything before this day."""
    seen: Mapping[str, float]
    """Its figures at the gate."""


def monitor_model(
    histories: Histories,
    watched: MonitoredModel,
    batches: Sequence[MaturedBatch],
    campaigns: CampaignsBetween,
    *,
    as_of: date,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The verdict on a model and all it rests on, as JSON. batches: matured by `as_of`, the oldest first."""
    say("comparing customers with those of the day the model was made")
    drifted, reasons = _moved(histories, watched, campaigns, as_of=as_of)
    say("comparing scores with what became of them")
    judged = [evaluate_batch(batch, histories, campaigns(batch.as_of, batch.until), seed=SEED) for batch in batches]
    if judged:
        reasons = [*reasons, *alarm.matured_reasons(judged[-1], watched.seen)]
    return {
        "verdict": alarm.worst_verdict(reasons),
        "reasons": [one.content for one in reasons],
        "as_of": as_of.isoformat(),
        "model": {
            "version": watched.number,
            "bundle": watched.model.version,
            "made_as_of": watched.made.isoformat(),
            "horizon_days": watched.model.terms.horizon_days,
            "at_the_gate": dict(watched.seen),
        },
        "moved": drifted,
        "matured": judged,
        "first_matures": _first_matures(watched) if not judged else None,
    }


def _moved(
    histories: Histories, watched: MonitoredModel, campaigns: CampaignsBetween, *, as_of: date
) -> tuple[dict[str, Any], list[alarm.Reason]]:
    made, model = watched.made, watched.model
    gone = absent_features(histories, model, as_of=as_of)
    reasons = alarm.absence_reasons(gone)
    told: dict[str, Any] = {"since": made.isoformat(), "days": (as_of - made).days, "absent": gone, "columns": []}
    if as_of == made:
        return told | {"note": "the model was made as of this very day"}, reasons
    pairs = usual_pairs(histories.first_day, made=made, as_of=as_of)
    told["quiet"] = [[day.isoformat() for day in pair] for pair in pairs]
    if not pairs:
        note = (
            f"the log before the model was made, {(made - histories.first_day).days} days, is too short to say what is "
            f"usual within {(as_of - made).days} days"
        )
        return told | {"note": note}, [*reasons, alarm.Reason("features", "watch", note, "Retrain when more matured.")]
    features = [name for name in model.inputs if name not in gone]
    rows = sampled_rows(histories, [made, as_of, *(day for pair in pairs for day in pair)], features, seed=SEED)
    without = inverse_propensity_weights(rows[as_of]["customer_id"], campaigns(made, as_of))
    told |= {"customers": len(rows[as_of]), "treated_since": int(without.treated.sum())}
    days = {"first_day": histories.first_day, "made": made, "as_of": as_of}
    found = feature_drifts(rows, model, quiet=pairs, weights=without.weights, **days)
    told["columns"] = [one.content for one in found]
    if not without.is_whole:
        alone = ", ".join(f"'{name}' ({number:,} contacted)" for name, number in without.alone.items())
        note = f"nobody was held out of {alone}: what moved may be its doing, and is told without a verdict"
        return told | {"note": note}, reasons
    return told, [*reasons, *alarm.drift_reasons(found, apart_days=told["days"])]


def _first_matures(watched: MonitoredModel) -> str:
    return (watched.made + timedelta(days=watched.model.terms.horizon_days)).isoformat()
