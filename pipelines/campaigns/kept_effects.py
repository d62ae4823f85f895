"""The effects that `stayworth effects` learnt, ready for a plan: fresh ones only, and each offer says what it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from features.buckets import buckets, database_bytes
from features.reading import Reading, reading
from features.snapshot import chunks, columns_of
from models import effect_bundle
from models.fitted_effect import FittedEffect
from pipelines import store
from pipelines.config import Config
from pipelines.features import machine_memory
from retention.offers import BetaPrior, Offer

EFFECTS = "effects"
"""The folder of the bundles under the output folder: one of each offer that has one, offer/hash."""
EFFECTS_SAID = "effects.json"
MOST_DAYS = 730
"""How long before the plan's day the last contact may lie that effects were learnt from."""
NEXT = "Learn it again: stayworth effects."


@dataclass(frozen=True)
class Effects:
    """What a plan needs of them."""

    frame: pd.DataFrame | None
    """customer_id, and a column for each offer with individual effects; None: none has."""
    offers: list[Offer]
    """The same offers; of those with effects, the save rate is what the experiment says, for how sure they are."""
    said: dict[str, str]
    """By offer what the plan goes by, in words; empty where nothing was learnt yet."""


def kept_effects(config: Config, offers: Sequence[Offer], *, as_of: date) -> Effects:
    """The effects of these offers on every customer of a day, of whom the features are computed anew.

    Raises InputError where what was kept is not what was written.
    """
    path = config.folder / EFFECTS_SAID
    if not path.exists():
        return Effects(None, list(offers), {})
    content = store.read_json(path, next=NEXT)
    fitted: dict[str, FittedEffect] = {}
    said, told = {}, []
    for offer in offers:
        entry = content["offers"].get(offer.name, {"learner": None, "in_words": "never tried at random"})
        why_not = _why_not(entry, config, content, as_of=as_of)
        said[offer.name] = f"one save rate: {why_not}" if why_not else _words(entry)
        if not why_not:
            fitted[offer.name] = effect_bundle.read(
                config.folder / EFFECTS / offer.name / entry["bundle"], expected=entry["bundle"]
            )
        told.append(offer.model_copy(update={"save_rate": BetaPrior(**entry["save_rate"])}) if not why_not else offer)
    if not fitted:
        return Effects(None, told, said)
    memory = machine_memory()
    with reading(config.log, now_us=None, memory_bytes=database_bytes(memory)) as opened:
        lacking = _lacking(opened, fitted, as_of=as_of)
        for name, feature in lacking.items():
            said[name] = f"one save rate: the log no longer has {feature}"
            del fitted[name]
        kept = [one if of.name in fitted else of for of, one in zip(offers, told, strict=True)]
        frame = _of_everyone(opened, fitted, as_of=as_of, memory_bytes=memory) if fitted else None
    return Effects(frame, kept, said)


def _why_not(entry: dict[str, Any], config: Config, content: dict[str, Any], *, as_of: date) -> str:
    """Why an offer's effects are not to be used; empty if they are."""
    if entry["learner"] is None:
        return str(entry["in_words"]).removesuffix(": the plan uses one save rate")
    if content["horizon_days"] != config.time.horizon_days:
        return f"its effects are of {content['horizon_days']} days"
    age = (as_of - date.fromisoformat(entry["last_day"])).days
    if age > MOST_DAYS:
        return f"its effects are too old, learnt from contacts up to {entry['last_day']}"
    return ""


def _words(entry: dict[str, Any]) -> str:
    campaigns = len(entry["campaigns"])
    return (
        f"learner {entry['learner']}, of {entry['customers']:,} customers in {campaigns} "
        f"campaign{'' if campaigns == 1 else 's'} up to {entry['last_day']}"
    )


def _lacking(opened: Reading, fitted: dict[str, FittedEffect], *, as_of: date) -> dict[str, str]:
    """By offer the first feature that the log cannot give any more."""
    have = set(columns_of(opened, as_of=[as_of]))
    missing = {name: [one for one in of.learner.inputs if one not in have] for name, of in fitted.items()}
    return {name: some[0] for name, some in missing.items() if some}


def _of_everyone(opened: Reading, fitted: dict[str, FittedEffect], *, as_of: date, memory_bytes: int) -> pd.DataFrame:
    features = list(dict.fromkeys(name for of in fitted.values() for name in of.learner.inputs))
    parts = [
        pd.DataFrame({"customer_id": rows["customer_id"].astype("str")}).assign(
            **{name: of.of(rows).clip(-1, 1) for name, of in fitted.items()}
        )
        for histories, _ in buckets(opened, memory_bytes=memory_bytes)
        for table in chunks(histories, as_of=[as_of], features=features)
        if len(rows := table.to_pandas(date_as_object=False))
    ]
    return pd.concat(parts, ignore_index=True)
