"""What each attribute of the customers holds, and how it is written, read off its cells.

Numbers, moments and ids are recognised as those of orders are. A column of digits that begin with 0 holds codes; whole
numbers that could be moments are taken for such only where the name of the column speaks of time.
"""

import re
from typing import Any, NamedTuple

from features.histories.attributes import AttributeKind, hash_name
from features.ingest.csv_checks import identifier, quoted
from features.ingest.log import Log
from features.ingest.notation.column_styles import (
    ODD,
    TWO_READINGS,
    decimal_of_neighbours,
    formats_given,
    time_style_of,
)
from features.ingest.notation.loaded_table import HEAD, Loaded
from features.ingest.notation.number_style import NumberStyle, is_null_word_sql, number_evidence, number_sql
from features.ingest.notation.styles import AttributeStyle
from features.ingest.notation.time_sql import time_sql
from features.ingest.notation.time_style import UNITS, TimeStyle, time_evidence

MOSTLY = 0.95
"""The least share of a column's values that must be numbers, or moments, for it to be read as such."""
MOST_NAMES = 30
"""The most names that are told apart; rarer ones are taken together."""
FEWEST_CUSTOMERS = 10
"""A name of fewer customers is rare."""
NEARLY_DISTINCT, FEWEST_DISTINCT = 0.5, 30
"""A share of distinct values among the customers, and a number of them, from which a column names the customers."""
YES = ("true", "yes", "y", "t", "ja", "oui", "si", "sí", "1", "1.0")
NO = ("false", "no", "n", "f", "nein", "non", "0", "0.0")
ID_NAME = re.compile(
    r"(?:^|[_\W])(?:id|uuid|guid|key|ref|nr|no|number|index|phone|mobile|tel)$|(?<=[a-z])(?:ID|Id|Nr|No|Number)$", re.I
)
TIME_NAME = re.compile(
    r"(?:^|[_\W]|(?<=[a-z]))(?:at|on|date|day|time|ts|timestamp|since|born|birth\w*|dob|signup|joined|created)(?:$|[_\W])",
    re.I,
)
"""Names of columns in which whole numbers may be moments."""
COMPACT_DAY = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"


class _Column(NamedTuple):
    """A column of the table, as text, and how many of its rows hold what."""

    loaded: Loaded
    name: str
    text: str
    """SQL of a cell, trimmed; null where it says that there is no value."""
    rows: int
    present: int
    distinct: int

    def share(self, read: str) -> float:
        """The share of the values for which a condition, SQL on `cell`, holds."""
        return self.count(read) / self.present if self.present else 0.0

    def count(self, condition: str) -> int:
        return int(self.fetched(f"select count(*) from ({self.cells}) where {condition}")[0][0])

    def fetched(self, query: str) -> list[tuple[Any, ...]]:
        return self.loaded.db.sql(query).fetchall()

    @property
    def cells(self) -> str:
        """SQL: the values, as `cell`."""
        return f"select {self.text} as cell from loaded_{self.loaded.table} where {self.text} is not null"


def attribute_styles(loaded: Loaded, log: Log) -> dict[str, AttributeStyle]:
    """What each attribute that the log declares holds; {} for a table other than `customers`.

    Raises InputError where numbers or dates have two readings and nothing decides.
    """
    if loaded.table != "customers":
        return {}
    return {name: _style(_column(loaded, name), log) for name in log.attributes}


def attribute_sql(loaded: Loaded, name: str, style: AttributeStyle, *, timezone: str | None) -> str:
    """SQL: the column as double, timestamptz or text; null where a cell cannot be read."""
    text, kind = text_sql(loaded, name), loaded.types[name]
    if style.kind.kind == "yes_no":
        return _yes_no_sql(text)
    if style.kind.kind == "number":
        number = f"try_cast({number_sql(text, style.number)} as double)"
        return f"coalesce(if(isfinite({number}), {number}, null), {_yes_no_sql(text)})"
    if style.kind.kind == "day":
        return _moment_sql(text, kind, identifier(name), style.time, timezone=timezone)
    return text


def text_sql(loaded: Loaded, name: str) -> str:
    """SQL: a cell as trimmed text, null where it says that there is no value; whole numbers without a point."""
    column, kind = identifier(name), loaded.types[name]
    text = f"{column}::text"
    if kind in ("FLOAT", "DOUBLE"):
        whole = f"{column} = trunc({column}) and abs({column}) < 1e15"
        text = f"(case when {whole} then {column}::bigint::text else {text} end)"
    return f"if({is_null_word_sql(text)}, null, trim({text}))"


def _column(loaded: Loaded, name: str) -> _Column:
    text = text_sql(loaded, name)
    counts = loaded.db.sql(
        f"select count(*), count({text}), count(distinct {text}) from loaded_{loaded.table}"
    ).fetchall()[0]
    return _Column(loaded, name, text, *counts)


def _style(column: _Column, log: Log) -> AttributeStyle:
    known = log.attribute_kinds.get(column.name)
    if known is not None:
        number = _number_style(column, log) if known.kind == "number" else NumberStyle()
        time = _time_style(column, log) if known.kind == "day" else None
        return AttributeStyle(known, number, time or TimeStyle())
    if column.name == "customer_id":
        return _unused("it is the id")
    if not column.present:
        return _unused("no value in any row")
    if column.distinct == 1 and column.present == column.rows:
        return _unused("the same value in every row")
    if not column.count(f"lower(cell) not in ({', '.join(map(quoted, YES + NO))})") and column.count(
        "not regexp_full_match(cell, '[01](\\.0)?')"
    ):
        return AttributeStyle(AttributeKind("yes_no"))
    if not column.count("regexp_full_match(cell, '0\\d+')"):
        number = _number_style(column, log)
        if column.share(f"{number_sql('cell', number)} is not null") >= MOSTLY and not _are_moments(column):
            return _of_numbers(column, number)
    time = _time_style(column, log)
    if time is not None:
        return AttributeStyle(AttributeKind("day"), time=time)
    return AttributeStyle(_of_names(column))


