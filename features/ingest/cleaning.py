"""Judge rows as written: parse their columns, money exactly, and give each unusable row a reason.

A small function writes the SQL of each kind of column; the views `rows_<table>` put them together. Nothing is
computed until a query asks for it, and then only the columns it asks for.
"""

import duckdb

from features.ingest.csv_checks import identifier, quoted
from features.ingest.log import Log
from features.ingest.schema import minor_units

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
LARGEST_CENTS = 10**12
"""Minor units of one line: a row with more is taken for a mistake."""

Types = dict[str, str]
"""The DuckDB type of each of our columns that a table has."""


def judge_orders(db: duckdb.DuckDBPyConnection, types: Types, log: Log) -> None:
    """Make the view `rows_orders` of `raw_orders`.

    file, row, written_id, written_at, written_amount; customer_id, order_id, product_id, category, channel, source
    (text); at_us, known_us; micros (millionths of a currency unit), cents, margin_micros (millionths of a cent),
    discount_cents, pieces_micros; reason (null: usable).
    """
    units = minor_units(log.currency)
    most = LARGEST_CENTS // units
    amount, written = micros_of("amount", types.get("amount", "")), "amount::text"
    blank, as_number = is_blank("amount", types.get("amount", "")), "try_cast(amount as double)"
    if "amount" not in types:
        product = "try_cast(quantity as decimal(14, 3)) * try_cast(unit_price as decimal(18, 6))"
        amount = f"try_cast(round(try_cast({product} as decimal(24, 6)) * 1000000) as bigint)"
        written = "quantity::text || ' * ' || unit_price::text"
        blank = f"{is_blank('quantity', types['quantity'])} or {is_blank('unit_price', types['unit_price'])}"
        as_number = "try_cast(quantity as double) * try_cast(unit_price as double)"
    excluded = " or ".join(f"product_id ilike {quoted(pattern)}" for pattern in log.exclude_products) or "false"
    db.execute(f"""
        create temp view rows_orders as
        with parsed_columns as (
            select file, row, customer_id::text as written_id, ordered_at::text as written_at,
                   {written} as written_amount, {blank} as no_amount, {as_number} as number,
                   {is_blank("customer_id", types["customer_id"])} as nobody,
                   {is_blank("ordered_at", types["ordered_at"])} as no_time,
                   {texts_of(types, "customer_id", "order_id", "product_id", "category", "channel", "source")},
                   {instant_in(types, log, "ordered_at")} as at_us, {recorded_in(types, log)}, {amount} as micros,
                   {is_given("cost", types)} as is_costed, {micros_in("cost", types)} as cost_micros,
                   {is_given("discount", types)} as is_reduced, {micros_in("discount", types)} as discount_micros,
                   {is_given("quantity", types)} as is_counted, {micros_in("quantity", types)} as pieces_micros
            from raw_orders
        ), counted as (
            select *, {rounded(f"if(abs(micros) <= {most * 1_000_000}, micros, null)", units)} as cents,
                   {rounded("abs(discount_micros)", units)} as discount
            from parsed_columns
        )
        select file, row, written_id, written_at, written_amount, customer_id, order_id, product_id, category, channel,
               source, at_us, greatest(at_us, recorded_us) as known_us, micros, cents,
               case when cost_micros is null then cents * {round(log.gross_margin * 1_000_000)}
                    else cents * 1000000 + if(cents < 0, 1, -1) * least(abs(cost_micros), {most * 1_000_000}) * {units}
               end as margin_micros,
               coalesce(discount, 0) as discount_cents, coalesce(pieces_micros, 1000000) as pieces_micros,
               case when nobody then 'no customer_id'
                    when customer_id is null then 'customer_id is not a whole number'
                    when no_time then 'no ordered_at'
                    when at_us is null then 'ordered_at is not a time'
                    when at_us < {EPOCH_1900} then 'ordered_at before 1900'
                    when no_amount then 'no amount'
                    when abs(number) > {most} and isfinite(number) then 'amount too large'
                    when micros is null then 'amount is not a number'
                    when is_recorded and recorded_us is null then 'recorded_at is not a time'
                    when is_costed and cost_micros is null then 'cost is not a number'
                    when abs(cost_micros) > {most * 1_000_000} then 'cost too large'
                    when is_reduced and discount_micros is null then 'discount is not a number'
                    when is_counted and pieces_micros is null then 'quantity is not a number'
                    when {excluded} then 'excluded product'
               end as reason
        from counted""")


