"""Predicted effects of contacts on every customer of a day, by the learners that `stayworth effects` has kept."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from features.ingest.open_log import Reading
from features.ingest.reading import reading
from features.large_logs.buckets import duckdb_memory_bytes, split_into_buckets
from features.snapshots.snapshot import feature_columns, snapshot_chunks
from models.uplift.calibrated_effect import FittedEffect
from pipelines.config import Config
from pipelines.memory import machine_memory
from retention.economics.offers import Offer
from retention.planning.learned_effects import (
    EFFECTS_FILE,
    EFFECTS_FOLDER,
    PlanEffects,
    effects_of_rows,
    read_learned_effects,
)

__all__ = ["EFFECTS_FILE", "EFFECTS_FOLDER", "PlanEffects", "customer_effects"]


def customer_effects(config: Config, offers: Sequence[Offer], *, as_of: date) -> PlanEffects:
    """Predict the effects of these offers; raises InputError where a kept learner was changed since it was written."""
    learned = read_learned_effects(config.folder, offers, horizon_days=config.time.horizon_days, as_of=as_of)
    if not learned.fitted:
        return PlanEffects(None, learned.offers, learned.explanations)
    memory = machine_memory()
    with reading(config.log, now_us=None, memory_bytes=duckdb_memory_bytes(memory)) as opened:
        learned = learned.without(_missing_features(opened, learned.fitted, as_of=as_of), offers)
        frame = _predict(opened, learned.fitted, as_of=as_of, memory_bytes=memory) if learned.fitted else None
    return PlanEffects(frame, learned.offers, learned.explanations)


def _missing_features(opened: Reading, fitted: dict[str, FittedEffect], *, as_of: date) -> dict[str, str]:
    """The first feature that the log no longer gives, in words, by offer that needs one."""
    given = set(feature_columns(opened, as_of=[as_of]))
    missing = {
        offer: [feature for feature in effect.learner.inputs if feature not in given]
        for offer, effect in fitted.items()
    }
    return {offer: f"the log no longer has {features[0]}" for offer, features in missing.items() if features}


def _predict(opened: Reading, fitted: dict[str, FittedEffect], *, as_of: date, memory_bytes: int) -> pd.DataFrame:
    """The effects on every customer of the log, partition by partition."""
    features = list(dict.fromkeys(name for effect in fitted.values() for name in effect.learner.inputs))
    parts = [
        effects_of_rows(fitted, rows)
        for histories, _ in split_into_buckets(opened, memory_bytes=memory_bytes)
        for table in snapshot_chunks(histories, as_of=[as_of], features=features)
        if len(rows := table.to_pandas(date_as_object=False))
    ]
    return pd.concat(parts, ignore_index=True)
