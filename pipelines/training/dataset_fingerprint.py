"""What a model was made of, so that two runs can be told to have seen the same data."""

import hashlib
from dataclasses import dataclass

import pandas as pd

from pipelines.training.training_set import TrainingSet


@dataclass(frozen=True)
class Dataset:
    """The labelled rows of a lesson: how many, of which days, and their digest. It names no customer."""

    rows: int
    customers: int
    first_day: str
    last_day: str
    """The first and the last cut-off."""
    features: int
    sha256: str
    """Of every cell, in the order of rows and columns."""


def fingerprint(taught: TrainingSet) -> Dataset:
    """What a lesson was made of."""
    rows = taught.rows
    digest = hashlib.sha256("\n".join(map(str, rows.columns)).encode())
    digest.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return Dataset(
        rows=len(rows),
        customers=rows["customer_id"].nunique(),
        first_day=min(taught.timeline.matured).isoformat(),
        last_day=max(taught.timeline.matured).isoformat(),
        features=len(taught.features),
        sha256=digest.hexdigest(),
    )
