"""SQL that reads one cell of a column in its plain form: ids as text, money in millionths, times in microseconds UTC.

`Types` are the columns of `raw_<table>`. A column that was brought into plain form has its cells as they were written
beside it, in `<column>_as_written` (features/ingest/notation/canonical.py).
"""

from features.ingest.csv_checks import identifier, quoted
from features.ingest.log import Log
from features.ingest.notation.canonical import written_name

Types = dict[str, str]
"""The DuckDB type of each of our columns that a table has."""
FRACTIONS = ("FLOAT", "DOUBLE", "DECIMAL")
INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
)
NAN_IS_EMPTY = ("customer_id", "cost", "discount", "quantity", "value", "treated")
"""Columns in which NaN, as pandas writes it, is an empty cell."""


def text_of(column: str, kind: str) -> str:
    """SQL: an id as text, as written; a whole number stored as a float (13085.0) is written without the point."""
    if kind.startswith(FRACTIONS):
        return f"case when {column} = trunc({column}) and abs({column}) < 1e15 then {column}::bigint::text end"
    return f"nullif({column}, '')" if kind == "VARCHAR" else f"nullif({column}::text, '')"


def is_number(kind: str) -> bool:
    """True for a DuckDB type whose values are numbers (or true and false), not names."""
    return (
        kind in ("BOOLEAN", "FLOAT", "DOUBLE", "HUGEINT")
        or kind.startswith("DECIMAL")
        or kind.endswith("INT")
        or kind in ("INTEGER", "UINTEGER")
    )


def is_time(kind: str) -> bool:
    """True for a DuckDB type whose values can be read as times."""
    return kind.startswith(("TIMESTAMP", "DATE", "VARCHAR"))


def written(name: str, types: Types) -> str:
    """SQL: a cell as it was written, as text."""
    kept = written_name(name)
    if kept in types:
        return identifier(kept)
    return f"{identifier(name)}::text" if name in types else "null::text"


def kind_name(column: str) -> str:
    """SQL: a kind of interaction as part of a column's name: lower case, letters and digits, joined by `_`."""
    plain = f"trim(regexp_replace(lower({column}), '[^\\pL\\pN]+', '_', 'g'), '_')"
    return f"coalesce(nullif({plain}, ''), 'other')"


def is_blank(name: str, types: Types) -> str:
    """SQL: true if the cell is empty; in ids and optional numbers, NaN counts as empty too."""
    kind, column = types[name], identifier(name)
    if written_name(name) in types:
        return f"({column} is null and coalesce({identifier(written_name(name))}, '') = '')"
    if kind == "VARCHAR":
        return f"coalesce({column}, '') = ''"
    if kind in ("FLOAT", "DOUBLE") and name in NAN_IS_EMPTY:
        return f"({column} is null or isnan({column}))"
    return f"{column} is null"


def micros_of(column: str, kind: str) -> str:
    """SQL: an amount in millionths of a currency unit, exact to the sixth decimal; null if it is not a number."""
    if kind in ("FLOAT", "DOUBLE"):
        return f"try_cast(round({column} * 1000000) as bigint)"
    if kind in INTEGERS:
        return f"try_cast({column}::hugeint * 1000000 as bigint)"
    return f"try_cast(try_cast({column} as decimal(24, 6)) * 1000000 as bigint)"


def rounded(micros: str, units: int) -> str:
    """SQL: millionths as minor units, halves away from zero."""
    step = 1_000_000 // units
    return f"({micros} + sign({micros}) * {step // 2})::bigint // {step}"


def instant_of(column: str, kind: str, *, timezone: str | None) -> str:
    """SQL: a time as microseconds UTC; naive ones are read in `timezone`, null where that is missing."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({column})"
    naive = column if kind == "TIMESTAMP" else f"try_cast({column} as timestamp)"
    local = f"epoch_us(timezone({quoted(timezone)}, {naive}))" if timezone else "null::bigint"
    if timezone == "UTC":
        local = f"epoch_us({naive})"
    if kind != "VARCHAR":
        return local
    # DuckDB would read 05:50 PM as 05:50, and drop the name of a zone: what ends in a letter is not a naive time.
    local = f"if(right({column}, 1) <= '9', {local}, null)"
    return f"case when {_is_zoned(column)} then epoch_us(try_cast({column} as timestamptz)) else {local} end"


def is_naive(column: str, kind: str) -> str:
    """SQL: true if a time has no zone of its own."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return "false"
    return f"{column} is not null and not {_is_zoned(column)}" if kind == "VARCHAR" else f"{column} is not null"


def _is_zoned(column: str) -> str:
    return f"(contains({column}, ':') and regexp_matches({column}, '([zZ]|UTC|[+-]\\d\\d(:?\\d\\d)?)$'))"


def texts_of(types: Types, *names: str) -> str:
    """SQL: columns as text under their names, null where the column or the value is missing."""
    return ", ".join(f"{text_of(name, types[name]) if name in types else 'null::text'} as {name}" for name in names)


def instant_in(types: Types, log: Log, column: str) -> str:
    """SQL: a column of times as microseconds UTC."""
    return instant_of(identifier(column), types[column], timezone=log.timezone)


def recorded_in(types: Types, log: Log) -> str:
    """SQL: `recorded_us`, null where the table does not say when a row became known, or it cannot be read."""
    instant = instant_in(types, log, "recorded_at") if "recorded_at" in types else "null::bigint"
    return f"{instant} as recorded_us"


def is_given(name: str, types: Types) -> str:
    """SQL: true if an optional column is not empty."""
    if name not in types:
        return "false"
    nan = f" and lower({written(name, types)}) != 'nan'" if types[name] == "VARCHAR" else ""
    return f"(not {is_blank(name, types)}{nan})"


def micros_in(name: str, types: Types) -> str:
    """SQL: a column of money in millionths of a currency unit; null where the table has no such column."""
    return micros_of(name, types[name]) if name in types else "null::bigint"


def double_in(name: str, types: Types) -> str:
    """SQL: a column of numbers; null where the table has no such column."""
    return f"try_cast({name} as double)" if name in types else "null::double"