def judge_interactions(db: duckdb.DuckDBPyConnection, types: Types, log: Log) -> None:
    """Make the view `rows_interactions` of `raw_interactions`.

    file, row, written_id, written_at, written_kind, written_value; customer_id, kind (text, `kind_name` gives the
    name); value (double); at_us, known_us; reason (null: usable).
    """
    db.execute(f"""
        create temp view rows_interactions as
        with parsed_columns as (
            select file, row, customer_id::text as written_id, "at"::text as written_at, kind::text as written_kind,
                   {"value::text" if "value" in types else "null::text"} as written_value,
                   {is_blank("customer_id", types["customer_id"])} as nobody, {is_blank("at", types["at"])} as no_time,
                   {texts_of(types, "customer_id", "kind")}, {instant_in(types, log, "at")} as at_us,
                   {recorded_in(types, log)}, {is_given("value", types)} as is_valued,
                   {_double("value", types)} as value
            from raw_interactions
        )
        select file, row, written_id, written_at, written_kind, written_value, customer_id,
               kind, value, at_us, greatest(at_us, recorded_us) as known_us,
               case when nobody then 'no customer_id'
                    when customer_id is null then 'customer_id is not a whole number'
                    when no_time then 'no at'
                    when at_us is null then 'at is not a time'
                    when at_us < {EPOCH_1900} then 'at before 1900'
                    when kind is null then 'no kind'
                    when is_recorded and recorded_us is null then 'recorded_at is not a time'
                    when is_valued and (value is null or not isfinite(value)) then 'value is not a number'
               end as reason
        from parsed_columns""")


def judge_customers(db: duckdb.DuckDBPyConnection, types: Types, log: Log) -> None:
    """Make the view `rows_customers` of `raw_customers`.

    file, row, written_id, written_left_at; customer_id (text); attribute_0, … (numbers or text) in the order of the
    log's attributes; left_us; has_left (true if `left_at` is not empty); reason (null: usable).
    """
    kinds = [types[name] for name in log.attributes]
    attributes = [
        f", {identifier(name)}::{'double' if is_number(kind) else 'text'} as attribute_{place}"
        for place, (name, kind) in enumerate(zip(log.attributes, kinds, strict=True))
    ]
    nobody = is_blank("customer_id", types["customer_id"])
    given = is_given("left_at", types)
    left_us = instant_in(types, log, "left_at") if is_time(types.get("left_at", ""), log) else "null::bigint"
    db.execute(f"""
        create temp view rows_customers as
        select file, row, customer_id::text as written_id,
               {"left_at::text" if "left_at" in types else "null::text"} as written_left_at,
               {texts_of(types, "customer_id")}{"".join(attributes)}, {given} as has_left,
               if({given}, {left_us}, null) as left_us,
               case when {nobody} then 'no customer_id'
                    when {text_of("customer_id", types["customer_id"])} is null
                    then 'customer_id is not a whole number'
               end as reason
        from raw_customers""")


EPOCH_1900 = -2_208_988_800_000_000
"""1900-01-01 in microseconds: earlier times are mistakes."""


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


def is_time(kind: str, log: Log) -> bool:
    """True for a DuckDB type whose values can be read as times; whole numbers only by a format."""
    return kind.startswith(("TIMESTAMP", "DATE", "VARCHAR", *(INTEGERS if log.time_format else ())))


def kind_name(column: str) -> str:
    """SQL: a kind of interaction as part of a column's name: lower case, letters and digits, joined by `_`."""
    plain = f"trim(regexp_replace(lower({column}), '[^\\pL\\pN]+', '_', 'g'), '_')"
    return f"coalesce(nullif({plain}, ''), 'other')"


def is_blank(column: str, kind: str) -> str:
    """SQL: true if the cell is empty; in ids and optional numbers, NaN counts as empty too."""
    name = identifier(column)
    if kind == "VARCHAR":
        return f"coalesce({name}, '') = ''"
    if kind in ("FLOAT", "DOUBLE") and column in ("customer_id", "cost", "discount", "quantity", "value", "treated"):
        return f"({name} is null or isnan({name}))"
    return f"{name} is null"


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


def instant_of(column: str, kind: str, *, timezone: str | None, time_format: str | None) -> str:
    """SQL: a time as microseconds UTC; naive ones are read in `timezone`, null where that is missing."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"epoch_us({column})"
    naive = column if kind == "TIMESTAMP" else f"try_cast({column} as timestamp)"
    if time_format:
        naive = f"try_strptime({column}::text, {quoted(time_format)})"
    local = f"epoch_us(timezone({quoted(timezone)}, {naive}))" if timezone else "null::bigint"
    if timezone == "UTC":
        local = f"epoch_us({naive})"
    if kind != "VARCHAR" or time_format:
        return local
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
    """SQL: a column of times as microseconds UTC, as the log writes them."""
    return instant_of(identifier(column), types[column], timezone=log.timezone, time_format=log.time_format)


def recorded_in(types: Types, log: Log) -> str:
    """SQL: `is_recorded`, true if `recorded_at` is not empty, and `recorded_us`, null where it cannot be read."""
    if "recorded_at" not in types:
        return "false as is_recorded, null::bigint as recorded_us"
    return f"{is_given('recorded_at', types)} as is_recorded, {instant_in(types, log, 'recorded_at')} as recorded_us"


def is_given(name: str, types: Types) -> str:
    """SQL: true if an optional column is not empty."""
    if name not in types:
        return "false"
    nan = " and lower(" + name + ") != 'nan'" if types[name] == "VARCHAR" else ""
    return f"(not {is_blank(name, types[name])}{nan})"


def micros_in(name: str, types: Types) -> str:
    """SQL: a column of money in millionths of a currency unit; null where the table has no such column."""
    return micros_of(name, types[name]) if name in types else "null::bigint"


def _double(name: str, types: Types) -> str:
    return f"try_cast({name} as double)" if name in types else "null::double"
