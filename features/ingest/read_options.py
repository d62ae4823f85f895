"""How a table is read, as far as the user says it: marks of numbers, formats of times, rows to keep, money."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ReadOptions:
    """The settings of a table's section `[read.<table>]`; None: read off the table."""

    delimiter: str | None = None
    encoding: str | None = None
    header_line: int | None = None
    """The line with the names of the columns, from 1."""
    sheet: str | tuple[str, ...] | None = None
    where: str | None = None
    """SQL on the table's own columns; rows for which it is not true are left out, and counted."""
    ids: Literal["exact", "lower", "number"] = "exact"
    """lower: capitals and outer blanks do not count; number: nor do leading zeros and `.0`."""
    decimal: Literal[".", ","] | None = None
    thousands: str | None = None
    time_format: str | tuple[str, ...] | None = None
    """strptime formats, or epoch_s, epoch_ms, epoch_us, epoch_ns or excel."""
    time_of_day: str | None = None
    """The column of the time of day, where the day stands in a column of its own."""
    amount_in: Literal["units", "cents"] = "units"
    """cents: money is written in minor units of the currency."""
    amount_of: Literal["line", "order"] = "line"
    """order: the amount is the total of the order, written on its first line or on each."""
    repeated_lines: Literal["keep", "drop"] = "keep"
    """drop: a line that stands in the table before counts once."""
    refunded: str | None = None
    """The column of money given back, which is taken off the amount."""
    profit: str | None = None
    """The column of the margin, where it is given instead of the cost."""
    rate: str | None = None
    """The column of units of the log's currency per unit of the row's."""
    discount_in: Literal["units", "percent", "share"] = "units"

    @property
    def more_columns(self) -> dict[str, str]:
        """Columns beyond the schema's: our name → theirs."""
        named = {"refunded": self.refunded, "profit": self.profit, "rate": self.rate}
        return {ours: theirs for ours, theirs in named.items() if theirs is not None}

    @property
    def reads_orders_whole(self) -> bool:
        """True if what is made of a row depends on the other rows of the table."""
        return self.amount_of == "order" or self.repeated_lines == "drop"

    @property
    def is_plain(self) -> bool:
        """True if nothing is said about money and rows: the cells are taken as they are read."""
        changes = (self.amount_in, self.amount_of, self.discount_in) != ("units", "line", "units")
        changes = changes or self.repeated_lines == "drop"
        return not (changes or self.where or self.more_columns)
