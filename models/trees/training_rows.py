"""The labelled rows trees grow on: a frame, or more of them than memory holds, streamed from Parquet files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from models.trees import boosting

if TYPE_CHECKING:
    from features.large_logs.spark import Session

Change = Callable[[pd.DataFrame], pd.DataFrame]
"""Takes rows away or columns into account, whichever rows stand beside them."""


@dataclass(frozen=True)
class Stream:
    """Rows in files, read batch by batch as often as they are asked for."""

    files: tuple[Path, ...]
    rows: int
    """How many the files hold, before any change."""
    labels: tuple[str, ...]
    """Columns that are no features, but read with them."""
    changes: tuple[Change, ...] = ()
    """What is done to each batch, in this order."""
    spark: Session | None = None
    """Who grows trees on them; None: this machine."""

    @property
    def engine(self) -> str:
        """The name of who grows them."""
        return "spark" if self.spark else "duckdb"

    def on(self, days: Sequence[date] | pd.Series) -> Stream:
        """The rows of these cut-offs alone."""
        wanted = pd.DatetimeIndex(pd.to_datetime(days)).unique()
        return self.changed(lambda rows: rows[rows["as_of"].isin(wanted)])

    def changed(self, change: Change) -> Stream:
        """The rows after one change more, whenever they are read."""
        return replace(self, changes=(*self.changes, change))


Rows: TypeAlias = pd.DataFrame | Stream


def changed(rows: Rows, change: Change) -> Rows:
    """The rows after a change: of a frame now, of a stream whenever it is read."""
    return rows.changed(change) if isinstance(rows, Stream) else change(rows)


def grow(
    rows: Rows,
    inputs: boosting.Inputs,
    *,
    label: str,
    offset: str | np.ndarray | None = None,
    device: str = "cpu",
    **how: Any,
) -> boosting.Booster:
    """Trees on the rows as `trees.grow` grows them; label, offset: as of `matrix`; how: the other arguments."""
    if isinstance(rows, Stream) and rows.spark:
        from models.trees import spark_boosting  # needs the extra [spark]

        return spark_boosting.grow(
            rows.spark,
            rows.files,
            inputs,
            label=label,
            offset=_column(offset),
            beside=rows.labels,
            changes=rows.changes,
            **how,
        )
    with matrix(rows, inputs, label=label, offset=offset) as data:
        return boosting.grow(data, device=device, **how)


def batches(rows: Rows, features: Sequence[str]) -> Iterator[pd.DataFrame]:
    """The rows in frames of bounded size, the same at every reading; of a stream these features and its labels."""
    if isinstance(rows, Stream):
        yield from boosting.read(rows.files, [*features, *rows.labels], rows.changes)
        return
    for first in range(0, len(rows), boosting.BATCH):
        yield rows[first : first + boosting.BATCH]


@contextmanager
def matrix(
    rows: Rows, inputs: boosting.Inputs, *, label: str, offset: str | np.ndarray | None = None
) -> Iterator[boosting.Matrix]:
    """What trees are grown on, for as long as the block lasts.

    label: the column to learn, a bool or a number. offset: what each row's raw score has before the first tree, or the
    column of it; of a stream a column. A stream is quantised into a temporary folder: a byte or two per value of disk,
    not of memory.
    """
    if isinstance(rows, pd.DataFrame):
        given = rows[offset].to_numpy(np.float64) if isinstance(offset, str) else offset
        yield boosting.matrix(rows, inputs, rows[label].to_numpy(np.float32), offset=given)
        return
    with tempfile.TemporaryDirectory(prefix="stayworth-trees-") as cache:
        yield boosting.matrix_from_parquet(
            rows.files,
            inputs,
            label=label,
            cache=Path(cache),
            offset=_column(offset),
            beside=rows.labels,
            changes=rows.changes,
        )


def _column(offset: str | np.ndarray | None) -> str | None:
    """The offset of a stream."""
    if isinstance(offset, np.ndarray):
        raise TypeError("the offset of a stream is a column")
    return offset
