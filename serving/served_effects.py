"""The effects that `stayworth effects` learned, on every customer of the batch that is served.

The store keeps features at the precision that trees use, so the effects are those of the command.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import InputError
from models.uplift.calibrated_effect import FittedEffect
from retention.economics.offers import Offer
from retention.planning.learned_effects import PlanEffects, effects_of_rows, read_learned_effects
from serving.store.score_store import Store

CHUNK_ROWS = 100_000
"""Customers whose features are in memory at once."""


def effects_of(batch: Store, output: Path, offers: Sequence[Offer]) -> PlanEffects:
    """The effects of these offers on all customers of a batch. output: the output folder.

    Raises InputError if the effects on disk are damaged, or if the batch lacks features they need: a plan with one save
    rate for all would differ from that of the command.
    """
    info = batch.info
    learned = read_learned_effects(output, offers, horizon_days=info.horizon_days, as_of=info.as_of)
    if not learned.fitted:
        return PlanEffects(None, learned.offers, learned.explanations)
    for name, fitted in learned.fitted.items():
        _refuse_lacking(batch, name, fitted)
    chunks = [
        np.arange(begin, min(begin + CHUNK_ROWS, batch.customers)) for begin in range(0, batch.customers, CHUNK_ROWS)
    ]
    parts = [effects_of_rows(learned.fitted, batch.rows_at(places)) for places in chunks]
    return PlanEffects(pd.concat(parts, ignore_index=True), learned.offers, learned.explanations)


def _refuse_lacking(batch: Store, offer: str, fitted: FittedEffect) -> None:
    """Raise InputError unless the batch has every feature that an offer's effects need, with every category."""
    available = batch.info.features
    lacking = [
        feature
        for feature, names in fitted.learner.inputs.items()
        if feature not in available or not set(names or ()) <= set(available[feature] or ())
    ]
    if lacking:
        raise InputError(
            f"the scores lack {len(lacking)} of the features that its individual effects need: "
            f"{', '.join(lacking[:3])}{', …' * (len(lacking) > 3)}",
            where=f"offer '{offer}'",
            next="Plan with the command, which reads them from the log: stayworth plan --budget M.",
        )
