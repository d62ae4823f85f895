"""Predicted effects of contacts on every customer of a day, by the learners that `stayworth effects` has kept."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from features.histories.columns import Histories
from features.history_store.stored_log import StoredLog
from features.snapshots.snapshot import feature_columns, snapshot_chunks
from models.uplift.calibrated_effect import FittedEffect
from pipelines.config import Config
from pipelines.order_log import read_orders
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
    orders = read_orders(config, now=None)
    learned = learned.without(_missing_features(orders.histories, learned.fitted, as_of=as_of), offers)
    frame = _predict(orders, learned.fitted, as_of=as_of) if learned.fitted else None
    return PlanEffects(frame, learned.offers, learned.explanations)


def _missing_features(histories: Histories, fitted: dict[str, FittedEffect], *, as_of: date) -> dict[str, str]:
    """The first feature that the log no longer gives, in words, by offer that needs one."""
    given = set(feature_columns(histories, as_of=[as_of]))
    missing = {
        offer: [feature for feature in effect.learner.inputs if feature not in given]
        for offer, effect in fitted.items()
    }
    return {offer: f"the log no longer has {features[0]}" for offer, features in missing.items() if features}


def _predict(orders: StoredLog, fitted: dict[str, FittedEffect], *, as_of: date) -> pd.DataFrame:
    """The effects on every customer of the log, part by part."""
    features = list(dict.fromkeys(name for effect in fitted.values() for name in effect.learner.inputs))
    parts = [
        effects_of_rows(fitted, rows)
        for histories in orders.parts()
        for table in snapshot_chunks(histories, as_of=[as_of], features=features)
        if len(rows := table.to_pandas(date_as_object=False))
    ]
    return pd.concat(parts, ignore_index=True)
