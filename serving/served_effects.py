"""The effects that `stayworth effects` learnt, on every customer of the batch that is served.

The store keeps the features of its customers to the digits that trees see, so the effects are those of the command.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import InputError
from models.uplift.calibrated_effect import FittedEffect
from retention.economics.offers import Offer
from retention.planning.learned_effects import PlanEffects, effects_of_rows, read_learned_effects
from serving.store.store import Store

CHUNK_ROWS = 100_000
"""Customers whose features are in memory at once."""


def effects_of(batch: Store, output: Path, offers: Sequence[Offer]) -> PlanEffects:
    """The effects of these offers. output: the output folder.

    Raises InputError where what was kept is not what was written, and where the batch lacks what the effects rest on:
    one save rate for all would be another plan than that of the command.
    """
    info = batch.info
    learnt = read_learned_effects(output, offers, horizon_days=info.horizon_days, as_of=info.as_of)
    if not learnt.fitted:
        return PlanEffects(None, learnt.offers, learnt.said)
    for name, fitted in learnt.fitted.items():
        _refuse_lacking(batch, name, fitted)
    pieces = [
        np.arange(begin, min(begin + CHUNK_ROWS, batch.customers)) for begin in range(0, batch.customers, CHUNK_ROWS)
    ]
    parts = [effects_of_rows(learnt.fitted, batch.rows_at(places)) for places in pieces]
    return PlanEffects(pd.concat(parts, ignore_index=True), learnt.offers, learnt.said)


def _refuse_lacking(batch: Store, offer: str, fitted: FittedEffect) -> None:
    """Raise InputError unless the batch has every feature of an offer's effects, and every name of it."""
    have = batch.info.features
    lacking = [
        feature
        for feature, names in fitted.learner.inputs.items()
        if feature not in have or not set(names or ()) <= set(have[feature] or ())
    ]
    if lacking:
        raise InputError(
            f"the scores lack {len(lacking)} of the features that its individual effects rest on: "
            f"{', '.join(lacking[:3])}{', …' * (len(lacking) > 3)}",
            where=f"offer '{offer}'",
            next="Plan it by the command, which reads them from the log: stayworth plan --budget M.",
        )
