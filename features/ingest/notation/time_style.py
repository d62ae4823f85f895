"""Read times as shops write them: day or month first, names of months, am and pm, offsets, seconds since 1970.

The formats of a column are read off its cells. `03/04/2024` is the third of April or the fourth of March: a cell with
a day above 12 decides for the column, and where there is none, the style is ambiguous, and the caller has to ask.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from features.ingest.notation.number_style import is_null_word
from features.ingest.notation.time_words import MONTH_OF, plain_words, split_zone

ISO = re.compile(
    r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
    r"(?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:[zZ]|UTC|[+-]\d\d(?::?\d\d)?)?)?"
)
UNITS = {"epoch_s": 1, "epoch_ms": 10**3, "epoch_us": 10**6, "epoch_ns": 10**9}
EPOCHS = (631_152_000, 4_102_444_800)
"""1990 to 2100 in seconds: whole numbers in it, or in it times a power of thousand, are moments."""
SERIALS = (20_000, 80_000)
"""1954 to 2119 as a spreadsheet counts days."""
TIME = re.compile(
    r"(\d{1,2})([:.h])(\d\d)(?:([:.])(\d\d)(?:([.,:])(\d{1,6}))?)?([ ]?)([AaPp][Mm])?|(\d\d)(\d\d)(\d\d)?"
)
DATES = (
    (re.compile(r"(\d{4})([-/. ])(\d{1,2})\2(\d{1,2})"), "Ymd"),
    (re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{4})"), "dmY"),
    (re.compile(r"(\d{1,2})([-/. ])(\d{1,2})\2(\d{2})"), "dmy"),
    (re.compile(r"(\d{1,2})([-/. ]*)([A-Za-z]{3,9})([-/. ,]*)(\d{4}|\d{2})"), "dbY"),
    (re.compile(r"([A-Za-z]{3,9})([-/. ]*)(\d{1,2})([-/. ,]+)(\d{4})"), "bdY"),
    (re.compile(r"(\d{4})([-/. ]*)([A-Za-z]{3,9})([-/. ]*)(\d{1,2})"), "Ybd"),
    (re.compile(r"(\d{4})(\d\d)(\d\d)"), "compact"),
)
SEPARATORS = re.compile(r"[T ,:_]+(?:at |um |- )?|-(?=\d\d[.:])")
MOST_FORMATS = 6
"""The formats that one column may mix."""


@dataclass(frozen=True)
class TimeStyle:
    """How a column writes times."""

    formats: tuple[str, ...] = ()
    """strptime formats, the most frequent first; or one of epoch_s, epoch_ms, epoch_us, epoch_ns, excel."""
    has_zone: bool = False
    """True if some cells carry an offset or the name of a zone."""
    has_words: bool = False
    """True if weekdays, foreign months, `a.m.` or the like must be put into plain words first."""

    @property
    def is_plain(self) -> bool:
        """True for ISO times, which need no format."""
        return self == TimeStyle()


@dataclass
class TimeEvidence:
    """What the cells of a column say about its style."""

    styles: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """The possible formats of a cell, day first before month first → cells."""
    day_first: int = 0
    """Cells whose first number is above 12."""
    month_first: int = 0
    """Cells whose second number is above 12."""
    has_zone: bool = False
    has_words: bool = False
    unread: int = 0
    unsure: str = ""
    """A cell in which day and month could be swapped."""
    short: list[tuple[int, int, int]] = field(default_factory=list)
    """The three numbers of dates such as 24-06-25."""

    @property
    def is_year_first(self) -> bool:
        """True if dates of three short numbers begin with the year: it takes few values, the day many."""
        firsts, seconds, thirds = ({numbers[place] for numbers in self.short} for place in range(3))
        return bool(firsts) and len(thirds) > len(firsts) and max(seconds) <= 12 and max(thirds) <= 31

    @property
    def is_decided(self) -> bool:
        return not self.unsure or bool(self.day_first or self.month_first) or self.is_year_first

    def style(self, *, day_first: bool | None = None) -> TimeStyle:
        """The style. day_first: as it was decided elsewhere; None: as the cells say, a date with points day first."""
        first = self.day_first >= self.month_first if day_first is None else day_first
        formats: Counter[str] = Counter()
        for options, cells in self.styles.items():
            form = options[0] if first or len(options) == 1 else options[1]
            if self.is_year_first:
                form = re.sub(r"^%[dm](.)%[dm](.)%y", r"%y\1%m\2%d", form)
            formats[form] += cells
        # A year of two digits is tried first: %Y would read 24 as the year 24.
        ranked = sorted(formats, key=lambda form: ("%y" not in form, -formats[form]))
        return TimeStyle(tuple(ranked[:MOST_FORMATS]), self.has_zone, self.has_words)


def is_iso(cell: str) -> bool:
    """True for an ISO time, with or without an offset at its end.

    >>> is_iso("2024-06-01 12:21:00-04"), is_iso("2024-06-01 05:50 PM")
    (True, False)
    """
    return ISO.fullmatch(cell) is not None


def time_evidence(cells: Iterable[str]) -> TimeEvidence:
    """Read the cells of a column; empty ones and null words say nothing.

    >>> time_evidence(["06/25/2024 05:50 PM", "06/01/2024 11:05 AM"]).style().formats
    ('%m/%d/%Y %I:%M %p',)
    """
    evidence = TimeEvidence()
    for cell in dict.fromkeys(cells):
        if is_null_word(cell):
            continue
        text = plain_words(cell)
        evidence.has_words = evidence.has_words or text != cell
        body, zone = split_zone(text)
        evidence.has_zone = evidence.has_zone or zone is not None
        options = _number_formats(body) or _formats(body, evidence)
        if options:
            evidence.styles[options] += 1
        else:
            evidence.unread += 1
    return evidence


def _number_formats(body: str) -> tuple[str, ...]:
    """The format of a time written as a number; empty for anything else.

    >>> _number_formats("1719337800"), _number_formats("45468.74306"), _number_formats("20240625")
    (('epoch_s',), ('excel',), ('%Y%m%d',))
    """
    match = re.fullmatch(r"(\d+)(?:\.\d*)?(?:[eE]\+?\d+)?", body)
    if not match:
        return ()
    number = float(body)
    for name, unit in UNITS.items():
        if EPOCHS[0] * unit <= number <= EPOCHS[1] * unit:
            return (name,)
    if SERIALS[0] <= number <= SERIALS[1]:
        return ("excel",)
    digits = match[1]
    forms = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    if (
        digits == body
        and len(digits) in forms
        and re.match(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", body)
    ):
        return (forms[len(digits)],)
    return ()


def _formats(body: str, evidence: TimeEvidence) -> tuple[str, ...]:
    """The formats that a cell may have, day first before month first; empty if it is no time."""
    for pattern, order in DATES:
        match = pattern.match(body)
        if not match:
            continue
        options = _date_formats(match, order, evidence)
        rest = body[match.end() :]
        if not options:
            continue
        if not rest:
            return options
        separator = SEPARATORS.match(rest)
        time = _time_format(rest[separator.end() :]) if separator else None
        if separator and time:
            return tuple(form + separator[0].replace("%", "%%") + time for form in options)
    return ()


def _date_formats(match: re.Match[str], order: str, evidence: TimeEvidence) -> tuple[str, ...]:
    parts = match.groups()
    if order == "Ymd":
        first, second = int(parts[2]), int(parts[3])
        sep = parts[1]
        if first > 12 >= second:
            return (f"%Y{sep}%d{sep}%m",)
        return (f"%Y{sep}%m{sep}%d",)
    if order == "compact":
        return ("%Y%m%d",) if 1 <= int(parts[1]) <= 12 else ()
    if order in ("dmY", "dmy"):
        first, sep, second, year = int(parts[0]), parts[1], int(parts[2]), "%Y" if order == "dmY" else "%y"
        if first > 31 or second > 31 or (first > 12 and second > 12):
            return ()
        options = (f"%d{sep}%m{sep}{year}", f"%m{sep}%d{sep}{year}")
        if order == "dmy":
            evidence.short.append((first, second, int(parts[3])))
        if first > 12 or second > 12:
            evidence.day_first += first > 12
            evidence.month_first += second > 12
        elif first != second and sep != ".":
            evidence.unsure = evidence.unsure or match[0]
        return options[:1] if sep == "." and second <= 12 else options
    month = {"dbY": parts[2], "bdY": parts[0], "Ybd": parts[2]}[order]
    if month.lower() not in MONTH_OF or len(month) > 3:
        return ()
    if order == "dbY":
        year = "%Y" if len(parts[4]) == 4 else "%y"
        return (f"%d{parts[1]}%b{parts[3]}{year}",)
    return (f"%b{parts[1]}%d{parts[3]}%Y",) if order == "bdY" else (f"%Y{parts[1]}%b{parts[3]}%d",)


def _time_format(text: str) -> str | None:
    """The strptime format of a time of day; None if it is none."""
    match = TIME.fullmatch(text)
    if not match:
        return None
    hour, sep, minute, sep2, second, dot, fraction, space, half, *compact = match.groups()
    if compact[0]:
        return "%H%M%S" if compact[2] else "%H%M"
    if int(hour) > 24 or int(minute) > 59 or (half and not 1 <= int(hour) <= 12):
        return None
    form = f"{'%I' if half else '%H'}{sep}%M"
    if second:
        form += f"{sep2}%S"
    if fraction:
        form += f"{dot}%f"
    return form + (f"{space}%p" if half else "")
