"""The evidence before the gate: the evaluation, the candidate tried out, the champion and the leakage probes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any, Protocol

import pandas as pd

from features.errors import InputError
from models.artifacts import bundle
from models.artifacts.signed_files import signed_manifest
from models.scoring import batch_scores, scorer
from pipelines.training.champion_comparison import ChampionComparison
from pipelines.training.lifetime_choice import LifetimeChoice

TIMED_ROWS = 1000
"""Rows whose scoring is timed, drawn with replacement so that a small shop is timed on as many as a large one."""


@dataclass(frozen=True)
class Candidate:
    """A bundle as it lies on disk, read back and tried out on the rows it is made to score."""

    unsigned: str | None = None
    """Why its bytes are not those its manifest signs; then nothing else is known of it."""
    unusable: str | None = None
    """Why it could not be read, or could not score the rows."""
    manifest: Mapping[str, Any] | None = None
    scores: pd.DataFrame | None = None
    seconds_per_row: float | None = None
    """Processor time of a score with its reasons: of this process alone, so a busy machine fails no candidate."""


class ServedVersion(Protocol):
    """The version that serves, as it is compared with a candidate."""

    @property
    def number(self) -> str:
        """Its number in the registry."""

    @property
    def basis(self) -> str:
        """What of it is judged, or why nothing is."""

    @property
    def scorer(self) -> object | None:
        """The model that is judged; None if it cannot be compared."""

    @property
    def stands(self) -> bool:
        """True if it can go on serving where the candidate is refused."""


@dataclass(frozen=True)
class CandidateEvidence:
    """What the gate looks at, whatever the candidate was trained on."""

    metrics: Mapping[str, Any]
    """The evaluation (training/holdout_evaluation.py), with the champion under `champion` if it is compared."""
    candidate: Candidate
    champion: ServedVersion | None
    """The champion; None if there is none yet."""

    @property
    def has_comparable_champion(self) -> bool:
        """True if the candidate is judged beside a champion."""
        return self.champion is not None and self.champion.scorer is not None

    @property
    def champion_stands(self) -> bool:
        """True if a champion goes on serving where the candidate is refused, be it of another horizon."""
        return self.champion is not None and self.champion.stands


@dataclass(frozen=True)
class Evidence(CandidateEvidence):
    """All that the gate looks at of a model of a log."""

    rows: pd.DataFrame
    """The feature rows that the candidate was tried out on: every customer at the end of the log."""
    log_features: Sequence[str]
    """The features this log gives, in their order."""
    probes: Mapping[str, Any]
    """`shuffled_labels` and `strongest` of pipelines/leakage/leakage_probes.py, or a `note` why there are none."""
    horizon_days: int
    now: date
    champion: ChampionComparison | None
    """The champion; None if there is none yet."""
    lifetimes: LifetimeChoice
    """How lifetime values were judged on closed years."""


def examine(folder: Path, rows: pd.DataFrame) -> Candidate:
    """Read a candidate's bundle back and score the rows with it."""
    try:
        manifest, _ = signed_manifest(folder)
        model = bundle.read(folder)
    except InputError as error:
        return Candidate(unsigned=error.what)
    except (KeyError, TypeError, ValueError) as error:
        return Candidate(unusable=f"signed, but not a bundle that can be read: {error!r}")
    absent = [name for name in model.inputs if name not in rows.columns]
    if absent:
        return Candidate(manifest=manifest, unusable=f"not tried out: the log does not give {', '.join(absent[:5])}")
    try:
        scores = scorer.predict(model, rows)
        timed = rows.sample(TIMED_ROWS, replace=True, random_state=0)
        batch_scores.score(model, timed.head(1))  # the first call takes longer
        started = process_time()
        batch_scores.score(model, timed)
        seconds_per_row = (process_time() - started) / TIMED_ROWS
    except (KeyError, TypeError, ValueError) as error:
        return Candidate(manifest=manifest, unusable=f"it cannot score the rows of this log: {error}")
    return Candidate(manifest=manifest, scores=scores, seconds_per_row=seconds_per_row)
