"""Staging of scores: they are kept on disk part by part until all customers are scored, then given out with segments.

A segment compares a customer with the averages of all customers, so none is known before the last one is scored.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from models.prediction import DATES, NUMBERS, REASONS
from retention.customer_base.segments import CURRENT_VALUE_FEATURE, average_cuts, value_quadrants
from retention.economics.profit import value_at_risk

SCHEMA = pa.schema(
    {
        "customer_id": pa.string(),
        "as_of": pa.date32(),
        "horizon_days": pa.int32(),
        **dict.fromkeys(NUMBERS, pa.float64()),
        **dict.fromkeys(DATES, pa.date32()),
        "segment": pa.string(),
        **dict.fromkeys(REASONS, pa.string()),
        "model_version": pa.string(),
    }
)
"""The columns of scores, wherever they are written."""
MAIN_GAIN = "gain_over_main_horizon"
UNFINISHED = pa.schema(
    [
        *(field for field in SCHEMA if field.name != "segment"),
        *((name, pa.float64()) for name in (CURRENT_VALUE_FEATURE, MAIN_GAIN)),
    ]
)


@dataclass(frozen=True)
class StagedScores:
    """The scores of all customers in a folder, in the order they came."""

    files: tuple[Path, ...]
    """Scores over one horizon each, the main one first."""
    rows: Path
    """The feature rows behind the scores over the main horizon."""
    current_cut: float
    """The customers' average spend of the last year, currency units."""
    future_cut: float
    """Their average CLV, currency units."""
    gain_cut: float
    """The gain over the main horizon up to which no contact pays, currency units."""
    totals: dict[str, float]
    """Over the main horizon: expected churners, and sums in currency units."""
    customers: int

    def tables(self) -> Iterator[pa.Table]:
        """The scores with their segments, in tables of bounded size: all over the main horizon, then the others."""
        for file in self.files:
            yield from map(self._finished, _groups(file))

    def main_with_rows(self) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """The scores over the main horizon and the feature rows of the same customers, part by part.

        Features are float32, as trees see them.
        """
        for scores, rows in zip(_groups(self.files[0]), _groups(self.rows), strict=True):
            yield self._finished(scores).to_pandas(date_as_object=False), rows.to_pandas(date_as_object=False)

    def _finished(self, scores: pa.Table) -> pa.Table:
        segment = value_quadrants(
            *(scores[name] for name in (CURRENT_VALUE_FEATURE, "clv", MAIN_GAIN)),
            current_cut=self.current_cut,
            future_cut=self.future_cut,
            gain_cut=self.gain_cut,
        )
        return scores.append_column("segment", pa.array(segment, pa.string())).select(SCHEMA.names)


def stage(scored: Iterable[tuple[pd.DataFrame, pd.DataFrame]], folder: Path, *, gain_cut: float) -> StagedScores:
    """Stage the scores of each part and its feature rows in an empty folder.

    scored: scores as `models.scoring.batch_scores.score` has them of feature rows, and those rows; gain_cut: as
    `retention.customer_base.segments.gain_cut` gives it. Raises InputError where nobody is scored, or a customer has no
    CLV.
    """
    files: dict[int, Path] = {}
    rows_file = folder / "rows.parquet"
    current: list[np.ndarray] = []
    future: list[np.ndarray] = []
    totals: list[dict[str, float]] = []
    with ExitStack() as stack:
        writers: dict[Path, pq.ParquetWriter] = {}

        def write(path: Path, table: pa.Table) -> None:
            if path not in writers:
                writers[path] = stack.enter_context(pq.ParquetWriter(path, table.schema, compression="lz4"))
            writers[path].write_table(table, row_group_size=max(len(table), 1))

        for scores, rows in scored:
            # Copies: a view would keep all columns of the frame in memory.
            spend = rows[CURRENT_VALUE_FEATURE].to_numpy(np.float64, copy=True)
            clv, gain = (scores[name].head(len(rows)).to_numpy(copy=True) for name in ("clv", "gain"))
            for_segments = {CURRENT_VALUE_FEATURE: spend, MAIN_GAIN: gain}
            for first in range(0, len(scores), len(rows)):
                over = scores.iloc[first : first + len(rows)].assign(**for_segments)
                path = files.setdefault(int(over["horizon_days"].iloc[0]), folder / f"scores-{len(files)}.parquet")
                write(path, pa.Table.from_pandas(over, UNFINISHED, preserve_index=False))
            write(rows_file, _narrow(rows))
            current.append(spend)
            future.append(clv)
            totals.append(_totals(scores.head(len(rows))))
    # In ascending order, so that the averages are the same to the last digit whatever parts the customers came in.
    averages = average_cuts(*(np.sort(np.concatenate([*of, np.empty(0)])) for of in (current, future)))
    summed = {name: float(sum(part[name] for part in totals)) for name in totals[0]}
    return StagedScores(tuple(files.values()), rows_file, *averages, gain_cut, summed, sum(map(len, future)))


def _totals(scores: pd.DataFrame) -> dict[str, float]:
    return {
        "expected_churners": float(scores["churn_probability"].sum()),
        "expected_value": float(scores["expected_value"].sum()),
        "clv": float(scores["clv"].sum()),
        "value_at_risk": float(value_at_risk(scores).sum()),
    }


def _narrow(rows: pd.DataFrame) -> pa.Table:
    """Feature rows with measures as float32."""
    table = pa.Table.from_pandas(rows, preserve_index=False)
    types = [pa.float32() if pa.types.is_float64(field.type) else field.type for field in table.schema]
    return table.cast(pa.schema(list(zip(table.column_names, types, strict=True))))


def _groups(path: Path) -> Iterator[pa.Table]:
    """A file as it was written, table by table."""
    with pq.ParquetFile(path) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number)
