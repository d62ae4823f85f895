"""The champion as the candidate's rival: what of it can be judged fairly on the window the candidate is judged on.

A champion made after the test day has seen the answers. Then its recipe and its features, from its manifest, are
refitted on the candidate's own lesson and judged instead. That is kind to the champion still: its parameters were
chosen when part of those answers was known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from features.errors import InputError
from models.artifacts import registry
from models.artifacts.registered_model import load_version
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.scoring.scorer import Scorer
from pipelines.training.training_set import TrainingSet, fit_model


@dataclass(frozen=True)
class ChampionComparison:
    """The version that serves."""

    number: str
    made_at: date | None
    """The day it was made; None where the registry does not say."""
    manifest: Mapping[str, Any] | None
    scorer: Scorer | None
    """What is judged; None if it cannot be compared."""
    how: str
    """What is judged of it, or why nothing is."""

    @property
    def as_of(self) -> date | None:
        """The day before which it knew everything."""
        return date.fromisoformat(self.manifest["training"]["as_of"]) if self.manifest else None


def current_champion(uri: str) -> ChampionComparison | None:
    """The champion with its own bundle; None if there is none. Raises InputError if the registry is out of reach."""
    version = registry.holder(uri, "champion")
    if version is None:
        return None
    made_at = version.tags.get("made_at")
    known = ChampionComparison(
        version.number, datetime.fromisoformat(made_at).date() if made_at else None, None, None, ""
    )
    try:
        model = load_version(uri, version)
    except InputError as error:
        return replace(known, how=f"not compared: {error.what}")
    return replace(known, manifest=model.manifest, scorer=model.scorer, how="its bundle")


def comparable_champion(rival: ChampionComparison, taught: TrainingSet, terms: Terms) -> ChampionComparison:
    """What of the champion can be judged on the window after a lesson."""
    if rival.scorer is None or rival.manifest is None:
        return rival
    theirs, as_of = rival.scorer.terms, taught.timeline.as_of
    absent = [name for name in rival.manifest["features"] if name not in taught.features]
    if absent:
        what = f"the log gives {len(absent)} of its features no longer: {', '.join(absent[:5])}"
        return replace(rival, scorer=None, how=f"not compared: {what}")
    for name in ("horizon_days", "currency"):
        if getattr(theirs, name) != getattr(terms, name):
            what = f"its {name} is {getattr(theirs, name)}, the config's {getattr(terms, name)}"
            return replace(rival, scorer=None, how=f"not compared: {what}")
    if date.fromisoformat(rival.manifest["training"]["as_of"]) <= as_of and theirs == terms:
        return rival
    lesson = replace(taught, features=list(rival.manifest["features"]))
    try:
        refitted = fit_model(lesson, terms, Recipe(**rival.manifest["training"]["recipe"]))
    except (KeyError, TypeError) as error:
        return replace(rival, scorer=None, how=f"not compared: its recipe is of another release ({error})")
    why = "it had seen what came after" if theirs == terms else "its money has other terms"
    return replace(rival, scorer=refitted, how=f"its recipe, refitted as of {as_of}, because {why}")
