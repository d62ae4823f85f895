"""How a model is made: everything that is chosen before it sees the rows it is fitted on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import pandas as pd

from models.trees.boosting import Params

TREES = "trees"
"""The name of the trees among the members of a blend; the others have the names of the opponents."""
FIT_ROWS = 100_000
"""Rows the trees are grown on unless told: more of the same customers taught them nothing measurable."""


@dataclass(frozen=True)
class Recipe:
    """The same recipe, rows and lock file make the same bundle; of trees that Spark grows, with as many workers."""

    churn: Params
    """How the trees of the probabilities are grown."""
    value: Params
    """How those of orders and value are."""
    kind: str
    """The model of value given an order: one of models/trees/value.py."""
    seed: int
    monotone: Mapping[str, int] = field(default_factory=dict)
    """1 for a feature with which churn may only rise, -1 for one with which it may only fall."""
    device: str = "cpu"
    """Where the trees are grown: cpu or cuda."""
    alone: str | None = None
    """A member that is to serve alone, `trees` or an opponent; None: the trees blended with BG/NBD or Pareto/NBD."""
    rows: int = FIT_ROWS
    """On how many rows the trees are grown at most, drawn at random."""

    def drawn(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows the trees are grown on, in their order."""
        return rows if len(rows) <= self.rows else rows.sample(self.rows, random_state=self.seed).sort_index()

    def flat(self) -> dict[str, Any]:
        """What was chosen, one level deep: for people and for MLflow's parameters."""
        told = asdict(self)
        grown = {f"{task}_{name}": value for task in ("churn", "value") for name, value in told.pop(task).items()}
        return grown | {name: value for name, value in told.items() if value not in (None, {})}
