"""The recipe of a model: everything that is chosen before it sees the rows it is fitted on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from models.trees.boosting import Params

TREES = "trees"
"""The name of the trees among the base learners of a blend; the others have the names of their baselines."""
FIT_ROWS = 100_000
"""Rows the trees are grown on by default: more rows of the same customers made no measurable difference."""


@dataclass(frozen=True)
class Recipe:
    """The same recipe, rows and lock file make the same bundle; with trees grown by Spark, the same number of workers
    too.
    """

    churn: Params
    """Parameters of the trees of probabilities."""
    value: Params
    """Parameters of the trees of orders and value."""
    kind: str
    """The model of value given an order: one of models/trees/value.py."""
    seed: int
    monotone: Mapping[str, int] = field(default_factory=dict)
    """1 for a feature with which churn may only rise, -1 for one with which it may only fall."""
    device: str = "cpu"
    """The device on which trees are grown: cpu or cuda."""
    alone: str | None = None
    """A base learner that serves alone, `trees` or a baseline; None: the trees blended with BG/NBD or Pareto/NBD."""
    rows: int = FIT_ROWS
    """The largest number of rows the trees are grown on, drawn at random."""

    def sample(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows the trees are grown on, in their order."""
        return rows if len(rows) <= self.rows else rows.sample(self.rows, random_state=self.seed).sort_index()

    def flat(self) -> dict[str, Any]:
        """The recipe one level deep: for people and for MLflow's parameters."""
        choices = asdict(self)
        tree_params = {
            f"{task}_{name}": number for task in ("churn", "value") for name, number in choices.pop(task).items()
        }
        return tree_params | {name: choice for name, choice in choices.items() if choice not in (None, {})}
