"""The training rows of trees: a labelled frame, or more rows than memory holds, streamed from Parquet files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from models.trees import boosting

if TYPE_CHECKING:
    from features.large_logs.spark import Session

Change = Callable[[pd.DataFrame], pd.DataFrame]
"""Drops rows or adds columns, row by row: the result of a row does not depend on the other rows."""


@dataclass(frozen=True)
class Stream:
    """Rows in files, read batch by batch, as often as needed."""

    files: tuple[Path, ...]
    rows: int
    """The number of rows in the files, before any change."""
    labels: tuple[str, ...]
    """Columns that are not features, but are read with them."""
    changes: tuple[Change, ...] = ()
    """Applied to each batch, in this order."""
    spark: Session | None = None
    """The Spark session that grows the trees; None: this machine."""

    @property
    def engine(self) -> str:
        """The name of the engine that grows the trees."""
        return "spark" if self.spark else "duckdb"

    def on(self, days: Sequence[date] | pd.Series) -> Stream:
        """Keep only the rows of these cut-offs."""
        wanted = pd.DatetimeIndex(pd.to_datetime(days)).unique()
        return self.changed(lambda rows: rows[rows["as_of"].isin(wanted)])

    def changed(self, change: Change) -> Stream:
        """Apply one more change whenever the rows are read."""
        return replace(self, changes=(*self.changes, change))


Rows: TypeAlias = pd.DataFrame | Stream


def changed(rows: Rows, change: Change) -> Rows:
    """Apply a change: to a frame now, to a stream whenever it is read."""
    return rows.changed(change) if isinstance(rows, Stream) else change(rows)


def grow_trees(
    rows: Rows,
    inputs: boosting.Inputs,
    *,
    label: str,
    objective: str | boosting.Objective,
    params: Mapping[str, float],
    seed: int,
    monotone: Mapping[str, int] = boosting.FREE,
    offset: str | np.ndarray | None = None,
    device: str = "cpu",
) -> boosting.Booster:
    """Grow trees on the rows; label, offset: as of `matrix`; the other arguments: as of `boosting.grow_trees`."""
    if isinstance(rows, Stream) and rows.spark:
        from models.trees import spark_boosting  # needs the extra [spark]

        return spark_boosting.grow_trees(
            rows.spark,
            rows.files,
            inputs,
            label=label,
            objective=objective,
            params=params,
            seed=seed,
            monotone=monotone,
            offset=_column(offset),
            other_columns=rows.labels,
            changes=rows.changes,
        )
    with matrix(rows, inputs, label=label, offset=offset) as data:
        return boosting.grow_trees(
            data, objective=objective, params=params, seed=seed, monotone=monotone, device=device
        )


def batches(rows: Rows, features: Sequence[str]) -> Iterator[pd.DataFrame]:
    """Read the rows in frames of bounded size, the same at every reading; a stream gives `features` and its labels."""
    if isinstance(rows, Stream):
        yield from boosting.read_batches(rows.files, [*features, *rows.labels], rows.changes)
        return
    for first in range(0, len(rows), boosting.BATCH):
        yield rows[first : first + boosting.BATCH]


@contextmanager
def matrix(
    rows: Rows, inputs: boosting.Inputs, *, label: str, offset: str | np.ndarray | None = None
) -> Iterator[boosting.Matrix]:
    """The matrix that trees are grown on, for as long as the block lasts.

    label: the column to learn, a bool or a number. offset: the raw score of each row before the first tree, or its
    column; for a stream always a column. A stream is quantised into a temporary folder: a byte or two per value of
    disk, not of memory.
    """
    if isinstance(rows, pd.DataFrame):
        start = rows[offset].to_numpy(np.float64) if isinstance(offset, str) else offset
        yield boosting.matrix(rows, inputs, rows[label].to_numpy(np.float32), offset=start)
        return
    with tempfile.TemporaryDirectory(prefix="stayworth-trees-") as cache:
        yield boosting.matrix_from_parquet(
            rows.files,
            inputs,
            label=label,
            cache=Path(cache),
            offset=_column(offset),
            other_columns=rows.labels,
            changes=rows.changes,
        )


def _column(offset: str | np.ndarray | None) -> str | None:
    """The column of a stream's offset."""
    if isinstance(offset, np.ndarray):
        raise TypeError("the offset of a stream is a column")
    return offset
