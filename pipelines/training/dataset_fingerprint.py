"""The fingerprint of a training set, by which two runs can be told to have used the same data."""

import hashlib
from dataclasses import dataclass

import pandas as pd

from pipelines.training.training_set import TrainingSet


@dataclass(frozen=True)
class Dataset:
    """The labelled rows of a training set: their number, days and digest. It names no customer."""

    rows: int
    customers: int
    first_day: str
    last_day: str
    """The first and the last cut-off."""
    features: int
    sha256: str
    """Of every cell, in the order of rows and columns."""


@dataclass(frozen=True)
class LabelDataset:
    """The rows of a label table: their number and digest. It names no customer."""

    rows: int
    features: int
    sha256: str


def fingerprint_table(rows: pd.DataFrame, *, features: int) -> LabelDataset:
    """Describe the rows of a label table and hash every cell."""
    return LabelDataset(len(rows), features, _digest(rows))


def fingerprint(training: TrainingSet) -> Dataset:
    """Describe the labelled rows of a training set and hash every cell."""
    rows = training.rows
    return Dataset(
        rows=len(rows),
        customers=rows["customer_id"].nunique(),
        first_day=min(training.timeline.matured).isoformat(),
        last_day=max(training.timeline.matured).isoformat(),
        features=len(training.features),
        sha256=_digest(rows),
    )


def _digest(rows: pd.DataFrame) -> str:
    digest = hashlib.sha256("\n".join(map(str, rows.columns)).encode())
    digest.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return digest.hexdigest()
