"""Parse the columns of a request's rows: text ids, numbers, ISO 8601 times; anything else is refused by its place.

A value is never shown: it may be a customer's id.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from features.errors import InputError
from features.ingest.cleaning import EPOCH_1900, HALF_DAY_US, HALF_HOUR_US, PLACEHOLDERS

ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
EXAMPLE = "Write it as ISO 8601 with its offset, e.g. 2011-10-17T18:05:00Z."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadRequest(InputError):
    """A request that cannot be scored as it is: names the customer, the row and the fault."""


@dataclass(frozen=True)
class RequestRows:
    """The orders of all customers of a request, one after another; or their interactions."""

    what: str
    """order or interaction."""
    rows: list[Mapping[str, Any]]
    of: list[int]
    """The place of each row's customer in the request."""

    @classmethod
    def of_each(cls, what: str, tables: Sequence[Sequence[Mapping[str, Any]]]) -> "RequestRows":
        """Join the rows of each customer."""
        return cls(
            what, [row for rows in tables for row in rows], [place for place, rows in enumerate(tables) for _ in rows]
        )

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns that any row has."""
        return frozenset[str]().union(*self.rows)

    def texts(self, name: str, *, required: bool = False) -> list[str | None]:
        """A column of texts; None where a text is missing or empty."""
        values = [row.get(name) for row in self.rows]
        if not {*map(type, values)} <= {str, type(None)} or not is_unicode("".join(filter(None, values))):
            self.refuse(values, lambda value: not (value is None or is_text(value)), f"{name} is not text")
        if required:
            self.refuse(values, lambda value: not value, f"no {name}")
        return [value or None for value in values]

    def numbers(self, name: str, *, most: float, required: bool = False) -> np.ndarray:
        """A column of numbers: float64, from -most to most; NaN where a number is missing."""
        values = [row.get(name) for row in self.rows]
        if not {*map(type, values)} <= {int, float, type(None)}:
            self.refuse(values, lambda value: not (value is None or is_number(value)), f"{name} is not a number")
        if required:
            self.refuse(values, lambda value: value is None, f"no {name}")
        if not all(-most <= value <= most for value in values if value is not None):
            self.refuse(values, lambda value: value is not None and value != value, f"{name} is not a number")
            self.refuse(values, lambda value: value is not None and not -most <= value <= most, f"{name} too large")
        return np.array([np.nan if value is None else value for value in values], np.float64)

    def instants(self, name: str, *, naive_is_utc: bool, otherwise: np.ndarray | None = None) -> np.ndarray:
        """A column of times in microseconds UTC; `otherwise` where a time is missing."""
        values = [row.get(name) or None for row in self.rows]
        if otherwise is None:
            self.refuse(values, lambda value: value is None, f"no {name}")
        moments = [None if value is None else moment_of(value) for value in values]
        if moments.count(None) != values.count(None):
            wrong = [moment is None and value is not None for moment, value in zip(moments, values, strict=True)]
            self.refuse(wrong, bool, f"{name} is not a time", next=EXAMPLE)
        if not naive_is_utc:
            self.refuse(
                moments, lambda value: value is not None and value.tzinfo is None, f"{name} has no zone", next=EXAMPLE
            )
        defaults = np.zeros(len(values), np.int64) if otherwise is None else otherwise
        us = [
            default if moment is None else microseconds_of(moment)
            for moment, default in zip(moments, defaults.tolist(), strict=True)
        ]
        if us and otherwise is None and min(us) <= HALF_DAY_US:
            self.refuse(us, is_placeholder, f"{name} is a placeholder, such as 1970-01-01", next="Leave the row out.")
        if us and min(us) < EPOCH_1900:
            self.refuse(us, lambda value: value < EPOCH_1900, f"{name} before 1900")
        return np.array(us, np.int64)

    def refuse(self, values: Sequence[Any], is_bad: Callable[[Any], bool], what: str, *, next: str = "") -> None:
        """Raise BadRequest where any of the values, one per row, is bad."""
        bad = [place for place, value in enumerate(values) if is_bad(value)]
        if bad:
            customer = self.of[bad[0]]
            row = bad[0] - self.of.index(customer) + 1
            count = f" in {len(bad):,} of {len(values):,} {self.what}s, this the first" if len(bad) > 1 else ""
            raise BadRequest(what + count, where=f"customer {customer + 1}, {self.what} {row}", next=next)


def is_placeholder(us: int) -> bool:
    """True for midnight, in whichever zone, of a day that stands for a missing one.

    >>> is_placeholder(0), is_placeholder(1_000_000)
    (True, False)
    """
    return us % HALF_HOUR_US == 0 and any(abs(us - day) <= HALF_DAY_US for day in PLACEHOLDERS.values())


def is_text(value: object) -> bool:
    """True for a text that can be written as UTF-8."""
    return isinstance(value, str) and is_unicode(value)


def is_unicode(text: str) -> bool:
    """False for a text with half of a surrogate pair, which JSON can spell."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_number(value: object) -> bool:
    """True for a number; true and false are not numbers."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def moment_of(value: object) -> datetime | None:
    """Parse an ISO 8601 text, or pass a datetime on; None for anything else."""
    if isinstance(value, datetime):
        return value
    if not (isinstance(value, str) and ISO.fullmatch(value)):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def microseconds_of(moment: datetime) -> int:
    """Microseconds since 1970; a moment without a zone is UTC.

    >>> microseconds_of(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
