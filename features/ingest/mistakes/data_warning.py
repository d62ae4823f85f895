"""A mistake that a table may have: what it is, how many rows have it, and the line of the config that mends it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DataWarning:
    """A finding of `stayworth check`."""

    code: str
    message: str
    """A sentence with the count, the money where there is some, and an example."""
    table: str
    column: str | None
    rows: int
    fix: str
    """A line of the config, or what to do where none helps."""


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "row"), plural(1200, "row")
    ('1 row', '1,200 rows')
    """
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def columns_line(table: str, setting: str) -> str:
    """A line of the section [columns.<table>]."""
    return f"[columns.{table}] {setting}"


def read_line(table: str, setting: str) -> str:
    """A line of the section [read.<table>]."""
    return f"[read.{table}] {setting}"
