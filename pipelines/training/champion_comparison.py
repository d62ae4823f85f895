"""The champion beside the candidate: the form in which it can be judged fairly on the candidate's test window.

A champion made after the test day has seen the answers. Then its recipe and its features, from its manifest, are
refitted on the candidate's own training set and judged instead. That still favours the champion: its parameters were
chosen when part of those answers was known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from features.errors import InputError
from models import CHAMPION
from models.artifacts import registry
from models.artifacts.registered_model import load_version
from models.ensemble.business_terms import Terms
from models.ensemble.recipe import Recipe
from models.scoring.online import attribute_kinds
from models.scoring.scorer import Scorer
from pipelines.training.training_set import TrainingSet, fit_model


@dataclass(frozen=True)
class ChampionComparison:
    """The version that serves, and the model of it that the candidate is compared with."""

    number: str
    made_at: date | None
    """The day it was made; None where the registry does not say."""
    manifest: Mapping[str, Any] | None
    scorer: Scorer | None
    """The model that is judged; None if it cannot be compared."""
    basis: str
    """What of the champion is judged, or why nothing is."""
    stands: bool = True
    """True if it can go on serving where the candidate is refused: of another horizon or currency too."""

    @property
    def as_of(self) -> date | None:
        """The day before which it knew everything."""
        return date.fromisoformat(self.manifest["training"]["as_of"]) if self.manifest else None


def current_champion(uri: str) -> ChampionComparison | None:
    """The champion with its own bundle; None if there is none. Raises InputError if the registry is out of reach."""
    version = registry.holder(uri, CHAMPION)
    if version is None:
        return None
    made_at = version.tags.get("made_at")
    champion = ChampionComparison(
        version.number, datetime.fromisoformat(made_at).date() if made_at else None, None, None, ""
    )
    try:
        model = load_version(uri, version)
    except InputError as error:
        return replace(champion, basis=f"not compared: {error.what}", stands=False)
    return replace(champion, manifest=model.manifest, scorer=model.scorer, basis="its bundle")


def comparable_champion(
    champion: ChampionComparison, training: TrainingSet, terms: Terms, *, asked: Terms
) -> ChampionComparison:
    """The champion as it can be judged on the window after a training set: its bundle, or its recipe refitted.

    terms: those of the judged window; asked: those of the config, whose horizon may be too long to be judged.
    """
    if champion.scorer is None or champion.manifest is None:
        return champion
    its_terms, as_of = champion.scorer.terms, training.timeline.as_of
    absent = [name for name in champion.manifest["features"] if name not in training.features]
    if absent:
        reason = f"the log no longer gives {len(absent)} of its features: {', '.join(absent[:5])}"
        return replace(champion, scorer=None, basis=f"not compared: {reason}", stands=False)
    for name in ("horizon_days", "currency"):
        if getattr(its_terms, name) != getattr(asked, name):
            reason = f"its {name} is {getattr(its_terms, name)}, the config's {getattr(asked, name)}"
            return replace(champion, scorer=None, basis=f"not compared: {reason}")
    kinds = attribute_kinds(champion.scorer)
    changed = sorted(name for name, kind in kinds.items() if kind.kind != training.attributes[name].kind)
    is_blind = date.fromisoformat(champion.manifest["training"]["as_of"]) <= as_of
    if is_blind and its_terms == terms and not changed:
        return champion
    its_training = replace(training, features=list(champion.manifest["features"]))
    try:
        refitted = fit_model(its_training, terms, Recipe(**champion.manifest["training"]["recipe"]))
    except (KeyError, TypeError) as error:
        return replace(champion, scorer=None, basis=f"not compared: its recipe is of another release ({error})")
    why = "its terms of money differ"
    if asked.horizon_days != terms.horizon_days:
        why = f"its horizon is not judged, {terms.horizon_days} days are"
    elif its_terms == terms and is_blind:
        why = f"{changed[0]} now holds {training.attributes[changed[0]].kind}, not {kinds[changed[0]].kind}"
    elif its_terms == terms:
        why = "it had seen what came after"
    return replace(champion, scorer=refitted, basis=f"its recipe, refitted as of {as_of}, because {why}")
