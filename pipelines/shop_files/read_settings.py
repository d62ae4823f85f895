"""The sections `[read.<table>]` of the config: how a shop's file is written, where it is not read off the file."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from features.ingest.read_options import ReadOptions
from features.ingest.schema import TABLES


class Section(BaseModel):
    """A section of the config: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReadTable(Section):
    """How a table is read; what is not set is read off the table, and `stayworth check` says what was found."""

    delimiter: str | None = Field(default=None, min_length=1, max_length=4)
    """The character between two columns of a CSV file."""
    encoding: str | None = None
    """The encoding of a CSV file: utf-8, cp1252, utf-16, …"""
    header_line: int | None = Field(default=None, ge=1)
    """The line with the names of the columns, from 1, where other lines stand above it."""
    sheet: str | tuple[str, ...] | None = None
    """The sheet of a workbook, or several; "*" for all with the same columns. The first with a table, if not set."""
    where: str | None = None
    """SQL on the table's own columns: rows for which it is not true are left out, and counted. Text is in single
    quotes, a name with blanks in double ones: \"Financial Status\" not in ('voided', 'refunded')."""
    ids: Literal["exact", "lower", "number"] = "exact"
    """lower: customers' ids that differ in capitals or outer blanks only are the same; number: those that differ in
    leading zeros or a `.0` too. Set it for every table."""
    decimal: Literal[".", ","] | None = None
    """The mark before the decimals, where the numbers do not show it: 1.250."""
    thousands: Annotated[str, Field(max_length=3)] | None = None
    """The mark between thousands; \"\" for none."""
    time_format: str | tuple[str, ...] | None = None
    """As time.format, for this table."""
    time_of_day: str | None = None
    """The table's column of times of day, where its days stand in a column of their own."""
    amount_in: Literal["units", "cents"] = "units"
    """cents: all money of the table is written in minor units, such as cents."""
    amount_of: Literal["line", "order"] = "line"
    """order: the amount is the total of the order, and stands on its first line or on each of its lines."""
    repeated_lines: Literal["keep", "drop"] = "keep"
    """drop: a line that is equal to an earlier one in all columns counts once."""
    refunded: str | None = None
    """The table's column of money given back, which is taken off the amount."""
    profit: str | None = None
    """The table's column of profit or margin, where it has no cost."""
    rate: str | None = None
    """The table's column of exchange rates: units of money.currency for a unit of the row's currency."""
    discount_in: Literal["units", "percent", "share"] = "units"
    """percent, share: the discount is a part of the price (10 or 0.10), not money."""


class Read(Section):
    """How each table is written, where it is not read off the table."""

    orders: ReadTable = ReadTable()
    """The table `orders`."""
    interactions: ReadTable = ReadTable()
    """The table `interactions`."""
    customers: ReadTable = ReadTable()
    """The table `customers`."""
    treatments: ReadTable = ReadTable()
    """The table `treatments`."""
    costs: ReadTable = ReadTable()
    """The table `costs`."""

    @property
    def options(self) -> dict[str, ReadOptions]:
        """The settings of each table that has any."""
        tables = {table: getattr(self, table) for table in TABLES}
        return {
            table: ReadOptions(**settings.model_dump())
            for table, settings in tables.items()
            if settings.model_fields_set
        }
