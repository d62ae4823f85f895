"""The gate of a label table: the checks of any candidate, and those in which such a table differs."""

from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from features.errors import InputError
from models.artifacts import label_bundle
from models.artifacts.signed_files import signed_manifest
from models.labelled.label_scorer import LabelScorer, score_rows
from pipelines.gate import bundle_checks, merit_checks
from pipelines.gate.check_result import CheckResult, check_result
from pipelines.gate.evidence import TIMED_ROWS, Candidate, CandidateEvidence
from pipelines.gate.gate import Check
from pipelines.labelled.judge_folds import BASELINES

NEEDED = ("roc_auc", "log_loss", "brier", "ece")


@dataclass(frozen=True)
class LabelChampion:
    """The version that serves, as it is compared with a candidate of a label table."""

    number: str
    scorer: LabelScorer | None
    """None if it cannot be compared."""
    basis: str
    params: dict[str, float]

    @property
    def stands(self) -> bool:
        """True if it can go on serving where the candidate is refused."""
        return self.scorer is not None


@dataclass(frozen=True)
class LabelEvidence(CandidateEvidence):
    """What the gate looks at of a model of a label table."""

    customers: int
    leaks: list[dict[str, Any]]
    """As of pipelines/labelled/label_check.py."""


def examine_label_candidate(folder: Path, rows: pd.DataFrame) -> Candidate:
    """Read a candidate's bundle back and score rows of the table with it."""
    try:
        manifest, _ = signed_manifest(folder)
        scorer = label_bundle.read(folder)
    except InputError as error:
        return Candidate(unsigned=error.what)
    scores = score_rows(scorer, rows, where="the table")
    timed = rows.sample(min(len(rows), TIMED_ROWS), random_state=0)
    started = process_time()
    score_rows(scorer, timed, where="the table")
    return Candidate(manifest=manifest, scores=scores, seconds_per_row=(process_time() - started) / len(timed))


def _scores(evidence: LabelEvidence) -> CheckResult:
    """Check that every customer has a row and a probability."""
    table = evidence.candidate.scores
    if table is None:
        return CheckResult("not examined", "it scored nothing")
    probability = table["churn_probability"].to_numpy(float)
    wrong = int((~np.isfinite(probability) | (probability < 0) | (probability > 1)).sum())
    if wrong or len(table) != evidence.customers:
        reason = f"{len(table):,} scores for {evidence.customers:,} customers, {wrong:,} of them no probability"
        return CheckResult("fail", reason)
    return CheckResult("pass", f"{len(table):,} customers scored, every number finite")


def _complete(evidence: LabelEvidence) -> CheckResult:
    """Require the metrics of the candidate and its difference to each baseline."""
    models, differences = evidence.metrics["models"], evidence.metrics["differences"]
    missing = [f"{name} of {model}" for model in models for name in NEEDED if models[model][name]["value"] is None]
    missing += [f"log loss against {name}" for name in BASELINES if differences[name]["log_loss"]["low"] is None]
    if missing:
        return CheckResult("fail", f"{len(missing)} missing or undefined: {', '.join(missing[:5])}")
    return CheckResult("pass", f"{len(NEEDED)} metrics, {len(BASELINES)} simple models")


def _no_leak(evidence: LabelEvidence) -> CheckResult:
    """Fail where one column alone tells who left: no honest column does."""
    listed = ", ".join(f"{leak['column']} (AUC {leak['auc']:.3f})" for leak in evidence.leaks)
    reason = f"{listed} alone tells who left: if it is known only afterwards, name it in [label] unused"
    return check_result(not evidence.leaks, reason if evidence.leaks else "no column alone tells who left")


LABEL_CHECKS = (
    Check("G01", "signature of the bundle", "refuse", bundle_checks.signed),
    Check("G04", "scores of every customer", "refuse", _scores),
    Check("G05", "speed", "refuse", bundle_checks.speed),
    Check("G06", "completeness of the metrics", "refuse", _complete),
    Check("G09", "leakage", "refuse", _no_leak),
    Check("G10", "comparison with the champion", "refuse", merit_checks.champion),
    Check("G11", "comparison with the simple models", "keep", merit_checks.baselines),
    Check("G12", "calibration of the probabilities", "keep", merit_checks.calibration),
)
"""Numbered as those of a log (pipelines/gate/gate.py); the others are about time."""
