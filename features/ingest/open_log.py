"""An open log: its tables as views in DuckDB, and what was found out about them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from features.histories.attributes import AttributeKind, used_attributes
from features.ingest.column_sql import Types
from features.ingest.log import Log
from features.ingest.notation.styles import Styles
from features.ingest.schema import ORDERS


class JudgedRows(NamedTuple):
    """The rows of a table with one reason (None: usable), and their money."""

    reason: str | None
    rows: int
    micros: int
    """Millionths of a currency unit."""
    cents: int
    refunds: int
    """Rows with a negative amount among them."""
    refund_cents: int
    latest_us: int | None


class Judged(NamedTuple):
    """The rows of a log by table and reason."""

    tables: dict[str, list[JudgedRows]]
    malformed: dict[str, int]
    """Table → the malformed lines of its CSV files."""
    currency: str


@dataclass(frozen=True)
class Reading:
    """An open log: the views `rows_<table>` (judged) and `usable_<table>` (usable rows, as numbers) of its tables."""

    db: duckdb.DuckDBPyConnection
    log: Log
    types: dict[str, Types]
    """Table → our column → its DuckDB type."""
    scratch: Path
    """A folder that vanishes with the reading."""
    before_us: int | None = None
    """Rows from then on are left out."""
    judged: dict[str, list["JudgedRows"]] = field(default_factory=dict)
    """Table → its rows by reason."""
    channels: list[str] = field(default_factory=list)
    """The channels of the orders, ascending: their codes are their places."""
    notes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Table → how its files are read, where that is not self-evident."""
    styles: dict[str, Styles] = field(default_factory=dict)
    """Table → how its columns are written."""
    attribute_kinds: dict[str, AttributeKind] = field(default_factory=dict)
    """What the declared attributes of the customers hold, the unused ones too."""
    kinds: dict[str, int] = field(default_factory=dict)
    """The kinds of interaction, ascending, and when each was first known (microseconds)."""

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """All rows of a query's result."""
        return self.db.sql(query).fetchall()

    def where(self, table: str) -> str:
        """The place of a table, for a message."""
        return self.log.source(table).label(table)

    def malformed(self, table: str) -> int:
        """The number of malformed lines in a table's CSV files."""
        return self.rows(f"select count(*) from malformed_{table}")[0][0]

    def counted(self) -> Judged:
        """Its rows by table and reason, the malformed ones too."""
        return Judged(self.judged, {table: self.malformed(table) for table in self.judged}, self.log.currency)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The columns of the customers that are features."""
        return tuple(used_attributes(self.attribute_kinds))

    @property
    def contractual(self) -> bool:
        """True if it says which customers left when."""
        return "left_at" in self.types.get("customers", {})

    @property
    def present(self) -> frozenset[str]:
        """The columns of its orders; and `interactions`, and their `value`, if it has them."""
        more = {"interactions", "value"} & {*self.types, *self.types.get("interactions", {})}
        return frozenset(self.types["orders"].keys() & ORDERS.keys()) | more
