"""A log in as many parts as memory requires: customers in the order of their ids, each whole in one part."""

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
TABLES = ("orders", "interactions")
"""The tables whose rows make histories."""


def duckdb_memory_bytes(memory_bytes: int) -> int:
    """DuckDB's share of the memory, to read, join and split."""
    return max(memory_bytes // 4, 200_000_000)


def histories_in_parts(opened: Reading, *, memory_bytes: int) -> Iterator[tuple[Histories, Tally]]:
    """Build the histories of an open log part by part, without what the table `customers` says."""
    tables = [table for table in TABLES if table in opened.judged]
    rows = sum(group.rows for table in tables for group in opened.judged[table] if group.reason is None)
    room = max(memory_bytes - FIXED_BYTES - duckdb_memory_bytes(memory_bytes), 50_000_000)
    parts = math.ceil(rows * ROW_BYTES / room)
    if parts <= 1:
        yield histories_of(opened, "usable_orders", "usable_interactions", None)
        return
    part = " + ".join(
        ["0", *(f"(customer_id > {quoted(last)})::int" for last in _last_ids(opened, tables, parts)[:-1])]
    )
    with tempfile.TemporaryDirectory(prefix="stayworth-parts-", dir=opened.scratch) as folder:
        for table in tables:
            # Small groups of rows keep the writers' buffers, one per part and thread, within bounds.
            opened.db.execute(f"""
                copy (select *, {part} as part from usable_{table}) to {quoted(Path(folder) / table)}
                (format parquet, partition_by (part), compression lz4_raw, row_group_size 30000)""")
        for number in range(parts):
            files = {table: Path(folder) / table / f"part={number}" for table in tables}
            if not files["orders"].exists():
                continue
            relations = {
                table: f"(select * from read_parquet({quoted(path / '*.parquet')}, hive_partitioning=false))"
                if path.exists()
                else f"(select * from usable_{table} limit 0)"
                for table, path in files.items()
            }
            yield histories_of(opened, relations["orders"], relations.get("interactions", ""), None)


def _last_ids(opened: Reading, tables: list[str], parts: int) -> list[str]:
    """The last id of each part, the parts of about the same number of rows."""
    ids = " union all ".join(f"select customer_id from usable_{table}" for table in tables)
    return [
        last
        for (last,) in opened.rows(f"""
            with counts as (select customer_id, count(*) as rows from ({ids}) group by customer_id),
            summed as (select *, sum(rows) over (order by customer_id) as until from counts)
            select max(customer_id) from summed
            group by (until - 1) * {parts} // (select sum(rows) from counts) order by 1""")
    ]
