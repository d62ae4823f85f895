"""Answers about rows of a label table, by the model in service."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from models.labelled.label_scorer import VALUES, LabelScorer, score_rows
from models.prediction import REASONS


def row_scores(scorer: LabelScorer, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Score rows of a request; raises InputError for a column that all of them, or some, lack."""
    table = pd.DataFrame.from_records(rows)
    lacking = [name for name in scorer.needs if any(name not in row for row in rows)]
    table = table.drop(columns=[name for name in lacking if name in table])
    return [_row_score(score) for score in score_rows(scorer, table, where="rows").to_dict("records")]


def describe_label_model(scorer: LabelScorer) -> dict[str, Any]:
    """The facts of a model of a label table that differ from those of a log."""
    return {"currency": scorer.currency, "needs": scorer.needs, "horizon_days": None}


def _row_score(score: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: score.get(name) for name in VALUES if name != "savable_probability"}
    reasons = [score[name] for name in REASONS if isinstance(score[name], str)]
    kept = ("customer_id", "churn_probability", "model_version")
    return {name: score[name] for name in kept} | values | {"reasons": reasons}
