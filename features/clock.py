"""Days and microseconds: every time inside Stayworth is UTC microseconds, every cut-off a midnight.

Nothing here reads the clock; `as_of` comes from the caller.
"""

from datetime import UTC, date, datetime

import numpy as np

from features.errors import InputError

DAY = 86_400_000_000
"""Microseconds in a day."""

YEAR_DAYS = 365
"""Days in a year: the one definition for rates per year; a lifetime of 1095 days is three years."""


def parse_day(text: str) -> date:
    """The day written as YYYY-MM-DD.

    >>> parse_day("2011-12-01")
    datetime.date(2011, 12, 1)
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"'{text}' is not a day", next="Write it as YYYY-MM-DD, e.g. 2011-12-01.") from None


def microseconds(day: date) -> int:
    """Midnight UTC of `day`, in microseconds since 1970.

    >>> microseconds(date(1970, 1, 2)) == DAY
    True
    """
    return (day - date(1970, 1, 1)).days * DAY


def day_of(us: int) -> date:
    """The UTC day that holds the instant `us`.

    >>> day_of(microseconds(date(2011, 12, 1)) + 5)
    datetime.date(2011, 12, 1)
    """
    return datetime.fromtimestamp(us // DAY * 86_400, UTC).date()


def cut_offs(days: list[date]) -> np.ndarray:
    """Distinct cut-offs in ascending order, int64 microseconds."""
    return np.unique(np.array([microseconds(day) for day in days], dtype=np.int64))
