"""The effects that `stayworth effects` learnt on every customer of a day, of whom the features are computed anew."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from features.ingest.reading import Reading, reading
from features.large_logs.buckets import buckets, database_bytes
from features.snapshots.snapshot import chunks, columns_of
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
    """The effects of these offers. Raises InputError where what was kept is not what was written."""
    learnt = read_learned_effects(config.folder, offers, horizon_days=config.time.horizon_days, as_of=as_of)
    if not learnt.fitted:
        return PlanEffects(None, learnt.offers, learnt.said)
    memory = machine_memory()
    with reading(config.log, now_us=None, memory_bytes=database_bytes(memory)) as opened:
        learnt = learnt.without(_lacking(opened, learnt.fitted, as_of=as_of), offers)
        frame = _of_everyone(opened, learnt.fitted, as_of=as_of, memory_bytes=memory) if learnt.fitted else None
    return PlanEffects(frame, learnt.offers, learnt.said)


def _lacking(opened: Reading, fitted: dict[str, FittedEffect], *, as_of: date) -> dict[str, str]:
    """By offer, where the log cannot give a feature any more, the first such one."""
    have = set(columns_of(opened, as_of=[as_of]))
    missing = {name: [one for one in of.learner.inputs if one not in have] for name, of in fitted.items()}
    return {name: f"the log no longer has {some[0]}" for name, some in missing.items() if some}


def _of_everyone(opened: Reading, fitted: dict[str, FittedEffect], *, as_of: date, memory_bytes: int) -> pd.DataFrame:
    features = list(dict.fromkeys(name for of in fitted.values() for name in of.learner.inputs))
    parts = [
        effects_of_rows(fitted, rows)
        for histories, _ in buckets(opened, memory_bytes=memory_bytes)
        for table in chunks(histories, as_of=[as_of], features=features)
        if len(rows := table.to_pandas(date_as_object=False))
    ]
    return pd.concat(parts, ignore_index=True)
