"""A shop's log: the places of its tables and the way they are written."""

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
    """Contacts of campaigns; not part of the histories."""
    costs: TableLike | None = None
    """Costs of customers; not part of the histories."""
    mapping: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Table → our column name → theirs."""
    timezone: str | None = None
    """The zone of times written without one; None if there are none."""
    time_format: str | None = None
    """strptime format of times that are not ISO."""
    exclude_products: tuple[str, ...] = ()
    """SQL LIKE patterns of products that are not purchases."""

    def extra(self, table: str) -> tuple[str, ...]:
        """The columns wanted of a table beyond its schema's."""
        return self.attributes if table == "customers" else ()

    @cached_property
    def tables(self) -> dict[str, TableSource]:
        """The tables of the histories that are given, by name."""
        given = {"orders": self.orders, "interactions": self.interactions, "customers": self.customers}
        return {table: parse_source(source) for table, source in given.items() if source is not None}

    @cached_property
    def books(self) -> dict[str, TableSource]:
        """The side tables that are given, by name."""
        given = {"treatments": self.treatments, "costs": self.costs}
        return {table: parse_source(source) for table, source in given.items() if source is not None}

    def source(self, table: str) -> TableSource:
        """The source of a table that is given."""
        return (self.tables | self.books)[table]