def _unused(why: str) -> AttributeStyle:
    return AttributeStyle(AttributeKind("unused", why=why))


def _of_numbers(column: _Column, style: NumberStyle) -> AttributeStyle:
    is_whole = not column.count(f"try_cast({number_sql('cell', style)} as double) % 1 != 0")
    if is_whole and column.distinct == column.rows >= FEWEST_DISTINCT and ID_NAME.search(column.name):
        return _unused("a different whole number in every row, by its name an id")
    return AttributeStyle(AttributeKind("number"), style)


def _of_names(column: _Column) -> AttributeKind:
    if column.distinct >= FEWEST_DISTINCT and column.distinct > NEARLY_DISTINCT * column.present:
        what = f"{column.distinct:,} different texts in {column.present:,} rows"
        return AttributeKind("unused", why=f"{what}: it names the customers")
    counts = column.fetched(f"select cell, count(*) from ({column.cells}) group by 1 order by 2 desc, 1")
    frequent = [name for name, customers in counts[:MOST_NAMES] if customers >= FEWEST_CUSTOMERS]
    if not frequent and len(counts) > 1:
        frequent = [name for name, customers in counts[:MOST_NAMES] if customers > 1]
    if not frequent:
        return AttributeKind("unused", why="no two customers have the same text")
    known = set(frequent)
    rare = sorted(hash_name(name) for name, _ in counts if name not in known)
    return AttributeKind("names", tuple(sorted(frequent)), tuple(rare))


def _number_style(column: _Column, log: Log) -> NumberStyle:
    """The style of the numbers in a column; raises InputError where they are numbers of two readings."""
    if column.loaded.types[column.name] != "VARCHAR":
        return NumberStyle()
    options = log.options(column.loaded.table)
    cells = column.loaded.cells(column.name, most=HEAD) + column.loaded.anywhere(column.name)
    cells += column.loaded.cells(
        column.name, f"regexp_matches(cell, {quoted(TWO_READINGS)})", most=ODD, is_distinct=True
    )
    evidence = number_evidence(cells, decimal=options.decimal, thousands=options.thousands)
    if not evidence.is_decided and column.share(f"{number_sql('cell', evidence.style)} is not null") >= MOSTLY:
        return decimal_of_neighbours(
            column.name, evidence.style, evidence.ambiguous[0], {}, where=column.loaded.where, table="customers"
        )
    return evidence.style


def _are_moments(column: _Column) -> bool:
    """True if whole numbers are days such as 20240625, or by the column's name seconds or days of a spreadsheet."""
    if column.share(f"regexp_full_match(cell, {quoted(COMPACT_DAY)})") >= MOSTLY:
        return True
    return TIME_NAME.search(column.name) is not None and _time_style(column, None) is not None


def _time_style(column: _Column, log: Log | None) -> TimeStyle | None:
    """The style of the moments in a column; None where most of its cells are none. Raises as `time_style_of`."""
    kind = column.loaded.types[column.name]
    if kind.startswith(("TIMESTAMP", "DATE")):
        return TimeStyle()
    cells = [cell for (cell,) in column.fetched(f"select cell from ({column.cells}) limit {HEAD}")]
    evidence = time_evidence(cells)
    given = formats_given(log, "customers") if log else ()
    if not given and evidence.unread > (1 - MOSTLY) * len(set(cells)):
        return None
    forms = {form for options in evidence.styles for form in options}
    if forms & {*UNITS, "excel"} and not TIME_NAME.search(column.name):
        return None
    style = time_style_of(column.loaded, column.name, given, is_thorough=True) if log else evidence.style()
    read = f"{_moment_sql('cell', 'VARCHAR', 'cell', style, timezone='UTC')} is not null"
    return style if column.share(read) >= MOSTLY else None


def _moment_sql(text: str, kind: str, column: str, style: TimeStyle, *, timezone: str | None) -> str:
    """SQL: a column of moments as timestamptz. Days are UTC; so are times without a zone, if the log names none."""
    has_times = any("%M" in form or form in (*UNITS, "excel") for form in style.formats)
    zone = timezone or "UTC" if has_times or (style.is_plain and kind != "DATE") else "UTC"
    if kind == "TIMESTAMP WITH TIME ZONE":
        return column
    if kind.startswith(("TIMESTAMP", "DATE")):
        return f"timezone({quoted(zone)}, {column}::timestamp)"
    if not style.is_plain:
        return time_sql(text, style, timezone=zone)
    zoned = rf"regexp_matches({text}, ':.*([zZ]|UTC|[+-]\d\d(:?\d\d)?)$')"
    local = f"if(right({text}, 1) <= '9', try_cast({text} as timestamp), null)"
    naive = f"if(length({text}) <= 10, timezone('UTC', {local}), timezone({quoted(zone)}, {local}))"
    return f"if({zoned}, try_cast({text} as timestamptz), {naive})"


def _yes_no_sql(text: str) -> str:
    """SQL: 1 for yes, 0 for no, null for anything else."""
    yes, no = (", ".join(map(quoted, words)) for words in (YES, NO))
    return f"case when lower({text}) in ({yes}) then 1.0::double when lower({text}) in ({no}) then 0.0::double end"
