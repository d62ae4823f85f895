"""The last batch of scores, held in memory and read by customer id."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import InputError

REASONS = ("reason_1", "reason_2", "reason_3")

COLUMNS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("as_of", pa.date32()),
        ("horizon_days", pa.int64()),
        ("churn_probability", pa.float64()),
        ("expected_orders", pa.float64()),
        ("expected_value", pa.float64()),
        ("value_p10", pa.float64()),
        ("value_p90", pa.float64()),
        ("clv", pa.float64()),
        ("segment", pa.string()),
        *((reason, pa.string()) for reason in REASONS),
        ("model_version", pa.string()),
    ]
)
"""The scores table as it is served; a file may hold wider or narrower types that fit."""

REMAKE = "Make it anew with `stayworth score`."


@dataclass(frozen=True)
class Lookup:
    """One row of scores per customer."""

    scores: pa.Table
    row_of: dict[str, int]

    def find(self, customer_ids: list[str]) -> tuple[list[dict], list[str]]:
        """The score rows in the order of the ids, `reasons` as a list, and the ids that are not there."""
        known = [one for one in customer_ids if one in self.row_of]
        unknown = [one for one in customer_ids if one not in self.row_of]
        rows = self.scores.take(pa.array([self.row_of[one] for one in known], pa.int64())).to_pylist()
        for row in rows:
            reasons = [row.pop(reason) for reason in REASONS]
            row["reasons"] = [reason for reason in reasons if reason is not None]
        return rows, unknown


def load(path: Path) -> Lookup:
    """The lookup over a scores.parquet; a file that cannot be served whole is refused.

    Of several horizons the first in the file is served: the model's own.
    """
    if not path.is_file():
        raise InputError("there is no such file of scores", where=str(path), next=REMAKE)
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"this is no readable Parquet file ({error})", where=str(path), next=REMAKE) from error

    missing = [name for name in COLUMNS.names if name not in table.column_names]
    if missing:
        raise InputError(f"no column {', '.join(missing)}", where=str(path), next=REMAKE)
    if pa.types.is_primitive(id_type := table.schema.field("customer_id").type):
        raise InputError(f"customer_id is {id_type}, and ids are text", where=str(path), next=REMAKE)
    try:
        table = table.select(COLUMNS.names).cast(COLUMNS).combine_chunks()
    except pa.ArrowException as error:
        raise InputError(f"a column has the wrong type ({error})", where=str(path), next=REMAKE) from error

    for name in COLUMNS.names:
        absent = 0 if name in REASONS else _absent(table[name])
        if absent:
            what = f"{absent:,} of {table.num_rows:,} rows have no {name}"
            raise InputError(f"{what}, or none that is finite", where=str(path), next=REMAKE)
    if table.num_rows:
        table = table.filter(pc.equal(table["horizon_days"], table["horizon_days"][0])).combine_chunks()
    row_of = {customer_id: row for row, customer_id in enumerate(table["customer_id"].to_pylist())}
    if len(row_of) < table.num_rows:
        raise InputError(
            f"{table.num_rows - len(row_of):,} of {table.num_rows:,} rows repeat a customer_id",
            where=str(path),
            next="Serve the scores of one day: one row per customer.",
        )
    return Lookup(table, row_of)


def _absent(column: pa.ChunkedArray) -> int:
    """How many values are null, or not finite."""
    if pa.types.is_floating(column.type):
        return pc.sum(pc.invert(pc.fill_null(pc.is_finite(column), False))).as_py() or 0
    return column.null_count
