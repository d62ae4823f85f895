"""Attributes of customers: what each column of the table `customers` holds, and its values as of a day.

number    numbers
yes_no    yes and no as 1 and 0
day       moments, as the days from them to the day of the row; one that is not before that day is unknown on it
names     categories: frequent ones by their names, those that were rare in training as `OTHER`
unused    why it is not learned from: constant, without a value, or other in nearly every row
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from features.clock import DAY

OTHER = "other"
"""The name under which rare names are taken together."""
DAYS_PER_YEAR = 365.25
EARLIEST_US = -2_208_902_400_000_000
"""1900-01-02: moments before it stand for a missing one, in microseconds."""
YEARS_FROM_DAYS = 1000
"""From so many days on they are said in years."""


@dataclass(frozen=True)
class AttributeKind:
    """What an attribute holds."""

    kind: Literal["number", "yes_no", "day", "names", "unused"]
    names: tuple[str, ...] = ()
    """The frequent names, ascending."""
    rare: tuple[str, ...] = ()
    """Hashes of the rare names, so that they are told from names never seen without being kept, ascending."""
    why: str = ""
    """Why it is unused."""

    @property
    def is_text(self) -> bool:
        """True if its values are text."""
        return self.kind == "names"


AttributeKinds = Mapping[str, AttributeKind]


def hash_name(name: str) -> str:
    """The hash of a rare name."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()[:12]


def used_attributes(kinds: AttributeKinds) -> dict[str, AttributeKind]:
    """The attributes that are learned from."""
    return {name: kind for name, kind in kinds.items() if kind.kind != "unused"}


def group_names(names: Sequence[str | None], kind: AttributeKind) -> tuple[list[str | None], Counter[str]]:
    """Names as the model knows them, and those it has never seen with their number, which become None."""
    known: dict[str | None, str | None] = {name: name for name in kind.names} | {None: None}
    rare, unseen = set(kind.rare), Counter[str]()
    for name, count in Counter(names).items():
        if name is None or name in known:
            continue
        is_rare = hash_name(name) in rare
        known[name] = OTHER if is_rare else None
        if not is_rare:
            unseen[name] = count
    return [known[name] for name in names], unseen


def attribute_column(values: pa.Array, kind: AttributeKind, *, customer: np.ndarray, as_of: np.ndarray) -> pa.Array:
    """An attribute of customers, by number, on days (microseconds), (rows,): text, or float64 with NaN where unknown.

    values: one per customer; those of a day in microseconds.
    """
    taken = values.take(pa.array(customer))
    if kind.is_text:
        return taken
    numbers = taken.to_numpy(zero_copy_only=False).astype(np.float64)
    if kind.kind == "day":
        days = (as_of - numbers) / DAY
        numbers = np.where((days > 0) & (numbers >= EARLIEST_US), days, np.nan)
    return pa.array(numbers)


def attribute_in_words(name: str, kind: AttributeKind, value: float | str | None) -> str:
    """Say an attribute in words.

    >>> attribute_in_words("birth_date", AttributeKind("day"), 12_419.0)
    'birth date: 34 years ago'
    """
    label = name.replace("_", " ")
    if value is None or value != value:
        return f"{label}: unknown"
    if isinstance(value, str):
        return f"{label}: {value}"
    if kind.kind == "yes_no":
        return f"{label}: {'yes' if value >= 0.5 else 'no'}"
    if kind.kind == "number":
        return f"{label}: {value:,.15g}" if abs(value) < 1000 else f"{label}: {value:,.0f}"
    if value >= YEARS_FROM_DAYS:
        return f"{label}: {value / DAYS_PER_YEAR:.0f} years ago"
    return f"{label}: {value:,.0f} day{'s' * (round(value) != 1)} ago"
