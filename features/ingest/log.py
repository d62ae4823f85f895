"""A shop's log: the places of its tables and the way they are written."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Self

from features.histories.attributes import AttributeKind
from features.ingest.notation.styles import Styles
from features.ingest.read_options import ReadOptions
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
    attribute_kinds: Mapping[str, AttributeKind] = field(default_factory=dict)
    """What attributes hold, as a model learned them; what is not here is read off the table."""
    treatments: TableLike | None = None
    """Contacts of campaigns; not part of the histories."""
    costs: TableLike | None = None
    """Costs of customers; not part of the histories."""
    mapping: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Table → our column name → theirs."""
    timezone: str | None = None
    """The zone of times written without one; None if there are none."""
    time_format: str | tuple[str, ...] | None = None
    """strptime format of times that are not ISO, of every table; one of its own is in `read`."""
    read: Mapping[str, ReadOptions] = field(default_factory=dict)
    """Table → how it is read, as far as the user says it."""
    styles: Mapping[str, Styles] = field(default_factory=dict)
    """Table → how its columns are written, where that was found out before; a table that is not here is looked at."""
    exclude_products: tuple[str, ...] = ()
    """SQL LIKE patterns of products that are not purchases."""

    def to_json(self) -> str:
        """The log as text, for another process; its tables must be in files or a database, not frames."""
        parts = [part.name for part in fields(self) if part.name != "styles"]
        return json.dumps({name: getattr(self, name) for name in parts}, default=_as_json)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The log that `to_json` wrote."""
        values = json.loads(text)
        places = ("orders", "interactions", "customers", "treatments", "costs")
        sources = {table: parse_source(values[table]) for table in places if values[table] is not None}
        values |= {name: tuple(values[name]) for name in ("attributes", "exclude_products")}
        values["attribute_kinds"] = {
            name: AttributeKind(**_tuples(kind)) for name, kind in values.get("attribute_kinds", {}).items()
        }
        values["read"] = {table: ReadOptions(**_tuples(options)) for table, options in values.get("read", {}).items()}
        return cls(**_tuples(values) | sources)

    def options(self, table: str) -> ReadOptions:
        """How a table is read."""
        return self.read.get(table) or ReadOptions()

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


def _as_json(value: Any) -> Any:
    return asdict(value) if isinstance(value, ReadOptions | AttributeKind) else str(value)


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    """Lists as tuples, which JSON does not know."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
