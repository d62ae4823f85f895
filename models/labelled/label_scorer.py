"""The fitted model of a label table, and the scores it gives to rows without a label."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from features.errors import InputError
from models.labelled.label_model import LabelModel
from models.labelled.label_value import LabelValue
from models.labelled.table_columns import parse_columns
from models.prediction import REASONS

ID = "customer_id"
VALUES = ("expected_value", "savable_probability", "gain")
"""The columns of scores that only a table with values gives."""
MISSING = "missing"
LONGEST_CELL = 60


@dataclass(frozen=True)
class LabelScorer:
    """A model of a label table, ready to score."""

    id_column: str
    """The table's own name of customer_id."""
    label_column: str
    model: LabelModel
    value: LabelValue | None
    currency: str
    version: str = ""

    @property
    def needs(self) -> list[str]:
        """The columns that every row must have."""
        return [name for name, column in self.model.columns.items() if column.kind != "unused"]


def score_rows(scorer: LabelScorer, rows: pd.DataFrame, *, where: str) -> pd.DataFrame:
    """Score rows of the table's own columns: customer_id, churn_probability, values, reasons, model_version.

    The ids may stand in `customer_id` or in the table's own column. A name or a format that training did not have
    counts as missing. Raises InputError, naming `where`, for missing columns and ids.
    """
    absent = [name for name in scorer.needs if name not in rows.columns]
    own = ID if ID in rows.columns else scorer.id_column
    if absent or own not in rows.columns:
        names = [*absent, *([] if own in rows.columns else [own])]
        raise InputError(
            f"{len(names)} {'columns are' if len(names) > 1 else 'column is'} missing that the model needs: "
            f"{', '.join(names[:10])}",
            where=where,
            next="Add them under these names; a cell may be empty.",
        )
    if (nameless := int(rows[own].isna().sum())) or (again := int(rows[own].duplicated().sum())):
        raise InputError(
            f"of {len(rows):,} rows, " + (f"{nameless:,} have no {own}" if nameless else f"{again:,} repeat a {own}"),
            where=where,
            next="Give one row per customer, each with its id.",
        )
    parsed = parse_columns(rows, scorer.model.columns)
    odds = scorer.model.log_odds(parsed)
    columns = {ID: rows[own].astype("str").to_numpy(), "churn_probability": expit(odds)}
    if scorer.value:
        expected, gain = scorer.value.expected_and_gain(parsed, columns["churn_probability"])
        columns |= dict(zip(VALUES, (expected, columns["churn_probability"], gain), strict=True))
    return pd.DataFrame(columns | _reasons(scorer, rows, parsed) | {"model_version": scorer.version})


def _reasons(scorer: LabelScorer, rows: pd.DataFrame, parsed: pd.DataFrame) -> dict[str, list[str | None]]:
    """The columns that raise the probability most, with their cells; None where fewer do."""
    added = scorer.model.contributions(parsed)
    order = np.argsort(-added, axis=1, kind="stable")[:, : len(REASONS)]
    names, is_missing = list(parsed.columns), parsed.isna().to_numpy()
    cells = [rows[name].astype("str").str.slice(0, LONGEST_CELL).to_numpy() for name in names]
    texts: list[list[str | None]] = [[None] * len(rows) for _ in REASONS]
    for place in range(order.shape[1]):
        for row, column in enumerate(order[:, place].tolist()):
            if added[row, column] > 0:
                cell = MISSING if is_missing[row, column] else cells[column][row]
                texts[place][row] = f"{names[column]}: {cell}"
    return dict(zip(REASONS, texts, strict=True))
