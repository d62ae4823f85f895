"""A log larger than memory: split by a hash of the customer into buckets on disk, each read like a small log."""

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

from features.histories.columns import Histories
from features.ingest.build_histories import histories_of
from features.ingest.csv_checks import quoted
from features.ingest.open_log import Reading
from features.ingest.reconciliation import Tally

ROW_BYTES = 220
"""Peak memory per row of the log while histories are built, all copies together (measured)."""
FIXED_BYTES = 700_000_000
"""Memory that does not grow with the log: libraries, compiled code, chunks of rows being written."""


def duckdb_memory_bytes(memory_bytes: int) -> int:
    """DuckDB's share of the memory, to read, join and split."""
    return max(memory_bytes // 4, 200_000_000)


def split_into_buckets(opened: Reading, *, memory_bytes: int) -> Iterator[tuple[Histories, Tally]]:
    """Build the histories of the log in as many parts as memory requires, each customer whole in one part."""
    rows = sum(group.rows for judged in opened.judged.values() for group in judged if group.reason is None)
    room = max(memory_bytes - FIXED_BYTES - duckdb_memory_bytes(memory_bytes), 50_000_000)
    parts = math.ceil(rows * ROW_BYTES / room)
    if parts <= 1:
        yield histories_of(opened, "usable_orders", "usable_interactions")
        return
    with tempfile.TemporaryDirectory(prefix="stayworth-buckets-", dir=opened.scratch) as folder:
        for table in opened.judged:
            # Small groups of rows keep the writers' buffers, one per bucket and thread, within bounds.
            opened.db.execute(f"""
                copy (select *, (hash(customer_id) % {parts})::int as bucket from usable_{table})
                to {quoted(Path(folder) / table)}
                (format parquet, partition_by (bucket), compression lz4_raw, row_group_size 30000)""")
        for bucket in range(parts):
            files = {table: Path(folder) / table / f"bucket={bucket}" for table in opened.judged}
            if not files["orders"].exists():
                continue
            relations = {
                table: f"(select * from read_parquet({quoted(path / '*.parquet')}, hive_partitioning=false))"
                if path.exists()
                else f"(select * from usable_{table} limit 0)"
                for table, path in files.items()
            }
            yield histories_of(
                opened, relations["orders"], relations.get("interactions", ""), relations.get("customers", "")
            )
