"""A shop's log: where its tables are and how they are written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from features.ingest.table_source import TableLike, TableSource, parse_source


@dataclass(frozen=True)
class Log:
    """The tables of a shop, each a file, folder, glob, database URL or frame. Only `orders` is required."""

    orders: TableLike
    currency: str
    """ISO 4217; one for the whole log."""
    gross_margin: float
    """Share of an amount that is margin, used where `cost` is absent."""
    interactions: TableLike | None = None
    customers: TableLike | None = None
    attributes: tuple[str, ...] = ()
    """Columns of `customers` that are features."""
    treatments: TableLike | None = None
    """What campaigns did; not a part of the histories."""
    costs: TableLike | None = None
    """What customers cost; not a part of the histories."""
    mapping: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Table → our column name → theirs."""
    timezone: str | None = None
    """The zone of times written without one; None if there are none."""
    time_format: str | None = None
    """strptime format of times that are not ISO."""
    exclude_products: tuple[str, ...] = ()
    """SQL LIKE patterns of products that are no purchases."""

    def extra(self, table: str) -> tuple[str, ...]:
        """The columns wanted of a table beside its schema's."""
        return self.attributes if table == "customers" else ()

    @cached_property
    def tables(self) -> dict[str, TableSource]:
        """The tables of the histories that are given, by name."""
        given = {"orders": self.orders, "interactions": self.interactions, "customers": self.customers}
        return {table: parse_source(source) for table, source in given.items() if source is not None}

    @cached_property
    def books(self) -> dict[str, TableSource]:
        """The tables beside the histories that are given, by name."""
        given = {"treatments": self.treatments, "costs": self.costs}
        return {table: parse_source(source) for table, source in given.items() if source is not None}

    def source(self, table: str) -> TableSource:
        """Where a table that is given comes from."""
        return (self.tables | self.books)[table]
