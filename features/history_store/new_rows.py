"""The rows that came to a table since it was read, and the earlier rows of the same customers, in plain form."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from features.history_store.build_rows import cells_name
from features.history_store.entry import Entry
from features.history_store.grown_files import write_tail
from features.history_store.source_files import Added
from features.ingest import sources
from features.ingest.column_sql import text_of
from features.ingest.csv_checks import identifier, quoted
from features.ingest.duckdb_connection import connect
from features.ingest.log import Log
from features.ingest.notation.canonical import table_styles
from features.ingest.notation.loaded_table import Loaded
from features.ingest.notation.number_style import NumberStyle, number_sql
from features.ingest.notation.styles import Styles
from features.ingest.object_store import object_url
from features.ingest.table_source import Files, TableSource

PLAIN_NOTES = {"delimiter"}
"""What may be said of the reading of a text file whose first line names its columns."""


class CannotAppend(Exception):
    """The new files change more than their customers; the message says what."""


class NewRows(NamedTuple):
    """The rows that came to a table."""

    cells: pa.Table
    """In plain form."""
    customers: pa.Table
    """The ids in them, `id`."""
    malformed: pa.Table


def read_new_rows(log: Log, table: str, added: Added, entry: Entry, folder: Path) -> NewRows:
    """Read what came to a table. Where its cells are kept, the new ones are written beside them."""
    parts = []
    if added.names:
        parts.append(_read(log, table, log.source(table).limited_to(added.names), entry))
    for name, size in added.grown.items():
        parts.append(_read_tail(log, table, name, size, entry))
    rows = NewRows(*(pa.concat_tables(tables) for tables in zip(*parts, strict=True)))
    kept = entry.about["cells"].get(table)
    if kept:
        pq.write_table(rows.cells, folder / cells_name(table, len(kept)), compression="lz4")
    return rows


def _read_tail(log: Log, table: str, name: str, size: int, entry: Entry) -> NewRows:
    """Read what stands in a grown file after its first `size` bytes."""
    if table not in entry.about["cells"] or not set(entry.about["notes"][table]) <= PLAIN_NOTES:
        raise CannotAppend(f"{name} was changed")
    with tempfile.TemporaryDirectory(prefix="stayworth-") as folder:
        tail = Path(folder, Path(name).name)
        if not write_tail(Path(name), size, tail):
            raise CannotAppend(f"{name} was changed")
        rows = _read(log, table, Files(str(tail)), entry)
    if len(rows.malformed):
        raise CannotAppend(f"{name} has malformed lines at its end")
    with connect() as db:
        before = f"select coalesce(max(row), 0) from {_kept_cells(entry, table)} where file = {quoted(name)}"
        offset = db.sql(before).fetchall()[0][0]
        db.register("cells", rows.cells)
        moved = db.sql(f"select * replace ({quoted(name)} as file, row + {offset} as row) from cells").to_arrow_table()
    return rows._replace(cells=moved.cast(rows.cells.schema))


def _read(log: Log, table: str, source: TableSource, entry: Entry) -> NewRows:
    """Read a source of new rows in the way in which the others were read; raises CannotAppend for another way."""
    known, about = entry.about["styles"][table], entry.about
    with connect() as db, sources.readable(source.label(table)):
        opened = sources.read_table(db, table, log, source=source)
        if not _are_read_alike(
            opened.loaded, Styles.from_json(known), table_styles(opened.loaded, log, is_thorough=True)
        ):
            raise CannotAppend("the new rows are written in another way")
        if opened.types != about["types"][table]:
            raise CannotAppend("the new rows have other columns")
        columns = ", ".join(["file", "row", *map(identifier, opened.types)])
        customer = text_of("customer_id", opened.types["customer_id"])
        ids = db.sql(f"select distinct {customer} as id from raw_{table}").to_arrow_table()
        cells = db.sql(f"select {columns} from raw_{table}").to_arrow_table()
        return NewRows(cells, ids, db.sql(f"from malformed_{table}").to_arrow_table())


def _are_read_alike(loaded: Loaded, known: Styles, alone: Styles) -> bool:
    """True if new cells are read in the known styles as in their own: then those of all cells are the known ones.

    A style is told by the cells that leave no choice, so cells that agree with it change nothing. Ids and times are
    told by all of their cells, and have to be the same.
    """
    if alone.ids != known.ids or alone.times != known.times or alone.numbers.keys() - known.numbers.keys():
        return False
    for name, style in known.numbers.items():
        text = f"{identifier(name)}::text"
        both = (number_sql(text, of) for of in (style, alone.numbers.get(name, NumberStyle())))
        readings = " is distinct from ".join(f"try_cast({reading} as double)" for reading in both)
        if loaded.db.sql(f"select 1 from loaded_{loaded.table} where {readings} limit 1").fetchall():
            return False
    return True


def _kept_cells(entry: Entry, table: str) -> str:
    """SQL: the cells of a table that are kept."""
    files = ", ".join(quoted(entry.file(name)) for name in entry.about["cells"][table])
    return f"read_parquet([{files}])"


def old_rows(entry: Entry, log: Log, table: str, customers: pa.Array, new: Sequence[str]) -> pa.Table:
    """The cells of some customers in the files that were read before."""
    customer = text_of("customer_id", entry.about["types"][table]["customer_id"])
    with connect() as db, sources.readable(log.source(table).label(table)):
        db.register("customers", pa.table({"id": customers}))
        relation = f"raw_{table}"
        if entry.about["cells"].get(table):
            relation = _kept_cells(entry, table)
        else:
            old = frozenset(map(object_url, log.source(table).paths())) - set(new)
            sources.read_table(db, table, log, source=log.source(table).limited_to(old))
        return db.sql(f"select * from {relation} where {customer} in (select id from customers)").to_arrow_table()
