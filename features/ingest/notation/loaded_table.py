"""A table in DuckDB as its files are written, before its columns are understood."""

from collections.abc import Iterable
from typing import NamedTuple

import duckdb

from features.histories.attributes import AttributeKind
from features.ingest.csv_checks import identifier
from features.ingest.log import Log

HEAD = 5_000
"""Cells that are looked at first."""
MORE = 20_000
"""Cells from anywhere in the column that decide a style."""


class Loaded(NamedTuple):
    """A table in DuckDB, `loaded_<table>`, under our column names, its cells as written."""

    db: duckdb.DuckDBPyConnection
    table: str
    types: dict[str, str]
    where: str
    """The place of the table, for a message."""
    is_view: bool
    """True if the rows are read where they are, as often as they are asked for."""
    notes: dict[str, str]
    """How its files are read, where that is not self-evident."""
    attributes: dict[str, AttributeKind]
    """What the attributes among its columns hold, once it is settled."""

    def cells(self, column: str, condition: str = "true", *, most: int, is_distinct: bool = False) -> list[str]:
        """Cells of a column as text, the first ones for which the condition holds."""
        name = identifier(column)
        rows = f"select {name}::text as cell from loaded_{self.table} where {name} is not null"
        return self._fetched(f"select {'distinct' * is_distinct} cell from ({rows}) where {condition} limit {most}")

    def anywhere(self, column: str) -> list[str]:
        """Cells from anywhere in the column, the same each time."""
        name = identifier(column)
        rows = f"select {name}::text as cell from loaded_{self.table} where {name} is not null"
        return self._fetched(f"select cell from ({rows}) using sample reservoir({MORE} rows) repeatable (7)")

    def _fetched(self, query: str) -> list[str]:
        return self.db.sql(query).to_arrow_table()["cell"].to_pylist()

    def is_text(self, column: str) -> bool:
        """True for a column of text."""
        return self.types.get(column) == "VARCHAR"


def apart_from_attributes(loaded: Loaded, log: Log, names: Iterable[str]) -> list[str]:
    """The columns that are not read as attributes, in their order."""
    return [name for name in names if name == "customer_id" or name not in log.extra(loaded.table)]
