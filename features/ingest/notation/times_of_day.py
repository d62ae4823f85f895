"""Times of day in a column of their own, and days that carry no time."""

import re
from collections.abc import Iterable

from features.ingest.notation.number_style import is_null_word

TIME_OF_DAY = re.compile(
    r"(?:(?:1899|1900|1970)-\d\d-\d\d[T ])?(?:[01]?\d|2[0-4])[:.h][0-5]\d(?:[:.][0-5]\d(?:[.,]\d+)?)?"
    r"(?: ?[AaPp]\.?[Mm]\.?)?"
    r"|(?:[01]?\d|2[0-3])[0-5]\d(?:[0-5]\d)?|0?\.\d+|0"
)
"""17:50, 05:50:00 PM, 175000 or a part of a day."""
CLOCK = re.compile(r"\d[:.h][0-5]\d(?!\d|[./-]\d)|\d[T ]\d{4,6}\b")
MIDNIGHT = re.compile(r"[T ]0?0:00(?::00(?:\.0+)?)?|12:00(?::00)? ?AM")


def are_times_of_day(cells: Iterable[str]) -> bool:
    """True if all cells are times of day.

    >>> are_times_of_day(["05:50 PM", "11:05 AM"]), are_times_of_day(["175000", "93000"]), are_times_of_day(["2.5 h"])
    (True, True, False)
    """
    given = [cell.strip() for cell in cells if not is_null_word(cell)]
    lengths = {len(cell) for cell in given if cell.isdigit()}
    has_lost_zeros = max(lengths, default=0) > 4 >= min(lengths, default=0)  # 159 may be 1:59 or a minute past midnight
    return bool(given) and not has_lost_zeros and all(TIME_OF_DAY.fullmatch(cell) for cell in given)


def has_time(cell: str) -> bool:
    """True for a day with a time other than midnight.

    >>> has_time("25.06.2024"), has_time("2024-06-25 00:00:00"), has_time("2024-06-25 17:50")
    (False, False, True)
    """
    return CLOCK.search(MIDNIGHT.sub("", cell)) is not None
