"""Columns of a request's rows, typed: ids are text, numbers numbers, times ISO 8601; all else is refused by its place.

A value is never shown: it may be somebody's id.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from features.errors import InputError
from features.ingest.cleaning import EPOCH_1900

ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
EXAMPLE = "Write it as ISO 8601 with its offset, e.g. 2011-10-17T18:05:00Z."
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BadRequest(InputError):
    """A request that cannot be scored as it is; it says whose row, which one and what is wrong with it."""


@dataclass(frozen=True)
class RequestRows:
    """The orders of all customers of a request, one after the other; or their interactions."""

    what: str
    """order or interaction."""
    rows: list[Mapping[str, Any]]
    of: list[int]
    """The place of each row's customer in the request."""

    @classmethod
    def of_each(cls, what: str, tables: Sequence[Sequence[Mapping[str, Any]]]) -> "RequestRows":
        """From the rows of each customer."""
        return cls(
            what, [row for one in tables for row in one], [place for place, one in enumerate(tables) for _ in one]
        )

    @cached_property
    def columns(self) -> frozenset[str]:
        """Those that any of the rows has."""
        return frozenset[str]().union(*self.rows)

    def texts(self, name: str, *, required: bool = False) -> list[str | None]:
        """None where there is none; an empty one is none."""
        values = [row.get(name) for row in self.rows]
        if not {*map(type, values)} <= {str, type(None)} or not is_unicode("".join(filter(None, values))):
            self.refuse(values, lambda one: not (one is None or is_text(one)), f"{name} is not text")
        if required:
            self.refuse(values, lambda one: not one, f"no {name}")
        return [one or None for one in values]

    def numbers(self, name: str, *, most: float, required: bool = False) -> np.ndarray:
        """float64, no further than `most` from 0; NaN where there is none."""
        values = [row.get(name) for row in self.rows]
        if not {*map(type, values)} <= {int, float, type(None)}:
            self.refuse(values, lambda one: not (one is None or is_number(one)), f"{name} is not a number")
        if required:
            self.refuse(values, lambda one: one is None, f"no {name}")
        if not all(-most <= one <= most for one in values if one is not None):
            self.refuse(values, lambda one: one is not None and one != one, f"{name} is not a number")
            self.refuse(values, lambda one: one is not None and not -most <= one <= most, f"{name} too large")
        return np.array([np.nan if one is None else one for one in values], np.float64)

    def instants(self, name: str, *, naive_is_utc: bool, otherwise: np.ndarray | None = None) -> np.ndarray:
        """Microseconds UTC; `otherwise` where there is none."""
        values = [row.get(name) or None for row in self.rows]
        if otherwise is None:
            self.refuse(values, lambda one: one is None, f"no {name}")
        moments = [None if one is None else moment_of(one) for one in values]
        if moments.count(None) != values.count(None):
            wrong = [one is None and value is not None for one, value in zip(moments, values, strict=True)]
            self.refuse(wrong, bool, f"{name} is not a time", next=EXAMPLE)
        if not naive_is_utc:
            self.refuse(
                moments, lambda one: one is not None and one.tzinfo is None, f"{name} has no zone", next=EXAMPLE
            )
        other = np.zeros(len(values), np.int64) if otherwise is None else otherwise
        us = [then if one is None else microseconds_of(one) for one, then in zip(moments, other.tolist(), strict=True)]
        if us and min(us) < EPOCH_1900:
            self.refuse(us, lambda one: one < EPOCH_1900, f"{name} before 1900")
        return np.array(us, np.int64)

    def refuse(self, values: Sequence[Any], is_bad: Callable[[Any], bool], what: str, *, next: str = "") -> None:
        """Raise BadRequest where any of the values, one per row, is bad."""
        bad = [place for place, one in enumerate(values) if is_bad(one)]
        if bad:
            customer = self.of[bad[0]]
            row = bad[0] - self.of.index(customer) + 1
            count = f" in {len(bad):,} of {len(values):,} {self.what}s, this the first" if len(bad) > 1 else ""
            raise BadRequest(what + count, where=f"customer {customer + 1}, {self.what} {row}", next=next)


def is_text(value: object) -> bool:
    """Whether it is a text that can be written as UTF-8."""
    return isinstance(value, str) and is_unicode(value)


def is_unicode(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, which JSON can spell."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_number(value: object) -> bool:
    """Whether it is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def moment_of(value: object) -> datetime | None:
    """The moment that an ISO 8601 text or a datetime says; None for anything else."""
    if isinstance(value, datetime):
        return value
    if not (isinstance(value, str) and ISO.fullmatch(value)):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def microseconds_of(moment: datetime) -> int:
    """Since 1970; a moment without a zone is UTC.

    >>> microseconds_of(datetime(1970, 1, 1, 0, 0, 1))
    1000000
    """
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
