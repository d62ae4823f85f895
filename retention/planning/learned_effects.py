"""The effects that `stayworth effects` learned, ready for a plan: only recent ones, with the basis of each offer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.errors import InputError
from models.artifacts import effect_bundle
from models.uplift.calibrated_effect import FittedEffect
from retention.economics.offers import BetaPrior, Offer
from retention.presentation.formatting import counted

EFFECTS_FOLDER = "effects"
"""The folder of the bundles under the output folder: one of each offer that has one, offer/hash."""
EFFECTS_FILE = "effects.json"
MAX_EFFECT_AGE_DAYS = 730
"""The most days between the last contact that effects were learned from and the plan's day."""


@dataclass(frozen=True)
class PlanEffects:
    """The individual effects that a plan uses."""

    frame: pd.DataFrame | None
    """customer_id, and a column for each offer with individual effects; None: none has."""
    offers: list[Offer]
    """The same offers; those with effects have the save rate of the experiment, for its uncertainty."""
    explanations: dict[str, str]
    """By offer what the plan goes by, in words; empty where nothing was learned yet."""


@dataclass(frozen=True)
class LearnedEffects:
    """The fitted effects of some offers, not yet applied to customers."""

    fitted: dict[str, FittedEffect]
    """By offer, those that a plan may use."""
    offers: list[Offer]
    """All of them, as `Effects` has them."""
    explanations: dict[str, str]

    def without(self, lacking: dict[str, str], offers: Sequence[Offer]) -> "LearnedEffects":
        """Without those of the offers in `lacking`, which says why; offers: the same as they were before."""
        fitted = {name: effect for name, effect in self.fitted.items() if name not in lacking}
        kept = [given if given.name in lacking else own for given, own in zip(offers, self.offers, strict=True)]
        explanations = self.explanations | {name: f"one save rate: {why}" for name, why in lacking.items()}
        return LearnedEffects(fitted, kept, explanations)


def read_learned_effects(output: Path, offers: Sequence[Offer], *, horizon_days: int, as_of: date) -> LearnedEffects:
    """Read the learned effects of these offers that a plan of a day may use. output: the output folder.

    Raises InputError where what was kept is not what was written.
    """
    path = output / EFFECTS_FILE
    if not path.exists():
        return LearnedEffects({}, list(offers), {})
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=str(path), next=effect_bundle.NEXT) from None
    fitted: dict[str, FittedEffect] = {}
    explanations, plan_offers = {}, []
    for offer in offers:
        entry = content["offers"].get(offer.name, {"learner": None, "in_words": "never tried at random"})
        why_not = _why_not(entry, content, horizon_days=horizon_days, as_of=as_of)
        explanations[offer.name] = f"one save rate: {why_not}" if why_not else _words(entry)
        if not why_not:
            folder = output / EFFECTS_FOLDER / offer.name / entry["bundle"]
            fitted[offer.name] = effect_bundle.read(folder, expected=entry["bundle"])
        plan_offers.append(
            offer.model_copy(update={"save_rate": BetaPrior(**entry["save_rate"])}) if not why_not else offer
        )
    return LearnedEffects(fitted, plan_offers, explanations)


def effects_of_rows(fitted: dict[str, FittedEffect], rows: pd.DataFrame) -> pd.DataFrame:
    """customer_id, and by offer what a contact adds to each one's probability of staying, -1 to 1."""
    ids = pd.DataFrame({"customer_id": rows["customer_id"].astype("str")})
    return ids.assign(**{name: effect.of(rows).clip(-1, 1) for name, effect in fitted.items()})


def _why_not(entry: dict[str, Any], content: dict[str, Any], *, horizon_days: int, as_of: date) -> str:
    """The reason not to use an offer's effects; empty if they are used."""
    if entry["learner"] is None:
        return str(entry["in_words"]).removesuffix(": the plan uses one save rate")
    if content["horizon_days"] != horizon_days:
        return f"its effects are of {counted(content['horizon_days'], 'day')}"
    age = (as_of - date.fromisoformat(entry["last_day"])).days
    if age > MAX_EFFECT_AGE_DAYS:
        return f"its effects are too old, learned from contacts up to {entry['last_day']}"
    return ""


def _words(entry: dict[str, Any]) -> str:
    campaigns = len(entry["campaigns"])
    return (
        f"learner {entry['learner']}, from {counted(entry['customers'], 'customer')} in "
        f"{counted(campaigns, 'campaign')} up to {entry['last_day']}"
    )
