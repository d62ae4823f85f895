"""Write the rows of a log into the store: its sorted histories, its account and its quarantine.

<column>.bin            a column of the histories (features/history_store/column_files.py)
customer_ids.arrow      the ids of their customers
quarantine.rows         the rows that cannot be used (Parquet)
<table>-<n>.rows        the cells of a table in plain form (Parquet), so that files can be added to it; not of
                        Parquet files, which are read again as quickly
"""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.histories.columns import Columns, Histories
from features.history_store.column_files import SAME, ColumnWriter, MappedColumns
from features.history_store.entry import Draft
from features.history_store.parts import TABLES, histories_in_parts
from features.ingest.build_histories import no_order
from features.ingest.column_sql import Types
from features.ingest.csv_checks import identifier, quoted
from features.ingest.mistakes.unused_names import PREFIX
from features.ingest.open_log import Reading
from features.ingest.reconciliation import quarantine
from features.ingest.table_checks import FUTURE

IDS = "customer_ids.arrow"
QUARANTINE = "quarantine.rows"


def write_rows(opened: Reading, draft: Draft, *, memory_bytes: int) -> None:
    """Write the orders and interactions of an open log, and what was found out about them."""
    tables = [table for table in TABLES if table in opened.judged]
    ids: list[pa.Array] = []
    with ColumnWriter(draft.folder, known_at_once=known_at_once(opened)) as writer:
        for histories, _ in histories_in_parts(opened, memory_bytes=memory_bytes):
            ids.append(histories.customer_ids)
            writer.add(histories.columns)
            del histories  # before the next part is read
    finish_columns(draft, writer, ids)
    if not draft.about["customers"]:
        raise no_order(opened)
    write_tables(draft.folder / QUARANTINE, quarantine(opened, tables, with_place=True))
    cells = {table: [name] for table in tables if (name := _keep_cells(opened, table, draft.folder))}
    draft.about |= {
        "judged": {table: opened.judged[table] for table in tables},
        "malformed": {table: opened.malformed(table) for table in tables},
        "types": {table: _types(opened, table) for table in tables},
        "notes": {table: opened.notes[table] for table in tables},
        "styles": {table: opened.styles[table].to_json() for table in tables},
        "cells": cells,
        "present": sorted(opened.present),
        "channels": list(opened.channels),
        "kinds": opened.kinds,
        "before_us": opened.before_us,
        "future_us": {table: first_in_future(opened, table) for table in tables},
    }


def finish_columns(draft: Draft, writer: ColumnWriter, ids: list[pa.Array]) -> None:
    """Write the ids, and note how the columns are written and which days they have; after the columns."""
    together = pa.concat_arrays(ids) if ids else pa.array([], pa.string())
    write_arrow(draft.folder / IDS, pa.record_batch({"customer_id": together}))
    draft.hashes |= writer.hashes()
    draft.about |= {"columns": writer.described(), "ids": IDS, "customers": len(together)}
    if len(together):
        columns = MappedColumns(draft.folder, draft.about["columns"]).columns
        histories = Histories(together, columns, 1)
        draft.about |= {"first_day": histories.first_day.isoformat(), "end": histories.end.isoformat()}


def known_at_once(opened: Reading) -> list[str]:
    """The columns of times of knowing that equal the times themselves, as the log has no `recorded_at`."""
    of_interactions = "recorded_at" in opened.types.get("interactions", {})
    of_orders = "recorded_at" in opened.types["orders"]
    return [name for name in SAME if not (of_interactions if name.startswith("interaction") else of_orders)]


def netted(columns: Columns) -> tuple[int, int]:
    """The number of refunds that were netted to their order, and their minor units."""
    is_netted = (columns.adjustment_cents < 0) & (columns.adjusted_order >= 0)
    return int(is_netted.sum()), int(columns.adjustment_cents[is_netted].sum())


def first_in_future(opened: Reading, table: str) -> int | None:
    """The earliest time of the rows that were set aside as dated in the future: from then on they would not be."""
    if not any(group.reason == FUTURE[table] for group in opened.judged[table]):
        return None
    first: int = opened.rows(f"select min(at_us) from rows_{table} where reason = {quoted(FUTURE[table])}")[0][0]
    return first


def _keep_cells(opened: Reading, table: str, folder: Path) -> str | None:
    """Write the cells of a table to which files can be added; returns the name of the file, or None."""
    if opened.log.options(table).reads_orders_whole or not opened.log.source(table).may_grow():
        return None
    if opened.rows(f"select 1 from duckdb_views() where view_name = 'loaded_{table}'"):
        return None
    write_cells(opened.db, table, _types(opened, table), folder / cells_name(table, 0))
    return cells_name(table, 0)


def cells_name(table: str, number: int) -> str:
    """The name of a file of cells."""
    return f"{table}-{number}.rows"


def _types(opened: Reading, table: str) -> Types:
    """The columns of a table without those of which nothing is made."""
    return {name: kind for name, kind in opened.types[table].items() if not name.startswith(PREFIX)}


def write_cells(db: duckdb.DuckDBPyConnection, table: str, types: Types, path: Path) -> None:
    """Write the cells of these columns of a table in plain form; dictionaries would take a third of the time."""
    columns = ", ".join(["file", "row", *map(identifier, types)])
    how = "format parquet, compression lz4_raw, dictionary_size_limit 1"
    try:
        db.execute(f"copy (select {columns} from raw_{table}) to {quoted(path)} ({how})")
    except duckdb.Error as error:
        raise OSError(f"{path}: {str(error).splitlines()[0]}") from None


def write_tables(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write tables to a Parquet file; the first gives its columns."""
    first = next(tables)
    with pq.ParquetWriter(path, first.schema, compression="lz4") as file:
        file.write_table(first)
        for table in tables:
            file.write_table(table)


def write_arrow(path: Path, batch: pa.RecordBatch) -> None:
    """Write a table so that it can be mapped."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)


def read_arrow(path: Path) -> pa.Table:
    """Map a table that `write_arrow` wrote."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
