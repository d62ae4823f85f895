"""The labelled rows trees grow on: a frame, or more of them than memory holds, streamed from Parquet files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd

from models import trees

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


@contextmanager
def matrix(
    rows: Rows, inputs: trees.Inputs, *, label: str, offset: str | np.ndarray | None = None
) -> Iterator[trees.Matrix]:
    """What trees are grown on, for as long as the block lasts.

    label: the column to learn, a bool or a number. offset: what each row's raw score has before the first tree, or the
    column of it; of a stream a column. A stream is quantised into a temporary folder: a byte or two per value of disk,
    not of memory.
    """
    if isinstance(rows, pd.DataFrame):
        given = rows[offset].to_numpy(np.float64) if isinstance(offset, str) else offset
        yield trees.matrix(rows, inputs, rows[label].to_numpy(np.float32), offset=given)
        return
    if isinstance(offset, np.ndarray):
        raise TypeError("the offset of a stream is a column")
    with tempfile.TemporaryDirectory(prefix="stayworth-trees-") as cache:
        yield trees.matrix_from_parquet(
            rows.files,
            inputs,
            label=label,
            cache=Path(cache),
            offset=offset,
            beside=rows.labels,
            changes=rows.changes,
        )
